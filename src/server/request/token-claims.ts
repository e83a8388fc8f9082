/** The claims of ID tokens that say for whom and when they are meant (OpenID Connect Core 1.0 section 3.1.3.7). */
import type { JsonObject } from '../../encoding/json.ts'
import type { Clock } from '../clock.ts'

/** What a token has to say. */
export interface ExpectedClaims {
  /** The `iss`, to the byte. */
  readonly url: string
  /** Must be among the token's `aud`. */
  readonly audience: string
}

export interface ClaimRules {
  /** Claims that a token must have beside its issuer and audience; default `exp`, `iat` and `sub`. */
  readonly requiredClaims?: readonly string[]
  readonly clock: Clock
}

const usualClaims: readonly string[] = ['exp', 'iat', 'sub']
/** How far the clocks of an issuer and of this server may differ. */
const clockToleranceSeconds = 30

/** Says what is wrong with the claims of a token, without repeating them; undefined when nothing is. */
export function claimsComplaint(claims: JsonObject, { url, audience }: ExpectedClaims, rules: ClaimRules): string | undefined {
  const missing = ['iss', 'aud', ...(rules.requiredClaims ?? usualClaims)].find((name) => claims[name] === undefined)
  if (missing !== undefined) return `it has no claim ${missing}`
  if (claims['iss'] !== url) return 'its issuer is another one'
  const { aud } = claims
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience)))
    return 'it is not meant for this server: its claim aud names others'
  return timesComplaint(claims, Math.floor(rules.clock() / 1000))
}

/** RFC 7519 sections 4.1.4 to 4.1.6: NumericDate, in seconds. */
function timesComplaint({ iat, nbf, exp }: JsonObject, now: number): string | undefined {
  for (const [name, time] of Object.entries({ iat, nbf, exp })) {
    if (time !== undefined && typeof time !== 'number') return `its claim ${name} is not a number`
  }
  if (typeof nbf === 'number' && nbf > now + clockToleranceSeconds) return 'it is not valid yet (claim nbf)'
  if (typeof exp === 'number' && exp <= now - clockToleranceSeconds) return 'it has expired (claim exp)'
  return undefined
}
