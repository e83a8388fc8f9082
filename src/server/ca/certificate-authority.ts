/** The certificate authority: Fulcio's API, versions 2 and 1. */
import { Hono } from 'hono'
import type { Context } from 'hono'
import { cors } from 'hono/cors'
import {
  encodeFulcioError,
  encodePemChain,
  encodeSigningCertificate,
  encodeTrustBundle,
  fulcioPaths,
  fulcioRefusals,
  maxFulcioRequestBytes,
  parseSigningCertificateRequest,
  parseSigningCertificateRequestV1,
} from '../../api/fulcio.ts'
import type { SigningCertificateRequest } from '../../api/fulcio.ts'
import { CountersignError, DecodingError } from '../../error.ts'
import { readBody } from '../request/body.ts'
import type { ForeignIssuer, ForeignTokenOptions } from '../request/foreign-token.ts'
import { createForeignTokenVerifier } from '../request/foreign-token.ts'
import type { Service } from '../service.ts'
import type { IssuanceOptions } from './issuance.ts'
import { createIssuance } from './issuance.ts'
import type { IssuerConfiguration, TrustedIssuer } from './issuer-configuration.ts'
import { principalOf } from './principal.ts'
import { ProofError, verifyPossession } from './proof-of-possession.ts'

export interface CertificateAuthorityOptions extends IssuanceOptions {
  readonly issuers: IssuerConfiguration
  /** Issuers whose keys are in this process. */
  readonly localKeys: ReadonlyMap<string, NonNullable<ForeignIssuer['localKeys']>>
  readonly send: ForeignTokenOptions['send']
  /** Hears why a request was refused or failed. The message holds nothing of the token but its issuer. */
  readonly onRefusal?: (error: unknown) => void
}

export interface CertificateAuthority extends Service {
  /** Uses another configuration of issuers from now on. */
  useIssuers(issuers: IssuerConfiguration): void
}

interface Refusal {
  readonly code: number
  readonly message: string
}

const bearer = /^Bearer +(\S+)$/i

/** Makes the service. @throws CountersignError CONFIGURATION_INVALID */
export function createCertificateAuthority(options: CertificateAuthorityOptions): CertificateAuthority {
  const { chain, clock, send, localKeys, onRefusal = () => {} } = options
  let issuers = options.issuers
  const issue = createIssuance(options)
  let tokens = createTokenVerifier(issuers, options)
  const chainBytes = chain.map(({ bytes }) => bytes)

  const certify = async (request: SigningCertificateRequest, header: string | undefined): Promise<readonly Uint8Array[]> => {
    const token = bearer.exec(header ?? '')?.[1] ?? request.token
    if (token === undefined) throw new CountersignError('TOKEN_INVALID', 'the request has no identity token')
    const payload = await tokens.verify(token)
    const url = payload.iss ?? ''
    const issuer = issuers.find(url)
    if (issuer === undefined) throw new CountersignError('TOKEN_INVALID', 'the issuer of the token is not configured any more')
    const principal = principalOf(issuer, url, payload)
    return issue(principal, verifyPossession(request.proof, principal.challenges))
  }
  const answer = async (
    c: Context,
    parse: typeof parseSigningCertificateRequest,
    give: (chain: readonly Uint8Array[]) => Response,
  ): Promise<Response> => {
    try {
      return give(await certify(parse(await readBody(c.req.raw, maxFulcioRequestBytes)), c.req.header('authorization')))
    } catch (error) {
      onRefusal(error)
      const refusal = refusalOf(error)
      return json(refusal.code === 3 ? 400 : 500, encodeFulcioError(refusal))
    }
  }

  const routes = new Hono()
  routes.use('/api/v2/*', cors())
  routes.post(fulcioPaths.signingCertificate, (c) =>
    answer(c, parseSigningCertificateRequest, (certificates) => json(200, encodeSigningCertificate(certificates))),
  )
  routes.post(fulcioPaths.signingCertificateV1, (c) =>
    answer(c, parseSigningCertificateRequestV1, (certificates) => pem(201, encodePemChain(certificates))),
  )
  routes.get(fulcioPaths.trustBundle, () => json(200, encodeTrustBundle([chainBytes])))
  routes.get(fulcioPaths.rootCertificateV1, () => pem(200, encodePemChain(chainBytes)))
  routes.get(fulcioPaths.configuration, () => json(200, JSON.stringify({ issuers: issuers.issuers.map(describeIssuer) })))
  return {
    routes,
    useIssuers: (next) => {
      issuers = next
      tokens = createTokenVerifier(next, { clock, send, localKeys })
    },
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
      const { clientId, caCertificate, keyHosts } = issuer
      return { url, audience: clientId, hosts: keyHosts, caCertificate, localKeys: localKeys.get(url) }
    },
    requiredClaims: ['exp'],
    clock,
    send,
  })
}

/** What Fulcio's API says of an error. Everything about tokens is one sentence: no oracle for whoever guesses. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof ProofError) return { ...fulcioRefusals[error.failure] }
  if (error instanceof DecodingError || (error instanceof CountersignError && error.code === 'TOO_LARGE')) {
    return { code: 3, message: error.message }
  }
  if (!(error instanceof CountersignError)) return fulcioRefusals.backend
  switch (error.code) {
    case 'TOKEN_INVALID':
    case 'NETWORK_FAILED':
      return fulcioRefusals.token
    case 'LOG_OVERLOADED':
    case 'LOG_FROZEN':
    case 'LOG_ROLLED_BACK':
    case 'STORAGE_FAILED':
    case 'SCT_UNVERIFIED':
    case 'CERTIFICATE_UNTRUSTED':
      return fulcioRefusals.log
    default:
      return fulcioRefusals.backend
  }
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

function json(status: number, body: string): Response {
  return new Response(body, { status, headers: { 'content-type': 'application/json' } })
}

function pem(status: number, body: string): Response {
  return new Response(body, { status, headers: { 'content-type': 'application/pem-certificate-chain' } })
}
