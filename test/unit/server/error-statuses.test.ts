/** What clients of every service are told when something fails before, in or behind it: statuses that they retry, and those they do not. */
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeSubmission } from '../../../src/api/certificate-transparency.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import type { ErrorCode } from '../../../src/error.ts'
import { CountersignError, DecodingError, VerificationError } from '../../../src/error.ts'
import { createCtLog } from '../../../src/server/ctlog/ct-log.ts'
import { createMetrics } from '../../../src/server/metrics.ts'
import type { Origin } from '../../../src/server/origin.ts'
import { createOrigin } from '../../../src/server/origin.ts'
import { createRekorV1 } from '../../../src/server/rekor/rekor-v1.ts'
import { createRekorV2 } from '../../../src/server/rekor/rekor-v2.ts'
import { silentLog } from '../../../src/server/request-log.ts'
import { createSearch } from '../../../src/server/search/search.ts'
import type { Service } from '../../../src/server/service.ts'
import type { Storage } from '../../../src/server/storage/storage.ts'
import { openStorage } from '../../../src/server/storage/storage.ts'
import type { SignatureChecker } from '../../../src/server/threads/signature-check.ts'
import type { TileLog } from '../../../src/server/tile-log/log.ts'
import { createTimestampAuthority } from '../../../src/server/tsa/timestamp-authority.ts'
import { createWeb } from '../../../src/server/web/web.ts'
import { parseCertificate } from '../../../src/x509/certificate.ts'
import { privateKeyOf, timestampAuthorityOf } from '../../support/authority.ts'
import { proofRequest, testCa } from '../../support/certificate-authority.ts'
import { preChain } from '../../support/ct.ts'
import { signerOf, testShard } from '../../support/rekor.ts'
import { pemOf } from '../../support/universe/certificates.ts'
import { digestOf, keyDetailsOf } from '../../support/universe/keys.ts'
import { signBlob } from '../../support/universe/sign.ts'
import { universeOf } from '../../support/universe/services.ts'

/**
 * Where a code can come from while a request is answered: what the client sent (malformed, or well-formed and wrong), what is behind the
 * service, or nothing at all: those are of clients and of the command line. A new code needs a line here.
 */
const occurrences = {
  ENCODING_INVALID: 'malformed',
  DER_INVALID: 'malformed',
  JSON_INVALID: 'malformed',
  PEM_INVALID: 'malformed',
  TOO_LARGE: 'too large',
  KEY_INVALID: 'malformed',
  KEY_UNSUPPORTED: 'malformed',
  CERTIFICATE_INVALID: 'malformed',
  SCT_INVALID: 'malformed',
  TIMESTAMP_INVALID: 'malformed',
  NOTE_INVALID: 'malformed',
  CHECKPOINT_INVALID: 'malformed',
  TILE_INVALID: 'malformed',
  BUNDLE_INVALID: 'malformed',
  STATEMENT_INVALID: 'malformed',
  LOG_ENTRY_INVALID: 'malformed',
  TRUSTED_ROOT_INVALID: 'elsewhere',
  SIGNING_CONFIG_INVALID: 'elsewhere',
  POLICY_INVALID: 'elsewhere',
  MANIFEST_INVALID: 'elsewhere',
  SIGNATURE_INVALID: 'wrong',
  ARTIFACT_MISMATCH: 'elsewhere',
  ARTIFACT_REQUIRED: 'elsewhere',
  CERTIFICATE_UNTRUSTED: 'wrong',
  CERTIFICATE_EXPIRED: 'elsewhere',
  SCT_UNVERIFIED: 'elsewhere',
  TIMESTAMP_UNVERIFIED: 'wrong',
  TIME_UNVERIFIED: 'elsewhere',
  LOG_ENTRY_MISMATCH: 'elsewhere',
  LOG_ENTRY_UNVERIFIED: 'elsewhere',
  INCLUSION_PROOF_INVALID: 'elsewhere',
  CONSISTENCY_PROOF_INVALID: 'elsewhere',
  IDENTITY_MISMATCH: 'elsewhere',
  KEY_MISMATCH: 'elsewhere',
  PREDICATE_TYPE_MISMATCH: 'elsewhere',
  TUF_UNVERIFIED: 'elsewhere',
  REQUEST_INVALID: 'malformed',
  REQUEST_REFUSED: 'elsewhere',
  NOT_FOUND: 'elsewhere',
  CONFLICT: 'elsewhere',
  TOKEN_INVALID: 'elsewhere',
  CSR_INVALID: 'malformed',
  CLOCK_SUSPECT: 'elsewhere',
  LOG_OVERLOADED: 'overloaded',
  LOG_FROZEN: 'frozen',
  LOG_ROLLED_BACK: 'broken',
  LOG_CORRUPT: 'broken',
  TUF_ROLLED_BACK: 'broken',
  STORAGE_FAILED: 'broken',
  CONFIGURATION_INVALID: 'broken',
  SERVICE_REFUSED: 'broken',
  SIGN_IN_FAILED: 'elsewhere',
  KEY_DECRYPTION_FAILED: 'broken',
  USAGE: 'broken',
  FILE_UNREADABLE: 'broken',
  FILE_UNWRITABLE: 'broken',
  NETWORK_FAILED: 'broken',
  TRUST_ROOT_UNAVAILABLE: 'elsewhere',
  CONTENT_MISMATCH: 'elsewhere',
  ABORTED: 'broken',
} as const satisfies Record<ErrorCode, string>

type Occurrence = (typeof occurrences)[ErrorCode]
const codesOf = (...wanted: readonly Occurrence[]): ErrorCode[] =>
  (Object.keys(occurrences) as ErrorCode[]).filter((code) => wanted.includes(occurrences[code]))

const detail = 'at 10.0.0.1'
function errorOf(code: ErrorCode): CountersignError {
  if (occurrences[code] === 'malformed') return new DecodingError(code, detail)
  return occurrences[code] === 'wrong' ? new VerificationError(code, detail) : new CountersignError(code, detail)
}

const universe = universeOf({ name: 'statuses', rootKey: 'p256', issuingKey: 'p256' })
const posts = {
  'Fulcio v2': '/api/v2/signingCert',
  'Fulcio v1': '/api/v1/signingCert',
  'CT add-chain': '/ct/ct/v1/add-chain',
  'CT add-pre-chain': '/ct/ct/v1/add-pre-chain',
  'Rekor v1': '/api/v1/log/entries',
  'Rekor v1 retrieve': '/api/v1/log/entries/retrieve',
  'Rekor v1 index': '/api/v1/index/retrieve',
  'Rekor v2': '/api/v2/log/entries',
  'timestamp authority': '/api/v1/timestamp',
} as const
type Post = keyof typeof posts
const allPosts = Object.keys(posts) as Post[]
type GoodPost = 'Fulcio v2' | 'CT add-pre-chain' | 'Rekor v1' | 'Rekor v2' | 'timestamp authority'

interface Failing {
  /** What the log does, whatever it is asked. */
  readonly log?: () => unknown
  /** What the threads do that check signatures and make timestamps. */
  readonly threads?: () => unknown
}

let token: string
let storage: Storage

beforeAll(async () => {
  const ca = await testCa({ universe })
  token = ca.issuer.token({ email: 'dev@example.com', email_verified: true })
  await ca.close()
  storage = await openStorage({ kind: 'memory' }, { clock: () => universe.time })
})

/** All services on one origin, of which something is broken. */
async function originWith({ log: answer = unexpected, threads }: Failing = {}): Promise<Origin> {
  const failing = (id: string, origin: string): TileLog => {
    const fail = async (): Promise<never> => {
      throw answer()
    }
    const parts = {
      add: fail,
      head: fail,
      entries: fail,
      leaves: fail,
      indexOfLeafHash: fail,
      proveInclusion: fail,
      proveConsistency: fail,
    }
    return { id, origin, state: 'active', ...parts, rootHash: fail, tile: fail, close: async () => {} }
  }
  const work = async (): Promise<never> => {
    throw threads?.()
  }
  const checking: { checkSignature?: SignatureChecker } = threads === undefined ? {} : { checkSignature: work }
  const ctSigner = privateKeyOf(universe.ctLog).createSigner()
  const ctLog = createCtLog({
    log: failing('ctlog-1', 'sigstore.universe.test/ct'),
    signer: ctSigner,
    acceptedRoots: [parseCertificate(universe.root.der)],
    documents: storage.documents,
    prefix: '/ct',
  })
  const ca = await testCa({
    universe,
    log: { addPreChain: (chain) => ctLog.addPreChain(chain) },
    logKey: parsePublicKey(universe.ctLog.spki),
    ...(threads === undefined ? {} : { signIfValid: work }),
  })
  const { shard } = await testShard(universe)
  const v1 = failing('rekor-v1-1', shard.log.origin)
  const v2 = failing('rekor-v2-1', new URL(universe.tiles.baseUrl).hostname)
  const search = createSearch({ logs: [{ log: v2, api: 'rekor-v2', firstIndex: 0n }], terms: storage.terms })
  const timestamps = createTimestampAuthority({
    ...timestampAuthorityOf(),
    clock: () => universe.time,
    suspicion: () => undefined,
    ...(threads === undefined ? {} : { threads: { openTask: () => work, signing: () => unexpected() } }),
  })
  const services: Service[] = [
    ctLog,
    ca.service,
    createRekorV1({ active: { ...shard, log: v1 }, terms: storage.terms, ...checking }),
    createRekorV2({ log: v2, publicKey: signerOf(universe.tiles.key).publicKey, ...checking }),
    timestamps,
    search,
  ]
  return createOrigin({
    services,
    readiness: [],
    log: silentLog,
    metrics: createMetrics(),
    serveMetrics: false,
    clock: () => universe.time,
    behindProxy: false,
    rateLimit: undefined,
  })
}

function unexpected(): never {
  throw new Error('nothing behind the service is asked')
}

/** A request whose body fails to arrive. */
function postFailing(origin: Origin, path: string, error: unknown): Promise<Response> | Response {
  const body = new ReadableStream({ start: (controller) => controller.error(error) })
  const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } } as RequestInit
  return origin.fetch(new Request(`http://localhost${path}`, init))
}

const signed = signBlob({ universe, log: 'none' }, Buffer.from('an artifact'))
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const digest = digestOf('sha256', signed.artifact)

/** Requests that come as far as they can. */
const good: Readonly<Record<GoodPost, () => string | Uint8Array>> = {
  'Fulcio v2': () => JSON.stringify(proofRequest(token, 'dev@example.com')),
  'CT add-pre-chain': () => encodeSubmission(preChain(universe, 1)),
  'Rekor v1': () => {
    const hash = { algorithm: 'sha256', value: Buffer.from(digest).toString('hex') }
    const signature = { content: base64(signed.signature), publicKey: { content: base64(pemOf(signed.certificate)) } }
    return JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec: { data: { hash }, signature } })
  },
  'Rekor v2': () => {
    const verifier = { x509Certificate: { rawBytes: base64(signed.certificate) }, keyDetails: keyDetailsOf(signed.key.kind) }
    const signature = { content: base64(signed.signature), verifier }
    return JSON.stringify({ hashedRekordRequestV002: { digest: base64(digest), signature } })
  },
  'timestamp authority': () => JSON.stringify({ artifactHash: base64(digest), hashAlgorithm: 'sha256' }),
}

function postGood(origin: Origin, service: GoodPost): Promise<Response> | Response {
  const init = { method: 'POST', body: good[service](), headers: { 'content-type': 'application/json' } }
  return origin.fetch(new Request(`http://localhost${posts[service]}`, init))
}

/** That the client is told to come again, in the form of its service. */
async function expectRetry(response: Response): Promise<void> {
  const text = await response.text()
  expect([response.status, Number(response.headers.get('retry-after'))], text).toEqual([503, expect.any(Number)])
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  if (response.headers.get('content-type') === 'application/json') expect(JSON.parse(text)).toHaveProperty('message')
}

describe.each(allPosts)('%s', (service) => {
  const path = posts[service]
  const hasOwnWords = service.startsWith('Fulcio') || service === 'timestamp authority'
  const tooLarge = hasOwnWords ? 400 : 413

  test.each(hasOwnWords ? codesOf('malformed') : codesOf('malformed', 'wrong'))("%s is the client's mistake", async (code) => {
    const response = await postFailing(await originWith(), path, errorOf(code))
    expect(response.status, await response.text()).toBe(400)
    expect(response.headers.get('retry-after')).toBeNull()
  })

  test('a request that is too large is said to be', async () => {
    expect((await postFailing(await originWith(), path, errorOf('TOO_LARGE'))).status).toBe(tooLarge)
  })

  test('a client that went away made a mistake', async () => {
    expect((await postFailing(await originWith(), path, new Error('reset'))).status).toBe(400)
  })

  test('too much that is being received is to be sent again', async () => {
    await expectRetry(await postFailing(await originWith(), path, errorOf('LOG_OVERLOADED')))
  })
})

test.each(['Fulcio v2', 'Rekor v1', 'Rekor v2', 'timestamp authority'] as const)(
  'behind %s threads that have too much to do are asked again',
  async (service) => {
    await expectRetry(await postGood(await originWith({ threads: () => errorOf('LOG_OVERLOADED') }), service))
  },
)

describe.each(['Fulcio v2', 'CT add-pre-chain', 'Rekor v1', 'Rekor v2'] as const)('behind %s', (service) => {
  test('a log that has too much to do is asked again', async () => {
    await expectRetry(await postGood(await originWith({ log: () => errorOf('LOG_OVERLOADED') }), service))
  })

  test('a log that takes nothing more is not', async () => {
    const response = await postGood(await originWith({ log: () => errorOf('LOG_FROZEN') }), service)
    const expected = { 'Fulcio v2': 500, 'CT add-pre-chain': 410, 'Rekor v1': 405, 'Rekor v2': 405 }[service]
    expect([response.status, response.headers.get('retry-after')]).toEqual([expected, null])
  })

  test.each([...codesOf('broken'), 'a mistake of ours' as const])('%s is an error of the server, and stays its own', async (code) => {
    const error = code === 'a mistake of ours' ? new TypeError(detail) : errorOf(code)
    const response = await postGood(await originWith({ log: () => error }), service)
    const text = await response.text()
    expect(response.status, text).toBe(500)
    expect(text).not.toContain(detail)
  })
})

describe.each([
  '/ct/ct/v1/get-sth',
  '/ct/ct/v1/get-entries?start=0&end=1',
  '/ct/checkpoint',
  '/ct/tile/0/000.p/1',
  '/api/v1/log',
  '/api/v1/log/entries?logIndex=0',
  `/api/v1/log/entries/${'0'.repeat(64)}`,
  '/api/v1/log/proof?lastSize=1',
  '/api/v2/checkpoint',
  '/api/v2/tile/entries/000.p/1',
  '/api/search?index=0',
])('what cannot be read at %s', (path) => {
  test.each([...codesOf('broken'), 'a mistake of ours' as const])('for %s is an error of the server, and stays its own', async (code) => {
    const error = code === 'a mistake of ours' ? new TypeError(detail) : errorOf(code)
    const response = await (await originWith({ log: () => error })).fetch(new Request(`http://localhost${path}`))
    const text = await response.text()
    expect(response.status, text).toBe(500)
    expect(text).not.toContain(detail)
  })
})

test.each(codesOf('broken'))('the search page says that it does not work when %s is why', async (code) => {
  const { routes } = createWeb({
    server: { url: 'http://localhost', sections: [] } as unknown as Parameters<typeof createWeb>[0]['server'],
    search: () => Promise.reject(errorOf(code)),
  })
  const page = await routes.request('/search?q=dev@example.com')
  expect(page.status).toBe(503)
  expect(await page.text()).not.toContain(detail)
})
