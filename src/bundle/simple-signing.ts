/** The simple signing payload that cosign signed for images before bundles. */
import type { JsonValue } from '../encoding/json.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'

export interface SimpleSigning {
  /** Repository of the image, without a tag. cosign does not compare it. */
  readonly dockerReference: string
  /** `sha256:…` of the image manifest. */
  readonly dockerManifestDigest: string
  readonly type: string
  readonly optional: ReadonlyMap<string, JsonValue>
}

export const simpleSigningType = 'cosign container image signature'

/**
 * Parses a payload. Verify the signature over the received bytes, never over a re-encoded payload. Members that differ from those that
 * decide by case only are refused: cosign takes the later one.
 * @throws DecodingError JSON_INVALID, STATEMENT_INVALID
 */
export function parseSimpleSigning(payload: Uint8Array): SimpleSigning {
  const root = new JsonFields(parseJson(payload, 'the payload', { integers: 'exact' }), 'payload', 'STATEMENT_INVALID')
  const critical = root.spelled('critical', 'optional').object('critical').spelled('identity', 'image', 'type')
  const optional = root.optionalObject('optional')
  return {
    dockerReference: critical.object('identity').spelled('docker-reference').optionalString('docker-reference') ?? '',
    dockerManifestDigest: critical.object('image').spelled('docker-manifest-digest').string('docker-manifest-digest'),
    type: critical.string('type'),
    optional: new Map(optional?.entries() ?? []),
  }
}

/** The payload as cosign writes it: Go's key order and escaping. */
export function encodeSimpleSigning(payload: {
  dockerReference: string
  dockerManifestDigest: string
  optional?: Readonly<Record<string, string>>
}): string {
  const optional = payload.optional === undefined || Object.keys(payload.optional).length === 0 ? null : sorted(payload.optional)
  const critical = {
    identity: { 'docker-reference': payload.dockerReference },
    image: { 'docker-manifest-digest': payload.dockerManifestDigest },
    type: simpleSigningType,
  }
  return JSON.stringify({ critical, optional }).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
