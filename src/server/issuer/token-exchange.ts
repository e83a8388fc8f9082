/** Token exchange (RFC 8693): a token of another issuer for one of ours, by rules of the administrator. Off without rules. */
import type { JWTPayload } from 'jose'
import { CountersignError } from '../../error.ts'
import type { Clock } from '../clock.ts'
import { createForeignTokenVerifier } from '../request/foreign-token.ts'
import type { Identity } from './id-token.ts'
import type { ExchangeRule } from './settings.ts'
import type { Send } from './upstream-fetch.ts'
import { isUsableEmail } from './users.ts'

export interface TokenExchange {
  /**
   * Whom the token of ours is to be about.
   * @param type the `subject_token_type`
   * @throws CountersignError TOKEN_INVALID when the token is not accepted or no rule matches
   */
  identify(token: string, type: string): Promise<Identity>
}

/** The types of subject tokens that are taken, and what is given for them. */
export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
const subjectTokenTypes = new Set([idTokenType, 'urn:ietf:params:oauth:token-type:jwt'])

/** What the subjects of exchanged tokens begin with, unless a rule names them. */
const exchangeConnector = 'exchange'

export interface TokenExchangeOptions {
  /** This issuer: the audience that subject tokens must have, so that a token for someone else buys nothing here. */
  readonly issuer: string
  readonly rules: readonly ExchangeRule[]
  readonly clock: Clock
  readonly send: Send
}

/** The exchange by these rules; the first that matches decides. */
export function createTokenExchange({ issuer, rules, clock, send }: TokenExchangeOptions): TokenExchange {
  const urls = [...new Set(rules.map((rule) => rule.issuer))]
  const issuers = new Map(
    urls.map((url) => [url, { url, audience: issuer, hosts: rules.filter((rule) => rule.issuer === url).flatMap(({ hosts }) => hosts) }]),
  )
  const verifier = createForeignTokenVerifier({ find: (url) => issuers.get(url), clock, send })
  return {
    identify: async (token, type) => {
      if (!subjectTokenTypes.has(type)) throw refusal('subject_token_type should be that of an ID token')
      const claims = await verifier.verify(token)
      const rule = rules.find((candidate) => candidate.issuer === claims.iss && holds(candidate, claims))
      if (rule === undefined) throw refusal('no rule matches the claims of the subject token')
      return 'subject' in rule.identity ? { subject: rule.identity.subject } : verifiedEmail(claims)
    },
  }
}

/** Whether each claim of a rule is, to the byte, one of the texts that it may be. */
function holds({ claims: expected }: ExchangeRule, claims: JWTPayload): boolean {
  return Object.entries(expected).every(([name, allowed]) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    return typeof value === 'string' && (Array.isArray(allowed) ? allowed.includes(value) : allowed === value)
  })
}

function verifiedEmail(claims: JWTPayload): Identity {
  const { email, email_verified: verified, iss = '', sub = '' } = claims
  if (typeof email !== 'string' || (verified !== true && verified !== 'true') || !isUsableEmail(email)) {
    throw refusal('the subject token has no verified e-mail address')
  }
  // The issuer is part of it, so that the subjects of two issuers are never the same.
  const subject = `${exchangeConnector}:${iss}:${sub}`
  if (!/^[\x21-\x7e]{1,255}$/.test(subject)) throw refusal('the subject of the subject token cannot be put into tokens')
  return { subject, email }
}

function refusal(reason: string): CountersignError {
  return new CountersignError('TOKEN_INVALID', reason)
}
