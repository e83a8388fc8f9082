/** GitHub, GitLab and a Kubernetes API server as far as secrets go, on a port of this machine. What they keep can be looked at as its owner would. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import sodium from 'libsodium-wrappers'

/** An answer that a service gives instead of the right one. */
export type Fault = { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }

export interface SecretService {
  /** The reference that the tests use. */
  readonly reference: string
  /** What a user sets to reach it; the folder is for files. */
  environment(folder: string): Record<string, string>
  /** The value of one of cosign's three secrets, in the clear. */
  kept(name: 'password' | 'privateKey' | 'publicKey'): string | undefined
  /** What is beside them and should stay. */
  other(): string | undefined
  /** Requests so far, as `METHOD path`. */
  readonly requests: string[]
  /** Answers every request with this from now on; or only those that change something. */
  fail(fault: Fault, which?: 'all' | 'changes' | 'second change'): void
  stop(): Promise<void>
}

interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readonly<Record<string, unknown>>
}

type Handler = (request: Request) => Fault

const json = (value: unknown, status = 200): Fault => ({
  status,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
})
const said = (status: number, message: string): Fault => json({ message }, status)

export const token = 'the token of the test'

async function serve(handler: Handler): Promise<Pick<SecretService, 'requests' | 'fail' | 'stop'> & { readonly url: string }> {
  const requests: string[] = []
  let fault: { readonly fault: Fault; readonly which: 'all' | 'changes' | 'second change' } | undefined
  let changes = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      requests.push(`${method} ${url}`)
      const isChange = method !== 'GET'
      if (isChange) changes++
      const text = Buffer.concat(chunks).toString()
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
      const isFaulty = fault?.which === 'all' || (isChange && (fault?.which === 'changes' || changes === 2))
      const answer = fault !== undefined && isFaulty ? fault.fault : handler({ method, path: url, headers, body })
      response.writeHead(answer.status, answer.headers).end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fail(what, which = 'all') {
      fault = { fault: what, which }
      changes = 0
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const names = { password: 'COSIGN_PASSWORD', privateKey: 'COSIGN_PRIVATE_KEY', publicKey: 'COSIGN_PUBLIC_KEY' } as const

/** A GitHub Enterprise server with one organisation, one repository in it, and a secret that is not cosign's. */
export async function startGithub(reference: 'github://owner/repo' | 'github://owner' = 'github://owner/repo'): Promise<SecretService> {
  await sodium.ready
  const { publicKey, privateKey } = sodium.crypto_box_keypair()
  const secrets = new Map<string, Uint8Array>([['OTHER', Buffer.from('other')]])
  const holder = reference === 'github://owner' ? '/api/v3/orgs/owner' : '/api/v3/repos/owner/repo'
  const service = await serve(({ method, path: url, headers, body }) => {
    if (headers['authorization'] !== `Bearer ${token}`) return said(401, 'Bad credentials')
    const prefix = `${holder}/actions/secrets/`
    if (!url.startsWith(prefix)) return said(404, 'Not Found')
    const name = url.slice(prefix.length)
    if (method === 'GET' && name === 'public-key') return json({ key_id: '7', key: Buffer.from(publicKey).toString('base64') })
    if (method === 'GET') return secrets.has(name) ? json({ name, visibility: 'all' }) : said(404, 'Not Found')
    if (method !== 'PUT' || body['key_id'] !== '7') return said(422, 'Validation Failed')
    const isRight = holder.includes('/orgs/') ? ['all', 'private'].includes(String(body['visibility'])) : !('visibility' in body)
    if (!isRight) return said(422, 'Invalid visibility')
    const status = secrets.has(name) ? 204 : 201
    secrets.set(name, sodium.crypto_box_seal_open(Buffer.from(String(body['encrypted_value']), 'base64'), publicKey, privateKey))
    return { status }
  })
  const valueOf = (name: string): string | undefined => {
    const value = secrets.get(name)
    return value === undefined ? undefined : Buffer.from(value).toString()
  }
  return {
    ...service,
    reference,
    environment: () => ({ GITHUB_TOKEN: token, GITHUB_HOST: service.url }),
    kept: (name) => valueOf(names[name]),
    other: () => valueOf('OTHER'),
  }
}

/** A GitLab server with one project, 42, one group, and a variable that is not cosign's. */
export async function startGitlab(reference = 'gitlab://group/project'): Promise<SecretService> {
  const variables = new Map<string, string>([['OTHER', 'other']])
  const holders: Record<string, string> = {
    'gitlab://group/project': '/projects/group%2Fproject',
    'gitlab://42': '/projects/42',
    'gitlab://group': '/groups/group',
    'gitlab://group/subgroup': '/groups/group%2Fsubgroup',
  }
  const holder = `/api/v4${holders[reference] ?? ''}`
  const service = await serve(({ method, path: url, headers, body }) => {
    if (headers['private-token'] !== token) return said(401, '401 Unauthorized')
    if (url === holder) return json({ id: 42 })
    if (!url.startsWith(`${holder}/variables`)) return said(404, '404 Not Found')
    const name = url.slice(`${holder}/variables/`.length)
    const value = variables.get(name)
    if (method === 'GET') return value === undefined ? said(404, '404 Variable Not Found') : json({ key: name, value })
    if (method === 'PUT') {
      if (value === undefined) return said(404, '404 Variable Not Found')
      variables.set(name, String(body['value']))
      return json({ key: name })
    }
    const key = String(body['key'])
    if (variables.has(key)) return json({ message: { key: [`(${key}) has already been taken`] } }, 400)
    const settings = { variable_type: 'env_var', protected: false, masked: false }
    for (const [setting, expected] of Object.entries(settings)) if (body[setting] !== expected) return said(400, setting)
    variables.set(key, String(body['value']))
    return json({ key }, 201)
  })
  return {
    ...service,
    reference,
    environment: () => ({ GITLAB_TOKEN: token, GITLAB_HOST: service.url }),
    kept: (name) => variables.get(names[name]),
    other: () => variables.get('OTHER'),
  }
}

const dataNames = { password: 'cosign.password', privateKey: 'cosign.key', publicKey: 'cosign.pub' } as const

interface Secret {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly data: Readonly<Record<string, string>>
  readonly immutable?: boolean
}

/** An API server with a secret that is not cosign's. @param minor its minor version: secrets can be immutable since 1.21 */
export async function startKubernetes(minor = '20'): Promise<SecretService> {
  const secretPath = '/api/v1/namespaces/production/secrets'
  const other = Buffer.from('other').toString('base64')
  const base: Secret = { metadata: { name: 'release', namespace: 'production', labels: { team: 'a' } }, data: { other } }
  let secret: Secret | undefined = base
  const service = await serve(({ method, path: url, headers, body }) => {
    if (headers['authorization'] !== `Bearer ${token}`) return said(401, 'Unauthorized')
    if (url === '/version') return json({ major: '1', minor, gitVersion: `v1.${minor}.0` })
    if (method === 'GET' && url === `${secretPath}/release`) {
      return secret === undefined ? said(404, 'secrets "release" not found') : json({ kind: 'Secret', apiVersion: 'v1', ...secret })
    }
    const written = body as unknown as Secret
    if (method !== 'PUT' || url !== `${secretPath}/release`) return said(403, 'secrets is forbidden')
    if (secret?.immutable === true) return said(422, 'field is immutable when `immutable` is set')
    secret = written
    return json(written)
  })
  const valueOf = (name: string): string | undefined => {
    const value = secret?.data[name]
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString()
  }
  return {
    ...service,
    reference: 'k8s://production/release',
    environment(folder) {
      const file = path.join(folder, 'kubeconfig')
      writeFileSync(file, kubeconfig(service.url, token))
      return { KUBECONFIG: file }
    },
    kept: (name) => valueOf(dataNames[name]),
    other: () => (JSON.stringify(secret?.metadata) === JSON.stringify(base.metadata) ? valueOf('other') : undefined),
  }
}

/** A kubeconfig for a server and a bearer token. */
export function kubeconfig(server: string, bearer: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: { token: bearer } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  })
}
