/** What hands out identity tokens to jobs, machines and pods, on this machine: each well-behaved, or failing in one way. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** What jobs show to a service, and must appear nowhere else. */
export const jobSecret = 'a-secret-of-the-job'

/** A token with these claims; nobody checks its signature here. */
export function unsignedToken(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmVk`
}

/** The surroundings of a command: its environment, and where its system's files are. */
export interface Place {
  readonly env: Readonly<Record<string, string>>
  readonly systemRoot: string
}

/** How a service fails. */
export type Fault = 'wrong answer' | 'oversized answer' | 'no answer' | 'refusal' | 'redirect' | 'token for somebody else'

export interface TokenService {
  /** As `--oidc-provider` names it. */
  readonly provider: string
  /** The ways in which it can fail at all: a variable does not redirect. */
  readonly faults: readonly Fault[]
  /** Starts it until the test ends. */
  start(options: { readonly token: string; readonly fault?: Fault; readonly redirectTo?: string }): Promise<Place>
  /** What it says where it is missing. */
  readonly missing: string
}

const everyFault: readonly Fault[] = ['wrong answer', 'oversized answer', 'no answer', 'refusal', 'redirect', 'token for somebody else']
const oversized = 'x'.repeat(300 * 1024)

/** Every service that the command line knows. */
export const tokenServices: readonly TokenService[] = [
  {
    provider: 'filesystem',
    faults: ['wrong answer', 'oversized answer', 'no answer', 'refusal'],
    missing: '/var/run/sigstore/cosign/oidc-token cannot be read: ENOENT',
    async start({ token, fault }) {
      const systemRoot = temporaryFolder()
      const file = path.join(systemRoot, 'var/run/sigstore/cosign/oidc-token')
      mkdirSync(path.dirname(file), { recursive: true })
      if (fault === 'no answer') execFileSync('mkfifo', [file])
      // Nobody, the superuser included, reads through a link that leads to itself.
      else if (fault === 'refusal') symlinkSync('oidc-token', file)
      else writeFileSync(file, contents(token, fault))
      return Promise.resolve({ env: {}, systemRoot })
    },
  },
  variable('envvar', 'SIGSTORE_ID_TOKEN', {}),
  {
    provider: 'github-actions',
    faults: everyFault,
    missing: 'lacks the permission id-token: write',
    async start(options) {
      const origin = await startHttp(options, (request, response) => {
        const { searchParams } = new URL(request.url ?? '', 'http://localhost')
        const isRight = request.headers.authorization === `bearer ${jobSecret}` && searchParams.get('audience') === 'sigstore'
        return isRight ? json(response, { count: 1, value: options.token }) : void response.writeHead(401).end()
      })
      return place({ ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/token?api-version=2.0`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: jobSecret })
    },
  },
  variable('circleci', 'CIRCLE_OIDC_TOKEN_V2', { CIRCLECI: 'true' }),
  {
    provider: 'buildkite-agent',
    faults: everyFault,
    missing: 'BUILDKITE_AGENT_ACCESS_TOKEN is not set',
    async start(options) {
      const origin = await startHttp(options, (request, response) => {
        const isRight = request.url === '/v3/jobs/job%2F1/oidc/tokens' && request.headers.authorization === `Token ${jobSecret}`
        return isRight ? json(response, { token: options.token }) : void response.writeHead(401).end()
      })
      return place({
        BUILDKITE_AGENT_ACCESS_TOKEN: jobSecret,
        BUILDKITE_JOB_ID: 'job/1',
        BUILDKITE_AGENT_ENDPOINT: `${origin}/v3/`,
      })
    },
  },
  {
    provider: 'spiffe',
    faults: ['wrong answer', 'oversized answer', 'no answer', 'refusal', 'token for somebody else'],
    missing: 'could not reach ',
    async start({ token, fault }) {
      const systemRoot = temporaryFolder()
      const socket = path.join(systemRoot, 'tmp/spire-agent/public/api.sock')
      mkdirSync(path.dirname(socket), { recursive: true })
      await listenUntilTheEnd(createAgent(token, fault), socket)
      return { env: {}, systemRoot }
    },
  },
  {
    provider: 'google-workload-identity',
    faults: everyFault,
    missing: 'could not reach 127.0.0.1:9',
    async start(options) {
      const origin = await startHttp(options, (request, response) => {
        if (request.headers['metadata-flavor'] !== 'Google') return void response.writeHead(403).end()
        const { pathname, search } = new URL(request.url ?? '', 'http://localhost')
        const isRight = pathname === `${serviceAccount}/identity` && search === '?audience=sigstore&format=full'
        return isRight ? void response.end(`${options.token}\n`) : void response.writeHead(404).end()
      })
      return place({ GCE_METADATA_HOST: new URL(origin).host })
    },
  },
  {
    provider: 'google-impersonate',
    faults: everyFault,
    missing: 'GOOGLE_SERVICE_ACCOUNT_NAME should be set',
    async start(options) {
      const metadata = await startHttp({}, (request, response) => {
        const isRight = request.headers['metadata-flavor'] === 'Google' && request.url === `${serviceAccount}/token`
        return isRight ? json(response, { access_token: jobSecret, expires_in: 3599 }) : void response.writeHead(404).end()
      })
      const credentials = await startHttp(options, (request, response) => {
        const isRight =
          request.url === '/v1/projects/-/serviceAccounts/signer%40project.iam.gserviceaccount.com:generateIdToken' &&
          request.headers.authorization === `Bearer ${jobSecret}`
        return isRight ? json(response, { token: options.token }) : void response.writeHead(401).end()
      })
      return place({
        GCE_METADATA_HOST: new URL(metadata).host,
        GOOGLE_SERVICE_ACCOUNT_NAME: 'signer@project.iam.gserviceaccount.com',
        CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: `${credentials}/`,
      })
    },
  },
]

const serviceAccount = '/computeMetadata/v1/instance/service-accounts/default'

/** A folder that ends with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-tokens-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function place(env: Readonly<Record<string, string>>): Place {
  return { env, systemRoot: temporaryFolder() }
}

/** A token that stands in a variable. */
function variable(provider: string, name: string, around: Readonly<Record<string, string>>): TokenService {
  return {
    provider,
    faults: ['wrong answer', 'oversized answer'],
    missing: `${name} `,
    start: ({ token, fault }) => Promise.resolve(place({ ...around, [name]: contents(token, fault) })),
  }
}

function contents(token: string, fault: Fault | undefined): string {
  if (fault === 'wrong answer') return '<!doctype html>'
  return fault === 'oversized answer' ? oversized : `${token}\n`
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}

async function startHttp(
  { fault, redirectTo = '' }: { readonly fault?: Fault | undefined; readonly redirectTo?: string | undefined },
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const failing: RequestListener = (request, response) => {
    response.setHeader('metadata-flavor', 'Google')
    switch (fault) {
      case 'wrong answer':
        return void response.end('<!doctype html>')
      case 'oversized answer':
        return void response.end(oversized)
      case 'no answer':
        return undefined
      case 'refusal':
        return void response.writeHead(403).end(`{"message":"${jobSecret}"}`)
      case 'redirect':
        return void response.writeHead(307, { location: redirectTo }).end()
      default:
        return answer(request, response)
    }
  }
  const server = createServer((request, response) => {
    // A body that is not read would keep the connection open.
    request.resume()
    failing(request, response)
  })
  await listenUntilTheEnd(server, 0)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Starts a server on a port or a socket; with the test it ends, and so do its connections. */
async function listenUntilTheEnd(server: Server, where: number | string): Promise<void> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => {
    if (typeof where === 'string') server.listen(where, resolve)
    else server.listen(where, '127.0.0.1', resolve)
  })
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  )
}

/** A SPIFFE agent: gRPC, without TLS. */
function createAgent(token: string, fault: Fault | undefined): Server {
  const server = createHttp2()
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => undefined))
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined)
    if (fault === 'no answer') return
    const isRight = headers[':path'] === '/SpiffeWorkloadAPI/FetchJWTSVID' && headers['workload.spiffe.io'] === 'true'
    if (fault === 'refusal' || !isRight) {
      const refusal = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7', 'grpc-message': 'no identity issued' }
      stream.respond(refusal, { endStream: true })
      return
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(grpcMessage(svids(fault === 'oversized answer' ? oversized : fault === 'wrong answer' ? '<!doctype html>' : token)))
  })
  return server
}

function svids(token: string): Buffer {
  return field(1, Buffer.concat([field(1, Buffer.from('spiffe://example.org/signer')), field(2, Buffer.from(token))]))
}

function field(number: number, value: Buffer): Buffer {
  const length: number[] = []
  for (let rest = value.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), value])
}

function grpcMessage(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}
