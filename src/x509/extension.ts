/** The extensions of RFC 5280 section 4.2 that path validation reads. */
import { DerReader, parseDerSequence } from '../encoding/der.ts'
import { contextTag } from '../encoding/der-tag.ts'
import { DecodingError } from '../error.ts'

/** One extension as received. */
export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** The content of its OCTET STRING. */
  readonly value: Uint8Array
  /** The whole element, for rebuilding the bytes that an SCT signs. */
  readonly bytes: Uint8Array
}

export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength: number | undefined
}

/** The key usages that Sigstore's certificates have; others are read and dropped. */
export interface KeyUsage {
  readonly digitalSignature: boolean
  /** Once called non-repudiation: signatures, too, but not of certificates. */
  readonly contentCommitment: boolean
  readonly keyCertSign: boolean
}

/** Section 4.2.1.9. */
export function parseBasicConstraints(value: Uint8Array): BasicConstraints {
  const reader = parseDerSequence(value, 'the basic constraints')
  let ca = false
  if (reader.peekTag() === 0x01) {
    ca = reader.boolean('cA')
    // X.690 11.5: DER leaves a DEFAULT value out.
    if (!ca) throw new DecodingError('CERTIFICATE_INVALID', 'the basic constraints spell out cA FALSE, which DER leaves out')
  }
  const pathLength = reader.done ? undefined : reader.smallInteger('pathLenConstraint')
  reader.end()
  if (!ca && pathLength !== undefined) throw new DecodingError('CERTIFICATE_INVALID', 'the basic constraints have a path length without cA')
  return { ca, pathLength }
}

/** Section 4.2.1.3. */
export function parseKeyUsage(value: Uint8Array): KeyUsage {
  const reader = new DerReader(value, 'the key usage')
  const bits = reader.namedBits('the key usage')
  reader.end()
  return { digitalSignature: bits[0] === true, contentCommitment: bits[1] === true, keyCertSign: bits[5] === true }
}

/** Section 4.2.1.12: object identifiers of the purposes. */
export function parseExtendedKeyUsage(value: Uint8Array): readonly string[] {
  const reader = parseDerSequence(value, 'the extended key usage')
  const purposes: string[] = []
  while (!reader.done && purposes.length < 32) purposes.push(reader.oid('a purpose'))
  reader.end()
  if (purposes.length === 0) throw new DecodingError('CERTIFICATE_INVALID', 'the extended key usage is empty')
  return purposes
}

/** Section 4.2.1.2. */
export function parseSubjectKeyIdentifier(value: Uint8Array): Uint8Array {
  const reader = new DerReader(value, 'the subject key identifier')
  const identifier = reader.octetString('the identifier')
  reader.end()
  return identifier
}

/** Section 4.2.1.1; undefined when the issuer is named in another way than by its key identifier. */
export function parseAuthorityKeyIdentifier(value: Uint8Array): Uint8Array | undefined {
  const reader = parseDerSequence(value, 'the authority key identifier')
  const identifier = reader.optional(contextTag(0, false), 'keyIdentifier')?.content
  reader.optional(contextTag(1, true), 'authorityCertIssuer')
  reader.optional(contextTag(2, false), 'authorityCertSerialNumber')
  reader.end()
  return identifier
}
