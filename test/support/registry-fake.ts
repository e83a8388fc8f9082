/**
 * A registry in this process, for what real ones do not do when asked: the distribution specification 1.1 in memory, and in front of
 * it rules that answer otherwise.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly bodyLength: number
}

export interface StoredFake {
  readonly bytes: Uint8Array
  readonly type: string
}

/** Answers a request instead of the registry; one that ends without having answered leaves it to the registry. */
export type Rule = (request: IncomingMessage, response: ServerResponse, body: Uint8Array) => void | Promise<void>

export interface FakeRegistryOptions {
  /** Whether there is a referrers API; default true. */
  readonly referrers?: boolean
  /** How many referrers or tags a page has; default all. */
  readonly pageSize?: number
  /** Who is let in, and how: with the password itself, or with tokens that cost it at `/token`. Default everybody. */
  readonly auth?: { readonly kind: 'basic' | 'bearer'; readonly username: string; readonly password: string }
  /** How long a token is good, in seconds; default 300. */
  readonly tokenLifetime?: number
}

export interface FakeRegistry {
  readonly host: string
  readonly port: number
  readonly requests: readonly SeenRequest[]
  /** What is in it, by `repository@digest` and `repository:tag`. */
  readonly manifests: Map<string, StoredFake>
  /** By `repository@digest`. */
  readonly blobs: Map<string, Uint8Array>
  /**
   * Answers requests whose `METHOD path` begins so, or matches.
   * @param times how often; default always. The newest rule comes first
   */
  rule(on: string | RegExp, rule: Rule, times?: number): void
  /** Stores a manifest or an index as it is, whatever is wrong with it. @returns its digest */
  put(repository: string, manifest: unknown, type?: string, tag?: string): string
  /** @returns its digest */
  putBlob(repository: string, bytes: Uint8Array | string): string
  stop(): Promise<void>
}

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
export const ociIndex = 'application/vnd.oci.image.index.v1+json'

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Starts one on 127.0.0.1. */
export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const fake = new Fake(options)
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    fake.handle(request, response).catch(() => response.destroy())
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the registry listens on no port')
  fake.host = `127.0.0.1:${address.port}`
  return {
    host: fake.host,
    port: address.port,
    requests: fake.requests,
    manifests: fake.manifests,
    blobs: fake.blobs,
    rule: (on, rule, times = Number.POSITIVE_INFINITY) => void fake.rules.unshift({ on, rule, times }),
    put: (repository, manifest, type = ociManifest, tag) => fake.put(repository, manifest, type, tag),
    putBlob: (repository, bytes) => fake.putBlob(repository, bytes),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Answers with a status, and optionally headers and a body. */
export function answer(status: number, headers: Readonly<Record<string, string>> = {}, body: string | Uint8Array = ''): Rule {
  return (_, response) => {
    response.writeHead(status, headers)
    response.end(body)
  }
}

/** Announces the whole body, sends a part of it, and closes the connection. */
export function cutOff(bytes: Uint8Array, after: number, headers: Readonly<Record<string, string>> = {}): Rule {
  return (_, response) => {
    response.writeHead(200, { ...headers, 'content-length': String(bytes.length) })
    response.write(bytes.subarray(0, after), () => response.destroy())
  }
}

/** Closes the connection without an answer. */
export const hangUp: Rule = (request) => {
  request.socket.destroy()
}

class Fake {
  host = ''
  readonly requests: SeenRequest[] = []
  readonly manifests = new Map<string, StoredFake>()
  readonly blobs = new Map<string, Uint8Array>()
  readonly rules: { readonly on: string | RegExp; readonly rule: Rule; times: number }[] = []
  readonly #uploads = new Map<string, Uint8Array>()
  readonly #tokens = new Map<string, number>()
  readonly #options: FakeRegistryOptions

  constructor(options: FakeRegistryOptions) {
    this.#options = options
  }

  put(repository: string, manifest: unknown, type: string, tag?: string): string {
    const bytes = manifest instanceof Uint8Array ? manifest : Buffer.from(JSON.stringify(manifest))
    const digest = digestOf(bytes)
    this.manifests.set(`${repository}@${digest}`, { bytes, type })
    if (tag !== undefined) this.manifests.set(`${repository}:${tag}`, { bytes, type })
    return digest
  }

  putBlob(repository: string, content: Uint8Array | string): string {
    const bytes = Buffer.from(content)
    const digest = digestOf(bytes)
    this.blobs.set(`${repository}@${digest}`, bytes)
    return digest
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: target = '' } = request
    const chunks: Uint8Array[] = []
    try {
      for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
    } catch {
      return
    }
    const body = Buffer.concat(chunks)
    this.requests.push({ method, target, headers: request.headers, bodyLength: body.length })
    const line = `${method} ${target}`
    for (const rule of this.rules) {
      if (rule.times <= 0 || (typeof rule.on === 'string' ? !line.startsWith(rule.on) : !rule.on.test(line))) continue
      rule.times--
      await rule.rule(request, response, body)
      if (response.headersSent || response.destroyed || request.socket.destroyed) return
    }
    this.#answer(request, response, body)
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
    const { method = '' } = request
    const url = new URL(request.url ?? '', `http://${this.host}`)
    if (url.pathname === '/token') return this.#token(request, response, url)
    if (!this.#isLetIn(request)) return this.#challenge(response, url)
    if (url.pathname === '/v2/') return send(response, 200, {}, '{}')
    const [, repository = '', kind = '', rest = ''] = /^\/v2\/(.+?)\/(manifests|blobs|referrers|tags)\/(.*)$/.exec(url.pathname) ?? []
    if (kind === 'manifests') return this.#manifest(method, repository, decodeURIComponent(rest), request, response, body)
    if (kind === 'blobs' && rest.startsWith('uploads/')) return this.#upload(method, repository, url, request, response, body)
    if (kind === 'blobs') return this.#blob(method, repository, rest, response)
    if (kind === 'referrers' && this.#options.referrers !== false) return this.#referrers(repository, rest, url, response)
    if (kind === 'tags') return this.#tags(repository, url, response)
    refuse(response, 404, 'UNSUPPORTED')
  }

  #isLetIn({ headers: { authorization = '' } }: IncomingMessage): boolean {
    const { auth } = this.#options
    if (auth === undefined) return true
    if (auth.kind === 'basic') return authorization === basic(auth)
    const until = this.#tokens.get(authorization.replace(/^Bearer /, ''))
    return until !== undefined && until > Date.now()
  }

  #challenge(response: ServerResponse, url: URL): void {
    const repository = /^\/v2\/(.+?)\/(?:manifests|blobs|referrers|tags)\//.exec(url.pathname)?.[1]
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`
    const value =
      this.#options.auth?.kind === 'basic' ? 'Basic realm="fake"' : `Bearer realm="http://${this.host}/token",service="fake"${scope}`
    refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': value })
  }

  #token({ headers: { authorization = '' } }: IncomingMessage, response: ServerResponse, url: URL): void {
    const { auth, tokenLifetime = 300 } = this.#options
    if (auth === undefined || authorization !== basic(auth)) return refuse(response, 401, 'UNAUTHORIZED')
    const token = `${randomUUID()}.${Buffer.from(url.searchParams.getAll('scope').join(' ')).toString('base64url')}`
    this.#tokens.set(token, Date.now() + tokenLifetime * 1000)
    send(response, 200, { 'content-type': 'application/json' }, JSON.stringify({ token, expires_in: tokenLifetime }))
  }

  #manifest(
    method: string,
    repository: string,
    target: string,
    { headers }: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array,
  ): void {
    const key = target.includes(':') ? `${repository}@${target}` : `${repository}:${target}`
    if (method === 'PUT') {
      const digest = digestOf(body)
      if (target.includes(':') && target !== digest) return refuse(response, 400, 'DIGEST_INVALID')
      const type = headers['content-type'] ?? ''
      for (const name of [key, `${repository}@${digest}`]) this.manifests.set(name, { bytes: body, type })
      const subject = subjectOf(body)
      const taken: Record<string, string> = subject === undefined || this.#options.referrers === false ? {} : { 'oci-subject': subject }
      return send(response, 201, { 'docker-content-digest': digest, location: `/v2/${repository}/manifests/${digest}`, ...taken })
    }
    const stored = this.manifests.get(key)
    if (stored === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN')
    if (method === 'DELETE') {
      for (const [name, other] of this.manifests) {
        const isSame = target.includes(':') && name.startsWith(`${repository}:`) && digestOf(other.bytes) === target
        if (name === key || isSame) this.manifests.delete(name)
      }
      return send(response, 202)
    }
    send(response, 200, { 'content-type': stored.type, 'docker-content-digest': digestOf(stored.bytes) }, stored.bytes, method)
  }

  #blob(method: string, repository: string, digest: string, response: ServerResponse): void {
    const stored = this.blobs.get(`${repository}@${digest}`)
    if (stored === undefined) return refuse(response, 404, 'BLOB_UNKNOWN')
    send(response, 200, { 'content-type': 'application/octet-stream' }, stored, method)
  }

  #upload(method: string, repository: string, url: URL, { headers }: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
    if (method === 'POST') {
      const mount = url.searchParams.get('mount')
      const from = this.blobs.get(`${url.searchParams.get('from') ?? ''}@${mount ?? ''}`)
      if (mount !== null && from !== undefined) {
        this.blobs.set(`${repository}@${mount}`, from)
        return send(response, 201, { location: `/v2/${repository}/blobs/${mount}` })
      }
      const id = randomUUID()
      this.#uploads.set(id, new Uint8Array())
      return send(response, 202, { location: `/v2/${repository}/blobs/uploads/${id}?state=0` })
    }
    const id = url.pathname.split('/').at(-1) ?? ''
    const held = this.#uploads.get(id)
    if (held === undefined) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN')
    const where = { location: `/v2/${repository}/blobs/uploads/${id}?state=${held.length}`, range: `0-${Math.max(held.length - 1, 0)}` }
    if (method === 'GET') return send(response, 204, where)
    if (method === 'PATCH') {
      const start = Number(/^([0-9]+)-/.exec(headers['content-range'] ?? '0-')?.[1])
      if (start !== held.length) return send(response, 416, where)
    }
    const all = Buffer.concat([held, body])
    this.#uploads.set(id, all)
    if (method === 'PATCH') {
      const location = `/v2/${repository}/blobs/uploads/${id}?state=${all.length}`
      return send(response, 202, { location, range: `0-${Math.max(all.length - 1, 0)}` })
    }
    const digest = url.searchParams.get('digest') ?? ''
    if (digestOf(all) !== digest) return refuse(response, 400, 'DIGEST_INVALID')
    this.#uploads.delete(id)
    this.blobs.set(`${repository}@${digest}`, all)
    send(response, 201, { location: `/v2/${repository}/blobs/${digest}` })
  }

  #referrers(repository: string, digest: string, url: URL, response: ServerResponse): void {
    const found: object[] = []
    for (const [name, { bytes, type }] of this.manifests) {
      if (!name.startsWith(`${repository}@`) || subjectOf(bytes) !== digest) continue
      const { artifactType, annotations, config } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, { mediaType?: string }>
      found.push({
        mediaType: type,
        digest: digestOf(bytes),
        size: bytes.length,
        artifactType: artifactType ?? config?.mediaType,
        ...(annotations === undefined ? {} : { annotations }),
      })
    }
    const { page, next } = this.#page(found, url)
    const body = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: page })
    send(response, 200, { 'content-type': ociIndex, ...next }, body)
  }

  #tags(repository: string, url: URL, response: ServerResponse): void {
    const tags = [...this.manifests.keys()].flatMap((name) =>
      name.startsWith(`${repository}:`) ? [name.slice(repository.length + 1)] : [],
    )
    if (tags.length === 0) return refuse(response, 404, 'NAME_UNKNOWN')
    const { page, next } = this.#page(tags.sort(), url)
    send(response, 200, { 'content-type': 'application/json', ...next }, JSON.stringify({ name: repository, tags: page }))
  }

  #page<T>(all: readonly T[], url: URL): { readonly page: readonly T[]; readonly next: Record<string, string> } {
    const { pageSize = all.length } = this.#options
    const start = Number(url.searchParams.get('start') ?? 0)
    const end = start + pageSize
    const next: Record<string, string> = end < all.length ? { link: `<${url.pathname}?start=${end}>; rel="next"` } : {}
    return { page: all.slice(start, end), next }
  }
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function subjectOf(bytes: Uint8Array): string | undefined {
  try {
    const { subject } = JSON.parse(Buffer.from(bytes).toString()) as { subject?: { digest?: string } }
    return subject?.digest
  } catch {
    return undefined
  }
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
  method = 'GET',
): void {
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': String(Buffer.byteLength(body)) }) })
  response.end(method === 'HEAD' || status === 204 ? undefined : body)
}

function refuse(response: ServerResponse, status: number, code: string, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] })
  send(response, status, { 'content-type': 'application/json', ...headers }, body)
}
