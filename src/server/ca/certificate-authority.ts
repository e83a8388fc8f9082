/** The certificate authority: Fulcio's API, versions 2 and 1. */
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import {
  encodeFulcioError,
  encodePemChain,
  encodeTrustBundle,
  fulcioPaths,
  fulcioRefusals,
  maxFulcioRequestBytes,
  parseSigningCertificateRequest,
  parseSigningCertificateRequestV1,
  signingCertificateEncoder,
} from '../../api/fulcio.ts'
import type { FulcioRefusal, SigningCertificateRequest } from '../../api/fulcio.ts'
import { CountersignError, messageOf } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { Exchange, ExchangeAnswer, ExchangeRequest } from '../request/exchange.ts'
import { mountExchange, responseOf } from '../request/exchange.ts'
import type { ForeignIssuer, ForeignTokenOptions } from '../request/foreign-token.ts'
import { createForeignTokenVerifier } from '../request/foreign-token.ts'
import type { Service } from '../service.ts'
import type { IssuanceOptions } from './issuance.ts'
import { createIssuance } from './issuance.ts'
import type { IssuerConfiguration, TrustedIssuer } from './issuer-configuration.ts'
import type { Principal } from './principal.ts'
import { principalOf } from './principal.ts'
import { possessionOf } from './proof-of-possession.ts'
import { isOurs, RefusalError, refusalOf, refuseAs } from './refusal.ts'

export interface CertificateAuthorityOptions extends IssuanceOptions {
  readonly issuers: IssuerConfiguration
  /** Chains of before that are still trusted, as `chain`; the newest first. None by default. */
  readonly earlierChains?: readonly (readonly Certificate[])[]
  /** Why the clock must not be trusted now; undefined while it may be. */
  readonly suspicion: () => string | undefined
  /** Issuers whose keys are in this process. */
  readonly localKeys: ReadonlyMap<string, NonNullable<ForeignIssuer['localKeys']>>
  readonly send: ForeignTokenOptions['send']
  /** Hears why a request was refused or failed. The message holds nothing of the token but its issuer. */
  readonly onRefusal?: (error: unknown) => void
}

export interface CertificateAuthority extends Service {
  /** Uses another configuration of issuers from now on. */
  useIssuers(issuers: IssuerConfiguration): void
  /** Why it gives no certificates at present, for `/readyz`; undefined while it does. */
  unreadiness(): string | undefined
}

const bearer = /^Bearer +(\S+)$/i

/** Makes the service. @throws CountersignError CONFIGURATION_INVALID */
export function createCertificateAuthority(options: CertificateAuthorityOptions): CertificateAuthority {
  const { chain, earlierChains = [], suspicion, onRefusal = () => {} } = options
  const issue = createIssuance(options)
  let identify = createIdentification(options.issuers, options)
  let described = describeIssuers(options.issuers)
  const [chainBytes = [], ...earlierBytes] = [chain, ...earlierChains].map((one) => one.map(({ bytes }) => bytes))
  const encodeAnswer = signingCertificateEncoder(chainBytes)

  const demandGoodTime = (): void => {
    const suspect = suspicion()
    if (suspect !== undefined)
      throw new CountersignError('CLOCK_SUSPECT', `no certificates are issued while the clock is suspect: ${suspect}`)
  }
  const certify = async (request: SigningCertificateRequest, header: string | undefined): Promise<Uint8Array> => {
    // Before the token: a wrong time lets one in that has expired.
    demandGoodTime()
    const token = request.token ?? bearer.exec(header ?? '')?.[1]
    const principal = await refuseAs(fulcioRefusals.token, () => identify(token))
    const possession = possessionOf(request.proof, principal.challenges)
    // The issuer may have been asked for its keys in the meantime; what is logged next stays.
    demandGoodTime()
    const issued = await issue(principal, possession)
    // Nothing leaves that was made while the clock became suspect.
    demandGoodTime()
    return issued
  }
  const exchange = (path: string, parse: Parse, give: (leaf: Uint8Array) => ExchangeAnswer): Exchange => ({
    path,
    answer: async (request) => withCors(await answer(request, parse, give)),
  })
  const answer = async (request: ExchangeRequest, parse: Parse, give: (leaf: Uint8Array) => ExchangeAnswer): Promise<ExchangeAnswer> => {
    try {
      return give(await certify(await readRequest(request, parse), request.header('authorization')))
    } catch (error) {
      onRefusal(error)
      return refuse(refusalOf(error), error instanceof CountersignError && error.code === 'CLOCK_SUSPECT' ? 30 : 1)
    }
  }

  const routes = new Hono()
  for (const path of Object.values(fulcioPaths)) routes.use(path, cors())
  const exchanges = [
    exchange(fulcioPaths.signingCertificate, parseSigningCertificateRequest, (leaf) => json(200, encodeAnswer(leaf))),
    exchange(fulcioPaths.signingCertificateV1, parseSigningCertificateRequestV1, (leaf) => pem(201, encodePemChain([leaf, ...chainBytes]))),
  ]
  for (const each of exchanges) mountExchange(routes, each)
  routes.get(fulcioPaths.trustBundle, () => responseOf(json(200, encodeTrustBundle([chainBytes, ...earlierBytes]))))
  routes.get(fulcioPaths.rootCertificateV1, () => responseOf(pem(200, encodePemChain(chainBytes))))
  routes.get(fulcioPaths.configuration, () => responseOf(json(200, described)))
  return {
    routes,
    exchanges,
    useIssuers: (issuers) => {
      identify = createIdentification(issuers, options)
      described = describeIssuers(issuers)
    },
    unreadiness: () => suspicion(),
  }
}

type Parse = typeof parseSigningCertificateRequest

async function readRequest(request: ExchangeRequest, parse: Parse): Promise<SigningCertificateRequest> {
  try {
    return parse(await request.readBody(maxFulcioRequestBytes))
  } catch (cause) {
    if (cause instanceof CountersignError && !isOurs(cause))
      throw new RefusalError({ code: 3, message: cause.message }, messageOf(cause), { cause })
    throw cause
  }
}

/** Whom a token is about, by one configuration from its first check to its last. @throws CountersignError TOKEN_INVALID and as the verifier */
function createIdentification(
  issuers: IssuerConfiguration,
  options: CertificateAuthorityOptions,
): (token: string | undefined) => Promise<Principal> {
  const tokens = createTokenVerifier(issuers, options)
  return async (token) => {
    if (token === undefined) throw new CountersignError('TOKEN_INVALID', 'the request has no identity token')
    const payload = await tokens.verify(token)
    const url = payload.iss ?? ''
    const issuer = issuers.find(url)
    if (issuer === undefined) throw new CountersignError('TOKEN_INVALID', 'the issuer of the token is not configured')
    return principalOf(issuer, url, payload)
  }
}

function createTokenVerifier(
  issuers: IssuerConfiguration,
  { clock, send, localKeys }: Pick<CertificateAuthorityOptions, 'clock' | 'send' | 'localKeys'>,
): ReturnType<typeof createForeignTokenVerifier> {
  return createForeignTokenVerifier({
    find: (url) => {
      const issuer = issuers.find(url)
      if (issuer === undefined) return undefined
      const { clientId, caCertificate, keyHosts, pattern } = issuer
      return { url, audience: clientId, hosts: keyHosts, caCertificate, isOfFamily: pattern !== undefined, localKeys: localKeys.get(url) }
    },
    requiredClaims: ['exp'],
    clock,
    send,
  })
}

function describeIssuers({ issuers }: IssuerConfiguration): string {
  return JSON.stringify({ issuers: issuers.map(describeIssuer) })
}

function describeIssuer({ url, pattern, clientId, challengeClaim, rule, type }: TrustedIssuer): object {
  return {
    ...(pattern === undefined ? { issuerUrl: url } : { wildcardIssuerUrl: url }),
    audience: clientId,
    challengeClaim,
    spiffeTrustDomain: rule.kind === 'spiffe' ? rule.trustDomain : '',
    issuerType: type,
    subjectDomain: rule.kind === 'uri' || rule.kind === 'username' ? rule.subjectDomain : '',
    skipEmailVerification: rule.kind === 'email' && rule.skipEmailVerification,
  }
}

/** Browsers may read every answer: all of it is public. */
function withCors(answer: ExchangeAnswer): ExchangeAnswer {
  return { ...answer, headers: { ...answer.headers, 'access-control-allow-origin': '*' } }
}

const statuses = { 3: 400, 13: 500, 14: 503 } as const

function refuse(refusal: FulcioRefusal, retryAfterSeconds: number): ExchangeAnswer {
  const answer = json(statuses[refusal.code], encodeFulcioError(refusal))
  return refusal.code === 14 ? { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } } : answer
}

function json(status: number, body: string): ExchangeAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body }
}

function pem(status: number, body: string): ExchangeAnswer {
  return { status, headers: { 'content-type': 'application/pem-certificate-chain' }, body }
}
