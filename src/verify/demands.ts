/** What a caller of cosign's verbs demands beside the signature, and what that means for one signed entity. */
import { isRekorV2 } from '../bundle/log-entry-body.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import type { VerifyOptions } from './policy.ts'

export interface Demands {
  /** An entry in a transparency log. */
  readonly log: boolean
  /** A certificate timestamp, for certificates. */
  readonly scts: boolean
  /** A time of a timestamp authority. */
  readonly signedTimestamps: boolean
  /** The time to check certificates at when no log is demanded. */
  readonly now: Date
  /** A detached SCT of the signing certificate. */
  readonly detachedSct?: Uint8Array
}

/**
 * The options to verify one entity with. How many times are needed depends on where its entries are logged: Rekor v2 gives none
 * of its own.
 * @param withKey whether the policy names a key rather than certificates
 */
export function verifyOptionsFor(entity: SignedEntity, demands: Demands, withKey: boolean): VerifyOptions {
  const { log, scts, signedTimestamps, now, detachedSct } = demands
  const isV2Only = entity.logEntries.length > 0 && entity.logEntries.every((entry) => isRekorV2(entry.kind, entry.version))
  const needsTime = !withKey && (log || signedTimestamps)
  return {
    thresholds: {
      logEntries: log ? 1 : 0,
      scts: scts ? 1 : 0,
      signedTimestamps: signedTimestamps || (needsTime && isV2Only) ? 1 : 0,
      times: needsTime ? 1 : 0,
    },
    ...(detachedSct === undefined || withKey ? {} : { detachedSct }),
    // Without a log there may be no time but now, as in cosign; a verified time is preferred wherever there is one.
    ...(log ? {} : { currentTime: now }),
  }
}
