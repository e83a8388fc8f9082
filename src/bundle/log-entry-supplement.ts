/**
 * What our logs keep beside an entry, outside the tree: what the entry's body does not say, but searches and readers want.
 * Nobody vouches for it but the server that took the entry.
 */
import { encodeBase64 } from '../encoding/base64.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import type { JsonValue } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { inTotoPayloadType } from './dsse.ts'

export interface LogEntrySupplement {
  /** Further digests that the entry is to be found by, such as `sha256:<hex>`: those of an attestation's subjects. */
  readonly digests: readonly string[]
  /** The payload of an attestation, where the log keeps it. */
  readonly attestation: Uint8Array | undefined
}

const maxBytes = 1024 * 1024
const maxDigests = 4096
/** With as many digests and an attestation, a supplement stays below the limit. */
const digestPattern = /^[a-zA-Z0-9_-]{1,32}:[0-9a-zA-Z]{1,128}$/

/** Writes a supplement; one with nothing in it has no bytes. Digests beyond 4,096, and those that are none, are left out. */
export function encodeSupplement({ digests, attestation }: LogEntrySupplement): Uint8Array {
  const kept = [...new Set(digests)].filter((text) => digestPattern.test(text)).slice(0, maxDigests)
  if (kept.length === 0 && attestation === undefined) return new Uint8Array(0)
  return encodeUtf8(
    JSON.stringify({
      ...(kept.length === 0 ? {} : { digests: kept }),
      ...(attestation === undefined ? {} : { attestation: encodeBase64(attestation) }),
    }),
  )
}

/** Reads a supplement. @throws DecodingError JSON_INVALID, LOG_ENTRY_INVALID, TOO_LARGE */
export function parseSupplement(bytes: Uint8Array): LogEntrySupplement {
  if (bytes.length === 0) return { digests: [], attestation: undefined }
  const supplement = new JsonFields(parseJson(bytes, "the entry's supplement", { maxBytes }), 'supplement', 'LOG_ENTRY_INVALID')
  supplement.only('digests', 'attestation')
  const digests = supplement.array('digests', maxDigests).map((value) => {
    if (typeof value !== 'string') throw supplement.invalid('supplement.digests should be strings')
    return value
  })
  return { digests, attestation: supplement.optionalBytes('attestation') }
}

/**
 * The digests of an in-toto statement's subjects, and of the materials of SLSA provenance of before version 1; at most 4,096. A payload that is
 * no statement has none: the log takes it all the same.
 */
export function statementDigests(payloadType: string, payload: Uint8Array): string[] {
  if (payloadType !== inTotoPayloadType) return []
  let statement: JsonValue | undefined
  try {
    statement = parseJson(payload, 'the statement', { integers: 'exact' })
  } catch {
    return []
  }
  if (!isJsonObject(statement)) return []
  const predicate = statement['predicate']
  const digests = new Set<string>()
  for (const list of [statement['subject'], isJsonObject(predicate) ? predicate['materials'] : undefined])
    for (const text of listedDigests(list)) if (digests.size < maxDigests) digests.add(text)
  return [...digests]
}

/** Of a list that names more than are kept, the first. */
function* listedDigests(list: JsonValue | undefined): Generator<string> {
  if (!Array.isArray(list)) return
  for (const item of list.slice(0, maxDigests)) {
    const digests = isJsonObject(item) ? item['digest'] : undefined
    if (!isJsonObject(digests)) continue
    let left = maxDigests
    for (const algorithm in digests) {
      if (left-- === 0) break
      const value = digests[algorithm]
      const text = typeof value === 'string' ? `${algorithm}:${value.toLowerCase()}` : ''
      if (digestPattern.test(text)) yield text
    }
  }
}
