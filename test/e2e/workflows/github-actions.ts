/**
 * GitHub Actions on this machine, under its own name: an issuer with TLS, a proxy through which a server finds it, and jobs that ask for their
 * token as on a runner.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createPlainServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { testIssuer } from '../../support/foreign-issuer.ts'
import { issue, pemOf } from '../../support/universe/certificates.ts'
import { namedKey } from '../../support/universe/keys.ts'

export const githubIssuer = 'https://token.actions.githubusercontent.com'

export interface GitHubActions {
  /** PEM of the authority of its TLS certificate. */
  readonly authority: string
  /** The address of the proxy that leads to it, and nowhere else. */
  readonly proxy: string
  /** The environment of a job. @param workflow such as `org/app/.github/workflows/release.yml@refs/heads/main` */
  job(workflow: string): Readonly<Record<string, string>>
  stop(): Promise<void>
}

const host = new URL(githubIssuer).hostname
const secret = 'the secret of the job'

/** Starts it. */
export async function startGitHubActions(): Promise<GitHubActions> {
  const issuer = testIssuer(githubIssuer, Date.now(), namedKey('github actions', 'rsa'))
  const { certificate, key, authority } = serverCertificate()
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(request.url ?? '/', githubIssuer)
    const found = documentAt(pathname, request.headers.authorization ?? '', searchParams, issuer)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? {}))
  }
  const secure = createSecureServer({ cert: certificate, key }, answer)
  const plain = createPlainServer(answer)
  const proxy = createPlainServer()
  const port = await listen(secure)
  proxy.on('connect', (request, client) => tunnel(request.url ?? '', client, port))
  const [tokens, through] = [await listen(plain), await listen(proxy)]
  return {
    authority,
    proxy: `http://127.0.0.1:${through}`,
    job: (workflow) => ({
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${tokens}/token?workflow=${encodeURIComponent(workflow)}`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    }),
    stop: async () => {
      await Promise.all([secure, plain, proxy].map(close))
    },
  }
}

function documentAt(
  pathname: string,
  authorization: string,
  query: URLSearchParams,
  issuer: ReturnType<typeof testIssuer>,
): object | undefined {
  switch (pathname) {
    case '/.well-known/openid-configuration':
      return { issuer: githubIssuer, jwks_uri: `${githubIssuer}/.well-known/jwks`, id_token_signing_alg_values_supported: ['RS256'] }
    case '/.well-known/jwks':
      return issuer.keys
    case '/token':
      if (authorization.toLowerCase() !== `bearer ${secret}`) return undefined
      return { value: issuer.token({ ...claimsOf(query.get('workflow') ?? ''), aud: query.get('audience') ?? '' }) }
    default:
      return undefined
  }
}

function claimsOf(workflow: string): Readonly<Record<string, unknown>> {
  const [file = '', ref = ''] = workflow.split('@')
  const repository = file.split('/').slice(0, 2).join('/')
  const sha = '0123456789abcdef0123456789abcdef01234567'
  return {
    sub: `repo:${repository}:ref:${ref}`,
    ref,
    sha,
    repository,
    repository_id: '1001',
    repository_owner: repository.split('/')[0],
    repository_owner_id: '2002',
    repository_visibility: 'public',
    run_id: '3003',
    run_attempt: '1',
    workflow: 'release',
    workflow_ref: workflow,
    workflow_sha: sha,
    job_workflow_ref: workflow,
    job_workflow_sha: sha,
    event_name: 'push',
    runner_environment: 'github-hosted',
  }
}

/** A certificate for its name, and the authority that issued it. */
function serverCertificate(): { readonly certificate: string; readonly key: string; readonly authority: string } {
  const day = 86_400_000
  const validity = { notBefore: Date.now() - day, notAfter: Date.now() + day }
  const root = issue({ key: namedKey('tls root'), name: 'tls root', ca: true, extendedKeyUsage: 'none', ...validity })
  const serverAuth = '1.3.6.1.5.5.7.3.1'
  const leaf = issue({ key: namedKey('tls'), name: host, subjects: [{ dns: host }], extendedKeyUsage: [serverAuth], ...validity }, root)
  return {
    certificate: pemOf(leaf.der),
    key: leaf.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    authority: pemOf(root.der),
  }
}

function tunnel(target: string, client: Duplex, port: number): void {
  if (target !== `${host}:443`) return void client.end('HTTP/1.1 502 Nothing else is here\r\n\r\n')
  const upstream = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
  upstream.pipe(client).pipe(upstream)
  upstream.on('error', () => client.destroy())
  client.on('error', () => upstream.destroy())
  client.on('close', () => upstream.destroy())
}

const sockets = new WeakMap<Server, Set<Socket>>()

async function listen(server: Server): Promise<number> {
  const open = new Set<Socket>()
  sockets.set(server, open)
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets.get(server) ?? []) socket.destroy()
  })
}
