/** The Dead Simple Signing Envelope, and the bytes it signs. */
import { asBuffer, encodeUtf8, joinBytes } from '../encoding/bytes.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import type { DsseEnvelope, EnvelopeSignature } from './signed-entity.ts'

/** The payload type of in-toto statements, the only one Sigstore uses. */
export const inTotoPayloadType = 'application/vnd.in-toto+json'

/**
 * Parses a bare envelope, as `--signature` of an attestation and the layers of `.att` images hold it. There, unlike in
 * a bundle, other implementations write fields of their own beside the signature, which are ignored, and there may be several signatures.
 * @throws DecodingError JSON_INVALID, BUNDLE_INVALID
 */
export function parseEnvelope(input: Uint8Array): DsseEnvelope {
  const envelope = new JsonFields(parseJson(input, 'the DSSE envelope'), 'envelope', 'BUNDLE_INVALID')
  return { ...readEnvelope(envelope, 'several'), encoded: input }
}

/** Reads an envelope that has no other fields than DSSE's. In a bundle it has one signature. */
export function parseEnvelopeFields(envelope: JsonFields, signatures: 'one' | 'several' = 'one'): DsseEnvelope {
  envelope.only('payload', 'payloadType', 'signatures')
  for (const signature of envelope.objects('signatures', maxSignatures)) signature.only('sig', 'keyid')
  return readEnvelope(envelope, signatures)
}

/** The pre-authentication encoding: `DSSEv1 <length> <type> <length> <payload>`. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeUtf8(payloadType)
  return joinBytes(encodeUtf8(`DSSEv1 ${type.length} `), type, encodeUtf8(` ${payload.length} `), payload)
}

/** The envelope as JSON, in the order that cosign has: what cosign 1 and 2 put into a file of its own. */
export function encodeEnvelope({ payloadType, payload, signature, keyId, otherSignatures = [] }: DsseEnvelope): string {
  return JSON.stringify({
    payloadType,
    payload: encodeBase64(payload),
    signatures: [{ signature, keyId }, ...otherSignatures].map((one) => ({ keyid: one.keyId, sig: encodeBase64(one.signature) })),
  })
}

/** The payload as text for a report: undecodable bytes become U+FFFD. */
export function payloadText(envelope: DsseEnvelope): string {
  return asBuffer(envelope.payload).toString('utf8')
}

const maxSignatures = 16

function readEnvelope(envelope: JsonFields, allowed: 'one' | 'several'): DsseEnvelope {
  const signatures = envelope.objects('signatures', maxSignatures)
  const [first, ...others] = signatures
  // A second signature would go unchecked, so a bundle may not have one (protobuf-specs, Bundle.dsse_envelope).
  if (first === undefined || (others.length > 0 && allowed === 'one')) {
    const expected = allowed === 'one' ? 'exactly one' : 'at least one'
    throw envelope.invalid(`the DSSE envelope has ${signatures.length} signatures, ${expected} was expected`)
  }
  const payloadType = envelope.string('payloadType')
  const payload = envelope.bytes('payload')
  if (allowed === 'one') return { kind: 'dsse-envelope', payloadType, payload, ...readSignature(first, first.bytes('sig')) }
  return {
    kind: 'dsse-envelope',
    payloadType,
    payload,
    ...readSignature(first, signatureIn(first) ?? (others.length === 0 ? first.bytes('sig') : undefined)),
    ...(others.length === 0 ? {} : { otherSignatures: others.map((other) => readSignature(other, signatureIn(other))) }),
  }
}

function signatureIn(fields: JsonFields): Uint8Array | undefined {
  const text = fields.optionalString('sig')
  return text === undefined || text === '' ? undefined : signatureOfText(fields, text)
}

/**
 * A signature in either alphabet of base64, as DSSE has it, but not both. In a bundle there is one text for each byte string, and cosign takes no payload so.
 * @throws DecodingError in the code of the fields
 */
export function signatureOfText(fields: JsonFields, text: string): Uint8Array {
  const isForAddresses = /[-_]/.test(text) && !/[+/]/.test(text)
  return fields.decodeBase64(isForAddresses ? text.replaceAll('-', '+').replaceAll('_', '/') : text, 'sig')
}

/** @param signature beside others it may be empty, and is none that verifies, as with other implementations */
function readSignature(fields: JsonFields, signature: Uint8Array = new Uint8Array(0)): EnvelopeSignature {
  return { signature, keyId: fields.optionalString('keyid') ?? '' }
}
