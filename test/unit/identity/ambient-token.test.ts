/** Identity tokens that a place offers: which, in which order, and what is said when there is none. */
import { generateKeyPairSync, verify } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp2 } from 'node:http2'
import type { Http2Server } from 'node:http2'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ambientToken, listTokenSources, tokenSourceNames } from '../../../src/identity/ambient-token.ts'
import type { AmbientTokenOptions } from '../../../src/identity/ambient-token.ts'
import { missingPermission } from '../../../src/identity/missing-permission.ts'
import { projectedTokenFile } from '../../../src/identity/sources/projected-file.ts'
import { temporaryFolder, unsignedToken } from '../../support/token-services.ts'
import { startServer } from '../http/test-server.ts'

const secret = 'a-secret-of-the-job'

const token = unsignedToken({ sub: 'somebody', aud: 'sigstore' })
const another = unsignedToken({ sub: 'somebody else', aud: 'sigstore' })

function tokenIn(
  env: Record<string, string>,
  { files = {}, ...more }: Partial<AmbientTokenOptions> & { files?: Record<string, string> } = {},
): Promise<string | undefined> {
  return ambientToken({ env, systemRoot: systemWith(files), ...more })
}

/** A system that has these files. */
function systemWith(files: Readonly<Record<string, string>>): string {
  const systemRoot = temporaryFolder()
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(path.join(systemRoot, path.dirname(name)), { recursive: true })
    writeFileSync(path.join(systemRoot, name), contents)
  }
  return systemRoot
}

async function failureOf(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error) || !('code' in error)) throw new Error('it did not fail')
  expect(error.message).not.toContain(secret)
  return { code: String(error.code), message: error.message }
}

it('nowhere is none', async () => {
  expect(await tokenIn({})).toBeUndefined()
})

describe('the environment', () => {
  it('has SIGSTORE_ID_TOKEN', async () => {
    expect(await tokenIn({ SIGSTORE_ID_TOKEN: `${token}\n` })).toBe(token)
    expect(await tokenIn({ SIGSTORE_ID_TOKEN: '' })).toBeUndefined()
  })

  it('has the token of a CircleCI job, there only', async () => {
    expect(await tokenIn({ CIRCLECI: 'true', CIRCLE_OIDC_TOKEN_V2: token, CIRCLE_OIDC_TOKEN: another })).toBe(token)
    expect(await tokenIn({ CIRCLE_OIDC_TOKEN_V2: token })).toBeUndefined()
  })

  it('comes before the place: the first that offers a token decides', async () => {
    expect(await tokenIn({ SIGSTORE_ID_TOKEN: token, CIRCLECI: 'true', CIRCLE_OIDC_TOKEN_V2: another })).toBe(token)
  })
})

describe('GitHub Actions', () => {
  async function github(answer: string, status = 200) {
    const seen: { url: string; authorization: string }[] = []
    const server = await startServer((request, response) => {
      seen.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '' })
      response.writeHead(status).end(answer)
    })
    const env = {
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    }
    return { env, seen }
  }

  it('gives a token for the audience sigstore', async () => {
    const { env, seen } = await github(JSON.stringify({ count: 1, value: token }))
    expect(await tokenIn(env)).toBe(token)
    expect(seen).toEqual([{ url: '/token?api-version=2.0&audience=sigstore', authorization: `bearer ${secret}` }])
  })

  it.each([
    ['{"value":""}', 200, 'its answer has no value'],
    ['not json eyJhbGciOi', 200, 'its answer has no value'],
    [`{"message":"${secret}"}`, 401, 'answered 401'],
  ])('that answers %s gives none', async (answer, status, reason) => {
    const { env } = await github(answer, status)
    const { code, message } = await failureOf(tokenIn(env))
    expect(code).toBe('SIGN_IN_FAILED')
    expect(message).toContain('fetching ambient OIDC credentials: GitHub Actions gave no identity token: ')
    expect(message).toContain(reason)
    expect(message).not.toContain('eyJ')
  })

  it('is not passed over for another identity when it fails', async () => {
    const { env } = await github('{}')
    await failureOf(tokenIn({ ...env, CIRCLECI: 'true', CIRCLE_OIDC_TOKEN_V2: another }))
  })

  it('without its permission says which', () => {
    expect(missingPermission({ GITHUB_ACTIONS: 'true', CI: 'true' })).toContain(
      'lacks the permission id-token: write; add "permissions: id-token: write"',
    )
  })
})

describe('Buildkite', () => {
  it('gives a token for its job', async () => {
    const seen: string[] = []
    const server = await startServer((request, response) => {
      request.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
        response.end(JSON.stringify({ token }))
      })
    })
    const env = { BUILDKITE_AGENT_ACCESS_TOKEN: secret, BUILDKITE_JOB_ID: 'job/1', BUILDKITE_AGENT_ENDPOINT: `${server.origin}/v3/` }
    expect(await tokenIn(env)).toBe(token)
    expect(seen).toEqual(['{"audience":"sigstore"}', `POST /v3/jobs/job%2F1/oidc/tokens Token ${secret}`])
  })
})

describe('Google Cloud', () => {
  const asked = '/computeMetadata/v1/instance/service-accounts/default/identity?audience=sigstore&format=full'

  async function metadata(flavor = 'Google') {
    const server = await startServer((request, response) => {
      if (request.headers['metadata-flavor'] !== 'Google') return void response.writeHead(403).end()
      response.setHeader('metadata-flavor', flavor)
      response.end(request.url === asked ? token : '{}')
    })
    return { server, env: { GCE_METADATA_HOST: `127.0.0.1:${server.port}` } }
  }

  it.each(['google-workload-identity', 'google'])(
    'gives the token of the service account that a machine runs as, by the name %s',
    async (provider) => {
      expect(await tokenIn((await metadata()).env, { provider })).toBe(token)
    },
  )

  it('is recognised by its machines, which are asked nothing before', async () => {
    const { server, env } = await metadata()
    const product = (text: string) => ({ files: { '/sys/class/dmi/id/product_name': text } })
    expect(await tokenIn({}, product('Standard PC\n'))).toBeUndefined()
    const sources = await listTokenSources({ env: {}, systemRoot: systemWith(product('Google Compute Engine\n').files) })
    expect(sources.filter(({ isOffered }) => isOffered)).toEqual([{ name: 'google-workload-identity', isOffered: true }])
    expect(await listTokenSources({ env })).toContainEqual({ name: 'google-workload-identity', isOffered: true })
    expect(server.requests).toEqual([])
  })

  it('answers for itself: whoever else answers is not believed', async () => {
    expect((await failureOf(tokenIn((await metadata('other')).env))).message).toContain("it is not Google's metadata server")
  })

  it('is asked past every proxy, which would see the token', async () => {
    const { env } = await metadata()
    expect(await tokenIn({ ...env, HTTP_PROXY: 'http://127.0.0.1:9' })).toBe(token)
  })

  it('says what to do where the machine runs as nobody', async () => {
    const server = await startServer((_, response) => response.writeHead(404).end())
    const { message } = await failureOf(tokenIn({ GCE_METADATA_HOST: `127.0.0.1:${server.port}` }))
    expect(message).toContain('this machine runs as no service account; give it one, or pass it over with --oidc-disable-ambient-providers')
  })

  it('cannot be impersonated without an access token', async () => {
    const env = { ...(await metadata()).env, GOOGLE_SERVICE_ACCOUNT_NAME: 'signer@project.iam.gserviceaccount.com' }
    expect((await failureOf(tokenIn(env, { provider: 'google-impersonate' }))).message).toContain('its answer has no access_token')
  })
})

describe('the credentials that programs use by default on Google Cloud', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const file = '/secrets/credentials.json'

  /** Google's endpoints: one that gives access for credentials, one that gives identity tokens for access. */
  async function google() {
    const forms: URLSearchParams[] = []
    const server = await startServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        if (request.url === '/token') {
          forms.push(new URLSearchParams(Buffer.concat(chunks).toString()))
          return response.end(JSON.stringify({ access_token: secret }))
        }
        return request.headers.authorization === `Bearer ${secret}`
          ? response.end(JSON.stringify({ token }))
          : response.writeHead(401).end()
      })
    })
    const env = {
      GOOGLE_SERVICE_ACCOUNT_NAME: 'signer@project.iam.gserviceaccount.com',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: server.origin,
    }
    return { env, forms, tokenUri: `${server.origin}/token` }
  }

  it('are a service account key in the file that is named', async () => {
    const { env, forms, tokenUri } = await google()
    const credentials = { type: 'service_account', client_email: 'builder@project.example', private_key: pem, token_uri: tokenUri }
    expect(await tokenIn({ ...env, GOOGLE_APPLICATION_CREDENTIALS: file }, { files: { [file]: JSON.stringify(credentials) } })).toBe(token)
    expect(forms[0]?.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [header = '', claims = '', signature = ''] = (forms[0]?.get('assertion') ?? '').split('.')
    expect(verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ iss: 'builder@project.example', aud: tokenUri })
  })

  it('are what gcloud keeps for a person', async () => {
    const { env, forms, tokenUri } = await google()
    const credentials = { type: 'authorized_user', client_id: 'gcloud', client_secret: 's', refresh_token: 'r', token_uri: tokenUri }
    const files = { '/home/me/.config/gcloud/application_default_credentials.json': JSON.stringify(credentials) }
    expect(await tokenIn({ ...env, HOME: '/home/me' }, { files })).toBe(token)
    expect(Object.fromEntries(forms[0] ?? [])).toEqual({
      grant_type: 'refresh_token',
      client_id: 'gcloud',
      client_secret: 's',
      refresh_token: 'r',
    })
  })

  const account = { type: 'service_account', client_email: 'builder@project.example', private_key: pem }
  it.each([
    ['a file that is not there', undefined, 'credentials.json cannot be read: ENOENT'],
    ['no JSON', `{"private_key":"${secret}`, 'should hold credentials for Google Cloud in JSON, and does not'],
    [
      'another kind',
      JSON.stringify({ type: 'external_account' }),
      'credentials of the type "external_account", expected service_account or authorized_user',
    ],
    ['no kind', '{}', 'credentials of no type'],
    [
      'a key that is none',
      JSON.stringify({ ...account, private_key: secret }),
      'private_key in /secrets/credentials.json should be an RSA key in PEM',
    ],
    ['no name', JSON.stringify({ ...account, client_email: 7 }), 'should hold client_email, and does not'],
    [
      'an endpoint that would see the secret',
      JSON.stringify({ ...account, token_uri: 'http://192.0.2.1/token' }),
      'should be an https:// address',
    ],
  ])('are refused in one sentence: %s', async (_, contents, reason) => {
    const { env, forms } = await google()
    const files: Record<string, string> = contents === undefined ? {} : { [file]: contents }
    const { message } = await failureOf(tokenIn({ ...env, GOOGLE_APPLICATION_CREDENTIALS: file }, { files }))
    expect(message).toContain(reason)
    expect(message).not.toContain('PRIVATE KEY')
    expect(forms).toEqual([])
  })
})

describe('a projected file', () => {
  it('is read, and trimmed', async () => {
    expect(await tokenIn({}, { files: { [projectedTokenFile]: `${token}\n` } })).toBe(token)
  })

  it('that is empty is no token', async () => {
    expect((await failureOf(tokenIn({}, { files: { [projectedTokenFile]: '\n' } }))).message).toContain('holds no identity token')
  })
})

describe('a SPIFFE agent', () => {
  /** An agent that answers with these bytes. */
  async function agent(
    answer: (audience: Buffer) => Buffer | { readonly status: string },
  ): Promise<{ env: Record<string, string>; headers: Record<string, unknown>[] }> {
    const folder = mkdtempSync(path.join(tmpdir(), 'countersign-spiffe-'))
    const socket = path.join(folder, 'agent.sock')
    const headers: Record<string, unknown>[] = []
    const server: Http2Server = createHttp2()
    server.on('stream', (stream, received) => {
      headers.push({ ...received })
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const message = answer(Buffer.concat(chunks).subarray(5))
        if (!Buffer.isBuffer(message)) {
          stream.respond(
            { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': message.status, 'grpc-message': 'no identity issued' },
            { endStream: true },
          )
          return
        }
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
        const prefix = Buffer.alloc(5)
        prefix.writeUInt32BE(message.length, 1)
        stream.end(Buffer.concat([prefix, message]))
      })
    })
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    onTestFinished(async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()))
      rmSync(folder, { recursive: true, force: true })
    })
    return { env: { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` }, headers }
  }

  const field = (number: number, value: Buffer): Buffer => {
    const length = value.length < 128 ? [value.length] : [(value.length & 127) | 128, value.length >> 7]
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), value])
  }

  it('gives a JWT-SVID for the audience, to whoever shows that it is no browser', async () => {
    const long = unsignedToken({ sub: 'x'.repeat(300), aud: ['sigstore', 'others'] })
    const asked: string[] = []
    const { env, headers } = await agent((audience) => {
      asked.push(audience.toString())
      const svid = (id: string, token: string): Buffer => field(1, Buffer.concat([field(1, Buffer.from(id)), field(2, Buffer.from(token))]))
      return Buffer.concat([svid('spiffe://example.org/signer', long), svid('spiffe://example.org/other', 'second')])
    })
    expect(await tokenIn(env)).toBe(long)
    expect(asked).toEqual(['\n\bsigstore'])
    expect(headers[0]).toMatchObject({ ':path': '/SpiffeWorkloadAPI/FetchJWTSVID', 'workload.spiffe.io': 'true', te: 'trailers' })
  })

  it.each([
    ['refuses', () => ({ status: '7' }), 'was refused with status 7: "no identity issued"'],
    ['answers nothing', () => Buffer.alloc(0), 'its answer has none'],
    ['answers nonsense', () => Buffer.from([0x0a, 0xff, 0xff, 0x01]), 'answered what is no protobuf message'],
  ])('that %s gives none', async (_, answer, reason) => {
    const { env } = await agent(answer)
    expect((await failureOf(tokenIn(env))).message).toContain(reason)
  })

  it('that is not there is named', async () => {
    expect((await failureOf(tokenIn({ SPIFFE_ENDPOINT_SOCKET: '/nonexistent/agent.sock' }))).message).toContain(
      'could not reach /nonexistent/agent.sock',
    )
    expect((await failureOf(tokenIn({ SPIFFE_ENDPOINT_SOCKET: 'tcp://192.0.2.1:1' }))).message).toContain(
      'should be the absolute path of a Unix socket',
    )
  })
})

describe('a variable that cannot be right', () => {
  it.each([
    [{ SIGSTORE_ID_TOKEN: 'nonsense' }, 'SIGSTORE_ID_TOKEN gave no identity token: what it gave is not a JSON Web Token'],
    [
      { ACTIONS_ID_TOKEN_REQUEST_URL: 'nonsense', ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret },
      'ACTIONS_ID_TOKEN_REQUEST_URL should be an http:// or https:// address',
    ],
    [{ BUILDKITE_AGENT_ACCESS_TOKEN: secret }, 'BUILDKITE_JOB_ID, which names the job, is not'],
    [
      { BUILDKITE_AGENT_ACCESS_TOKEN: secret, BUILDKITE_JOB_ID: '1', BUILDKITE_AGENT_ENDPOINT: 'file:///x' },
      'BUILDKITE_AGENT_ENDPOINT should be',
    ],
    [{ GCE_METADATA_HOST: 'two words' }, 'GCE_METADATA_HOST should be'],
    [
      { GOOGLE_SERVICE_ACCOUNT_NAME: 'a', CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: 'x' },
      'CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS should be',
    ],
  ])('%o is named', async (env, reason) => {
    expect((await failureOf(tokenIn(env))).message).toContain(reason)
  })
})

describe('a provider by name', () => {
  it('is the only one asked', async () => {
    expect(await tokenIn({ SIGSTORE_ID_TOKEN: token }, { provider: 'envvar' })).toBe(token)
    expect((await failureOf(tokenIn({ SIGSTORE_ID_TOKEN: token }, { provider: 'github-actions' }))).message).toContain('id-token: write')
    expect((await failureOf(tokenIn({ SIGSTORE_ID_TOKEN: token }, { provider: 'filesystem' }))).message).toContain(projectedTokenFile)
  })

  it('must exist', async () => {
    const { code, message } = await failureOf(tokenIn({}, { provider: 'nonsense' }))
    expect(code).toBe('USAGE')
    expect(message).toContain(tokenSourceNames.join(', '))
  })
})

describe('in CI without a token', () => {
  it.each([
    ['GITLAB_CI', 'id_tokens'],
    ['CIRCLECI', 'context'],
    ['BUILDKITE', 'BUILDKITE_AGENT_ACCESS_TOKEN'],
    ['CF_BUILD_ID', 'obtain-oidc-id-token'],
    ['CI', '--identity-token or SIGSTORE_ID_TOKEN'],
    ['JENKINS_URL', '--identity-token or SIGSTORE_ID_TOKEN'],
  ])('with %s, the sentence says what is missing', (variable, words) => {
    expect(missingPermission({ [variable]: 'true' })).toContain(words)
  })

  it('is nothing to say elsewhere', () => {
    expect(missingPermission({})).toBeUndefined()
    expect(missingPermission({ CI: 'false' })).toBeUndefined()
  })
})
