/** The timestamp authority: RFC 3161 over HTTP, with the paths, forms and messages of Sigstore's. */
import { Hono } from 'hono'
import type { TimestampRequest } from '../../api/timestamp.ts'
import { timestampQueryType, timestampReplyType } from '../../api/timestamp.ts'
import type { LocalSigner } from '../../crypto/signer.ts'
import { encodePem } from '../../encoding/pem.ts'
import { CountersignError, DecodingError } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { Clock } from '../clock.ts'
import type { Exchange, ExchangeAnswer, ExchangeRequest } from '../request/exchange.ts'
import { mountExchange } from '../request/exchange.ts'
import type { Service } from '../service.ts'
import type { SigningSetup } from '../threads/signing.ts'
import type { OpenTask } from '../threads/task.ts'
import { workHere } from '../threads/task.ts'
import { refusal } from './acceptance.ts'
import { checkAuthorityChain } from './authority-chain.ts'
import type { RequestForm } from './stamping.ts'
import { createStamping, encodeStampInput, stampingTask, stampingWork } from './stamping.ts'

export interface TimestampAuthorityOptions {
  /** ECDSA on P-256 or P-384. */
  readonly signer: LocalSigner
  /** The signer's certificate first, the root last. */
  readonly chain: readonly Certificate[]
  readonly clock: Clock
  /** Why the clock must not be trusted now; undefined while it may be. */
  readonly suspicion: () => string | undefined
  /** Object identifier of the policy that tokens are issued under; Sigstore's by default. */
  readonly policy?: string
  /** Further policies that a request may name. */
  readonly acceptedPolicies?: readonly string[]
  /** Whether tokens bring the issuers along too, when the request asks for certificates. */
  readonly includeChain?: boolean
  /** Path that the API stands below; empty by default. */
  readonly prefix?: string
  /** Other threads that may stamp, and the signer's key for them. */
  readonly threads?: { readonly openTask: OpenTask; readonly signing: () => SigningSetup }
}

export interface TimestampAuthority extends Service {
  /**
   * Stamps a request. @returns a TimeStampResp, DER
   * @throws CountersignError CLOCK_SUSPECT, CERTIFICATE_EXPIRED, or REQUEST_REFUSED with the message that goes over the wire
   */
  stamp(request: TimestampRequest): Uint8Array
  /** Why it cannot stamp at present, for `/readyz`; undefined while it can. */
  unreadiness(): string | undefined
}

/** The policy of Sigstore's timestamp authorities. */
const sigstorePolicy = '1.3.6.1.4.1.57264.2'

const maxBodyBytes = 1024 * 1024

/**
 * Makes an authority.
 * @throws CountersignError CONFIGURATION_INVALID when clients would not take its certificates
 */
export function createTimestampAuthority(options: TimestampAuthorityOptions): TimestampAuthority {
  const { signer, chain, clock, suspicion, prefix = '', threads } = options
  const { policy = sigstorePolicy, acceptedPolicies = [], includeChain = false } = options
  const leaf = checkAuthorityChain(signer, chain)
  const rules = { policy, acceptedPolicies, includeChain }
  const stampAt = createStamping(signer, chain, rules)
  const setup = () => {
    if (threads === undefined) throw new TypeError('there are no other threads')
    return { ...rules, signing: threads.signing(), chain: chain.map(({ bytes }) => bytes) }
  }
  const work = (threads?.openTask ?? workHere)({ task: stampingTask, setup, here: stampingWork(stampAt) })

  const demandGoodTime = (genTime: number): void => {
    const suspect = suspicion()
    if (suspect !== undefined)
      throw new CountersignError('CLOCK_SUSPECT', `no timestamps are issued while the clock is suspect: ${suspect}`)
    const expired = expiry(leaf, genTime)
    if (expired !== undefined) throw new CountersignError('CERTIFICATE_EXPIRED', expired)
  }
  const stampBody: StampBody = async (form, body) => {
    const genTime = clock()
    demandGoodTime(genTime)
    const reply = await work(encodeStampInput({ form, genTime, body }))
    // Nothing leaves that was made while the clock became suspect.
    demandGoodTime(genTime)
    return reply
  }
  const stamp = (request: TimestampRequest): Uint8Array => {
    const genTime = clock()
    demandGoodTime(genTime)
    return stampAt(request, genTime)
  }
  const unreadiness = (): string | undefined => suspicion() ?? expiry(leaf, clock())

  const routes = new Hono()
  const path = `${prefix}/api/v1/timestamp`
  const pem = chain.map((certificate) => encodePem('CERTIFICATE', certificate.bytes)).join('')
  const exchange: Exchange = { path, answer: (request) => answer(request, stampBody) }
  mountExchange(routes, exchange)
  routes.get(`${path}/certchain`, (c) =>
    c.body(pem, 200, { 'content-type': 'application/pem-certificate-chain', 'cache-control': 'max-age=86400, immutable' }),
  )
  routes.get(`${prefix}/ping`, (c) => c.text('.'))
  return { routes, exchanges: [exchange], stamp, unreadiness }
}

/** Nobody could verify a timestamp from outside the validity of the certificate that it names. */
function expiry(leaf: Certificate, now: number): string | undefined {
  if (now < leaf.notBefore) return `the timestamp authority's certificate is valid from ${new Date(leaf.notBefore).toISOString()} on`
  if (now > leaf.notAfter) return `the timestamp authority's certificate has expired at ${new Date(leaf.notAfter).toISOString()}`
  return undefined
}

/** Stamps the body of a request. @returns a TimeStampResp, DER */
type StampBody = (form: RequestForm, body: Uint8Array) => Promise<Uint8Array>

async function answer(request: ExchangeRequest, stampBody: StampBody): Promise<ExchangeAnswer> {
  const contentType = request.header('content-type')
  const form = formOf(contentType)
  if (form === undefined) {
    const found = (contentType ?? '').slice(0, 100)
    return refuse(415, `unsupported media type "${found}", only [application/json ${timestampQueryType}] are allowed`)
  }
  try {
    const reply = await stampBody(form, await request.readBody(maxBodyBytes))
    return { status: 200, headers: { 'content-type': timestampReplyType, 'cache-control': 'no-store' }, body: reply }
  } catch (error) {
    if (error instanceof CountersignError) return answerError(error)
    throw error
  }
}

/** By media type alone: what its parameters hold is no type. */
function formOf(contentType: string | undefined): RequestForm | undefined {
  if (contentType === 'application/json') return 'json'
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (mediaType === 'application/json') return 'json'
  return mediaType === timestampQueryType ? 'der' : undefined
}

function answerError(error: CountersignError): ExchangeAnswer {
  if (error.code === 'REQUEST_REFUSED') return refuse(400, error.message)
  if (error.code === 'CLOCK_SUSPECT') return refuse(503, error.message, { 'retry-after': '30' })
  if (error.code === 'CERTIFICATE_EXPIRED') return refuse(503, error.message)
  if (error.code === 'TOO_LARGE') return refuse(400, refusal.tooLarge)
  if (error instanceof DecodingError) return refuse(400, refusal.failed, {}, error.message)
  throw error
}

function refuse(code: number, message: string, headers: Readonly<Record<string, string>> = {}, detail?: string): ExchangeAnswer {
  return {
    status: code,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify({ code, message, detail }),
  }
}
