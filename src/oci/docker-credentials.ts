/** The credentials that `docker login` and `podman login` have left: files, and the helper programs that they name. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { TransportError, messageOf, isMissing } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { variableOf } from '../http/environment.ts'
import type { RepositoryName } from './reference.ts'
import type { RegistryCredentials } from './registry-login.ts'

export interface DockerCredentialsOptions {
  readonly env: Environment
  /** The user's home folder. */
  readonly home: string
  readonly signal?: AbortSignal | undefined
}

const maxFileBytes = 4 * 1024 * 1024
/** The name that Docker Hub has in files, for historical reasons. */
export const dockerHubKey = 'https://index.docker.io/v1/'

/**
 * The credentials for a repository: those of `$DOCKER_CONFIG/config.json` (default `~/.docker/config.json`), else of
 * `$REGISTRY_AUTH_FILE`, else of podman's `$XDG_RUNTIME_DIR/containers/auth.json`.
 * @returns undefined where there are none
 * @throws TransportError FILE_UNREADABLE for a file that is there and cannot be read; CountersignError SERVICE_REFUSED when a helper fails
 */
export async function dockerCredentials(name: RepositoryName, options: DockerCredentialsOptions): Promise<RegistryCredentials | undefined> {
  for (const file of credentialFiles(options)) {
    const config = await readDockerConfig(file)
    const found = config && (await credentialsIn(config, name, options))
    if (found !== undefined) return found
  }
  return undefined
}

/** The user's home folder: never the current one, where anybody's files may be. */
export function homeFolder(env: Environment): string {
  const named = variableOf(env, 'HOME', 'USERPROFILE')
  if (named !== undefined) return named
  try {
    return homedir() || path.sep
  } catch {
    // A user that the system does not know, as in containers, has none.
    return path.sep
  }
}

/** Where `docker login` writes. */
export function dockerConfigFile({ env, home }: Pick<DockerCredentialsOptions, 'env' | 'home'>): string {
  return path.join(variableOf(env, 'DOCKER_CONFIG') ?? path.join(home, '.docker'), 'config.json')
}

function credentialFiles(options: DockerCredentialsOptions): string[] {
  const { env } = options
  const runtime = variableOf(env, 'XDG_RUNTIME_DIR')
  return [
    dockerConfigFile(options),
    ...[variableOf(env, 'REGISTRY_AUTH_FILE')].filter((file) => file !== undefined),
    ...(runtime === undefined ? [] : [path.join(runtime, 'containers', 'auth.json')]),
  ]
}

/** @returns undefined for a file that is not there */
async function readDockerConfig(file: string): Promise<JsonFields | undefined> {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw new TransportError('FILE_UNREADABLE', `the registry credentials in ${file} cannot be read: ${messageOf(cause)}`, { cause })
  }
  try {
    return new JsonFields(parseJson(bytes, file, { maxBytes: maxFileBytes }), file, 'FILE_UNREADABLE')
  } catch {
    throw unusable(file)
  }
}

/** What was found instead may be a password, or be beside one: nothing of it is repeated. */
function unusable(what: string): TransportError {
  return new TransportError(
    'FILE_UNREADABLE',
    `the registry credentials in ${what} cannot be used: expected the JSON that docker login writes`,
  )
}

async function credentialsIn(
  config: JsonFields,
  name: RepositoryName,
  options: DockerCredentialsOptions,
): Promise<RegistryCredentials | undefined> {
  const keys = keysFor(name)
  const helpers = config.optionalObject('credHelpers')
  for (const key of keys) {
    const helper = helpers?.optionalString(key)
    if (helper !== undefined) return askHelper(helper, key, options)
  }
  const credentials = credentialsOfAuths(config, name)
  if (credentials !== undefined) return credentials
  const store = config.optionalString('credsStore')
  if (store === undefined || store === '') return undefined
  return askHelper(store, name.registry === 'index.docker.io' ? dockerHubKey : name.registry, options)
}

/**
 * What the `auths` of a configuration have for a repository. No program is run, whatever else it says.
 * @throws TransportError FILE_UNREADABLE
 */
export function credentialsOfAuths(config: JsonFields, name: RepositoryName): RegistryCredentials | undefined {
  try {
    const stored = config.optionalObject('auths')
    const entries = new Map(stored?.entries().map(([key]) => [plainKey(key), key]))
    for (const key of keysFor(name)) {
      const spelled = entries.get(plainKey(key))
      const entry = spelled === undefined ? undefined : stored?.optionalObject(spelled)
      const credentials = entry && readEntry(entry)
      if (credentials !== undefined) return credentials
    }
    return undefined
  } catch {
    throw unusable(config.path)
  }
}

/** The most particular first, as podman has it: repository, its folders, registry. */
function keysFor({ registry, repository }: RepositoryName): string[] {
  const parts = repository.split('/')
  const nested = parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join('/')}`)
  return registry === 'index.docker.io' ? [...nested, dockerHubKey, 'docker.io', registry] : [...nested, registry]
}

/** `https://ghcr.io/v2/` and `ghcr.io` are the same; the path of a repository counts. */
function plainKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
}

function readEntry(entry: JsonFields): RegistryCredentials | undefined {
  const identityToken = entry.optionalString('identitytoken') ?? ''
  if (identityToken !== '') return { kind: 'identity-token', token: identityToken }
  const registryToken = entry.optionalString('registrytoken') ?? ''
  if (registryToken !== '') return { kind: 'registry-token', token: registryToken }
  const packed = entry.optionalBytes('auth')
  const text = packed && decodeUtf8(packed, entry.pathOf('auth'))
  const colon = text?.indexOf(':') ?? -1
  const username = text === undefined || colon < 0 ? (entry.optionalString('username') ?? '') : text.slice(0, colon)
  const password = text === undefined || colon < 0 ? (entry.optionalString('password') ?? '') : text.slice(colon + 1).replace(/\0+$/, '')
  return username === '' && password === '' ? undefined : passwordOrToken(username, password)
}

/** Helpers, and files written by some tools, give an identity token as the password of this user. */
function passwordOrToken(username: string, password: string): RegistryCredentials {
  return username === '<token>' ? { kind: 'identity-token', token: password } : { kind: 'password', username, password }
}

/** Asks a helper. Its answer may hold a password, so nothing of it is repeated. */
export async function askHelper(
  helper: string,
  registry: string,
  options: Pick<DockerCredentialsOptions, 'env' | 'signal'>,
): Promise<RegistryCredentials | undefined> {
  // Few registries have a helper, and every start of the program would pay for what runs one.
  const { helperFailure, runHelper } = await import('./credential-helper.ts')
  const { code, stdout } = await runHelper(helper, 'get', registry, options)
  if (code !== 0) {
    // The words of the helpers' own library for a registry that nobody has logged in to.
    if (/credentials not found|no credentials server URL|no usernames for/i.test(stdout)) return undefined
    throw helperFailure(helper, `it ended with status ${code}`)
  }
  try {
    const fields = new JsonFields(parseJson(stdout, 'the answer', { maxDepth: 8 }), 'credentials', 'SERVICE_REFUSED')
    const username = fields.optionalString('Username') ?? ''
    const secret = fields.optionalString('Secret') ?? ''
    return username === '' && secret === '' ? undefined : passwordOrToken(username, secret)
  } catch {
    throw helperFailure(helper, 'it answered what is not JSON of credentials')
  }
}
