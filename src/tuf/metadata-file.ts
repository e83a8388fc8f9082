/** What every TUF metadata file has, read strictly before anything else looks at it (TUF specification 4.3). */
import { excerpt } from '../encoding/bytes.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import type { JsonValue } from '../encoding/json.ts'
import { messageOf, VerificationError } from '../error.ts'

/** The top-level roles, in the order in which a client loads them. */
export type TopLevelRole = 'root' | 'timestamp' | 'snapshot' | 'targets'

/** Largest file taken for each role, in bytes; delegated roles are as large as targets. */
export const maxMetadataBytes: Readonly<Record<TopLevelRole, number>> = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  targets: 5_000_000,
}

/** Whether a role is one that the root names, rather than one that targets metadata delegates to. */
export function isTopLevelRole(role: string): role is TopLevelRole {
  return Object.hasOwn(maxMetadataBytes, role)
}

/** The fields of a metadata file that decide about its age. Nothing of it is verified. */
export interface MetadataSummary {
  readonly version: number
  /** In epoch milliseconds. */
  readonly expires: number
}

// Sub-second digits and offsets are not in the specification, but in the roots that older tools made.
const instantPattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/

/**
 * Reads version and expiry of a metadata file.
 * @param what names the file in messages
 * @throws VerificationError TUF_UNVERIFIED for what is not strict JSON of the role, has no positive version or no readable expiry
 */
export function summarizeMetadata(bytes: Uint8Array, role: TopLevelRole, what: string): MetadataSummary {
  let document
  try {
    document = parseJson(bytes, what, { maxBytes: maxMetadataBytes[role] })
  } catch (cause) {
    throw new VerificationError('TUF_UNVERIFIED', messageOf(cause), { cause })
  }
  const signed = isJsonObject(document) ? document['signed'] : undefined
  if (!isJsonObject(signed)) throw invalid(what, 'it has no signed part')
  const { _type: type, version, expires } = signed
  if (type !== role) throw invalid(what, `its type should be ${role}, found ${named(type)}`)
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
    throw invalid(what, `its version should be a positive integer, found ${named(version)}`)
  }
  // An expiry that cannot be read would compare as "not yet".
  const instant = typeof expires === 'string' && instantPattern.test(expires) ? Date.parse(expires) : Number.NaN
  if (Number.isNaN(instant)) throw invalid(what, `its expiry should be a time, found ${named(expires)}`)
  return { version, expires: instant }
}

/** The version of a metadata file that may be anything; undefined when it has none. */
export function versionOf(bytes: Uint8Array | undefined, role: TopLevelRole): number | undefined {
  if (bytes === undefined) return undefined
  try {
    return summarizeMetadata(bytes, role, role).version
  } catch {
    return undefined
  }
}

function named(value: JsonValue | undefined): string {
  if (typeof value === 'string') return excerpt(value, 30)
  return typeof value === 'number' ? String(value) : typeof value
}

function invalid(what: string, reason: string): VerificationError {
  return new VerificationError('TUF_UNVERIFIED', `${what} is not TUF metadata: ${reason}`)
}
