/**
 * How the cluster is reached that kubectl would reach: $KUBECONFIG, ~/.kube/config, or the pod's own service account. What the many kinds of
 * credentials come to is `@kubernetes/client-node`'s to know; requests are made with our client, for its limits.
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node'
import { ask, endpoint, refusal } from '../../clients/service.ts'
import { messageOf, UsageError } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import type { Environment, HttpResponse, TlsSettings } from '../../http/fetch.ts'
import { loadOptionalPackage } from '../optional-package.ts'
import type { SecretStoreOptions } from '../secret-store.ts'

/** The API server. */
export interface ApiServer {
  /**
   * Asks it.
   * @returns the answer of these statuses
   * @throws CountersignError SERVICE_REFUSED for any other; TransportError
   */
  ask(method: string, path: string, wanted: readonly number[], body?: Uint8Array): Promise<HttpResponse>
}

const timeoutMs = 30_000
/** A secret has at most a megabyte of data, which is base64 in JSON. */
const maxAnswerBytes = 4 * 1024 * 1024
const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/**
 * Reads the configuration and gets the credentials.
 * @param purpose begins the sentence that says that the package is missing
 * @throws UsageError USAGE where there is none that can be used, and where `@kubernetes/client-node` is not installed
 */
export async function connectToCluster({ env, cwd, signal }: SecretStoreOptions, purpose = 'k8s:// references'): Promise<ApiServer> {
  const library = await loadOptionalPackage('@kubernetes/client-node@^1.4.0', purpose, () => import('@kubernetes/client-node'))
  const config = loadConfig(new library.KubeConfig(), () => new library.KubeConfig(), env, cwd)
  const cluster = config.getCurrentCluster()
  if (cluster === null || cluster.server === '') {
    throw new UsageError('USAGE', 'the kubeconfig names no cluster to use: choose one with kubectl config use-context')
  }
  const { headers, tls } = await readCredentials(new library.KubeConfig(), cluster, config.getCurrentUser())
  const service = { kind: 'Kubernetes cluster', url: cluster.server }
  const proxied =
    cluster.proxyUrl === undefined
      ? env
      : { ...env, HTTPS_PROXY: cluster.proxyUrl, HTTP_PROXY: cluster.proxyUrl, NO_PROXY: '', no_proxy: '' }
  const options = { env: proxied, tls, ...(signal === undefined ? {} : { signal }) }
  return {
    async ask(method, requestPath, wanted, body) {
      const response = await ask(
        service,
        endpoint(cluster.server, requestPath),
        {
          method,
          headers: { accept: 'application/json', ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          timeoutMs,
          maxBytes: maxAnswerBytes,
          // A secret that was made, or is of another version by now, is not made again.
          idempotent: method === 'GET',
          ...(body === undefined ? {} : { body }),
        },
        options,
      )
      if (wanted.includes(response.status)) return response
      throw refusal(service, response, response.status === 401 ? ' (the credentials of the kubeconfig are not valid, or have expired)' : '')
    },
  }
}

/** The files that kubectl reads, in its order: of what several have, the first counts. */
function loadConfig(config: KubeConfig, create: () => KubeConfig, env: Environment, cwd: string): KubeConfig {
  const given = variableOf(env, 'KUBECONFIG')
  const home = variableOf(env, 'HOME', 'USERPROFILE') ?? homedir()
  const names = given?.split(path.delimiter).filter((name) => name !== '') ?? [path.join(home, '.kube', 'config')]
  const [first, ...others] = names.map((name) => path.resolve(cwd, name)).filter((name) => existsSync(name))
  if (first === undefined) {
    if (variableOf(env, 'KUBERNETES_SERVICE_HOST') === undefined || !existsSync(serviceAccountToken)) {
      throw new UsageError('USAGE', `there is no kubeconfig: expected ${names.join(' or ')}, or a file that KUBECONFIG names`)
    }
    config.loadFromCluster()
    return config
  }
  loadFile(config, first)
  for (const other of others) {
    const more = create()
    loadFile(more, other)
    addMissing(config, more)
  }
  return config
}

function addMissing(config: KubeConfig, more: KubeConfig): void {
  if (config.getCurrentContext() === '') config.setCurrentContext(more.getCurrentContext())
  for (const cluster of more.getClusters()) if (config.getCluster(cluster.name) === null) config.addCluster(cluster)
  for (const user of more.getUsers()) if (config.getUser(user.name) === null) config.addUser(user)
  for (const context of more.getContexts()) if (config.getContextObject(context.name) === null) config.addContext(context)
}

function loadFile(config: KubeConfig, file: string): void {
  try {
    config.loadFromFile(file)
  } catch (cause) {
    // Without the cause, and with its first line alone: the others quote the file, which holds credentials.
    throw new UsageError('USAGE', `the kubeconfig ${file} cannot be read: ${messageOf(cause).split('\n', 1)[0] ?? ''}`)
  }
}

interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsSettings
}

/** @param config an empty one, for the cluster and the user alone */
async function readCredentials(config: KubeConfig, cluster: Cluster, user: User | null): Promise<Credentials> {
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {}
  // Without a user, the library would forget the cluster's authority. Without TLS there is nothing to verify, which it wants to be told.
  const skipTLSVerify = cluster.skipTLSVerify || cluster.server.startsWith('http:')
  config.loadFromClusterAndUser({ ...cluster, skipTLSVerify }, user ?? { name: 'nobody' })
  try {
    await config.applyToHTTPSOptions(options)
  } catch (cause) {
    throw new UsageError('USAGE', `the credentials of the kubeconfig cannot be used: ${messageOf(cause).split('\n', 1)[0] ?? ''}`)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) if (typeof value === 'string') headers[name.toLowerCase()] = value
  if (typeof options.auth === 'string') headers['authorization'] ??= `Basic ${Buffer.from(options.auth).toString('base64')}`
  const [authorities, certificate, key] = [textOf(options.ca), textOf(options.cert), textOf(options.key)]
  return {
    headers,
    tls: {
      ...(authorities === undefined ? {} : { certificateAuthorities: authorities }),
      ...(certificate === undefined ? {} : { clientCertificate: certificate }),
      ...(key === undefined ? {} : { clientKey: key }),
      ...(options.servername === undefined ? {} : { serverName: options.servername }),
      ...(cluster.skipTLSVerify ? { insecure: true } : {}),
    },
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : undefined
}
