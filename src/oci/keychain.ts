/**
 * The credentials of the place where the program runs (`--k8s-keychain`): what the cluster has for its pods, the service account of the
 * machine, the helper programs of clouds. Each kind is for registries that are known by their names, and goes to no other.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { messageOf } from '../error.ts'
import { variableOf } from '../http/environment.ts'
import { findExecutable } from '../keys/program-run.ts'
import type { DockerCredentialsOptions } from './docker-credentials.ts'
import { askHelper, credentialsOfAuths, dockerCredentials } from './docker-credentials.ts'
import type { RepositoryName } from './reference.ts'
import type { RegistryCredentials } from './registry-login.ts'

export interface KeychainOptions extends DockerCredentialsOptions {
  readonly cwd: string
  /** Is told in a sentence why a source that there is gave nothing. */
  readonly tell: (sentence: string) => void
  /** The namespace of the pod that this runs in; undefined outside of one. Default what Kubernetes has put into the pod. */
  readonly namespace?: string | undefined
}

const namespaceFile = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'
const metadataTimeoutMs = 5_000

/** The helper programs of the clouds' makers, by the registries that they are for. */
const helpers: readonly { readonly registries: RegExp; readonly program: string }[] = [
  {
    registries:
      /^(?:\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)|public\.ecr\.aws)$/,
    program: 'ecr-login',
  },
  { registries: /^[a-z0-9-]+\.azurecr\.(?:io|cn|us|de)$/, program: 'acr-env' },
  // With oss- it is somebody's bucket, of any name.
  { registries: /^(?:[a-z0-9-]+-)?registry(?:-vpc)?\.(?!oss-)[a-z0-9-]+(?:\.cr)?\.aliyuncs\.com$/, program: 'acr-helper' },
]
const googleRegistry = /^(?:(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev)$/

/**
 * The credentials for a repository: Docker's, else the pull secrets of the pod's namespace, else those of the cloud.
 * @throws as `dockerCredentials`; of the other sources only an abort is an error, since a registry may let anybody in
 */
export async function keychainCredentials(name: RepositoryName, options: KeychainOptions): Promise<RegistryCredentials | undefined> {
  return (
    (await dockerCredentials(name, options)) ??
    (await orTell(() => pullSecretFor(name, options), "the pull secrets of the pod's namespace", options)) ??
    (await orTell(() => cloudCredentials(name.registry, options), `the credentials of the cloud for ${name.registry}`, options))
  )
}

async function orTell(
  get: () => Promise<RegistryCredentials | undefined>,
  what: string,
  { tell, signal }: KeychainOptions,
): Promise<RegistryCredentials | undefined> {
  try {
    return await get()
  } catch (error) {
    signal?.throwIfAborted()
    tell(`--k8s-keychain cannot use ${what}: ${messageOf(error)}`)
    return undefined
  }
}

async function cloudCredentials(registry: string, options: KeychainOptions): Promise<RegistryCredentials | undefined> {
  const { env, signal } = options
  const token = variableOf(env, 'GITHUB_TOKEN')
  // As go-containerregistry's: the name is not looked at.
  if (registry === 'ghcr.io' && token !== undefined) return { kind: 'password', username: 'unset', password: token }
  if (googleRegistry.test(registry)) {
    const { askMetadata } = await import('../identity/sources/google-metadata.ts')
    const { body } = await askMetadata({ env, timeoutMs: metadataTimeoutMs, signal }, 'token')
    const fields = new JsonFields(parseJson(body, 'the answer of the metadata server', { maxDepth: 8 }), 'token', 'SERVICE_REFUSED')
    return { kind: 'password', username: 'oauth2accesstoken', password: fields.string('access_token') }
  }
  const helper = helpers.find(({ registries }) => registries.test(registry))
  if (helper === undefined) return undefined
  if (findExecutable(`docker-credential-${helper.program}`, env) === undefined) {
    const advice = 'install it, or log in with countersign login'
    throw new Error(`they come from the program docker-credential-${helper.program}, which is not on PATH: ${advice}`)
  }
  return askHelper(helper.program, registry, options)
}

/** Those of the service account `default`, as pods without one of their own have them. */
async function pullSecretFor(name: RepositoryName, options: KeychainOptions): Promise<RegistryCredentials | undefined> {
  const namespace = 'namespace' in options ? options.namespace : podNamespace()
  if (namespace === undefined) return undefined
  const { env, cwd, signal } = options
  const { fetchPullSecrets } = await import('../keys/secrets/kubernetes-pull-secrets.ts')
  for (const { text, what } of await fetchPullSecrets(namespace, { env, cwd, ...(signal === undefined ? {} : { signal }) })) {
    const found = credentialsOfAuths(new JsonFields(parseJson(text, what), what, 'SERVICE_REFUSED'), name)
    if (found !== undefined) return found
  }
  return undefined
}

function podNamespace(): string | undefined {
  if (!existsSync(namespaceFile)) return undefined
  return readFileSync(namespaceFile, 'utf8').trim()
}
