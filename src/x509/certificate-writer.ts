/** Writes and signs certificates (RFC 5280 section 4.1): what the private authorities issue. */
import { digest } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { x509AlgorithmIdentifier } from '../crypto/signature-algorithm.ts'
import type { LocalSigner } from '../crypto/signer.ts'
import {
  derBoolean,
  derElement,
  derExplicit,
  derHeader,
  derImplicit,
  derInteger,
  derNamedBits,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
} from '../encoding/der-writer.ts'
import { parseDerSequence } from '../encoding/der.ts'
import { contextTag } from '../encoding/der-tag.ts'
import * as tag from '../encoding/universal-tag.ts'
import { concatBytes, encodeUtf8, excerpt } from '../encoding/bytes.ts'
import { DecodingError, UsageError } from '../error.ts'
import { joinTbs } from './certificate.ts'
import * as oid from './object-identifiers.ts'

/** What a certificate is to say. Names are whole DER elements, instants epoch milliseconds. */
export interface CertificateTemplate {
  /** The big-endian magnitude, positive, at most 20 bytes. */
  readonly serialNumber: Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** Whole elements, in this order. */
  readonly extensions: readonly Uint8Array[]
}

const maxSerialBytes = 20
/** Of X.520's organization and common name (RFC 5280 appendix A.1, ub-organization-name and ub-common-name). */
export const maxNameCharacters = 64

/**
 * The TBSCertificate, DER.
 * @param algorithm the AlgorithmIdentifier of the signature that will be made
 * @throws UsageError USAGE for a serial number or a validity that no certificate has
 */
function encodeTbsCertificate(template: CertificateTemplate, algorithm: Uint8Array): Uint8Array {
  return tbsEncoder(template, algorithm)()
}

/**
 * Encodes several TBSCertificates that differ in their last extensions alone: a precertificate, and what becomes of it.
 * @returns a function that takes the extensions behind those of the template
 * @throws UsageError as `encodeTbsCertificate`
 */
export function tbsEncoder(template: CertificateTemplate, algorithm: Uint8Array): (...further: readonly Uint8Array[]) => Uint8Array {
  checkTemplate(template)
  const head = concatBytes(
    version3,
    derInteger(template.serialNumber),
    algorithm,
    template.issuer,
    derSequence(derTime(template.notBeforeMs), derTime(template.notAfterMs)),
    template.subject,
    template.spki,
  )
  return (...further) => joinTbs(head, [...template.extensions, ...further])
}

const version3 = derExplicit(0, derInteger(2))

/** Section 4.1.2.2: positive, at most 20 octets as an INTEGER. Section 4.1.2.5: a time that ends after it began. */
function checkTemplate({ serialNumber, notBeforeMs, notAfterMs }: CertificateTemplate): void {
  const first = serialNumber.findIndex((byte) => byte !== 0)
  const bytes = first === -1 ? 0 : serialNumber.length - first + ((serialNumber[first] ?? 0) >> 7)
  if (bytes < 1 || bytes > maxSerialBytes)
    throw new UsageError('USAGE', `a certificate's serial number is positive and has at most ${maxSerialBytes} bytes, found ${bytes}`)
  if (!(notBeforeMs <= notAfterMs))
    throw new UsageError('USAGE', `a certificate's validity ends after it begins, found ${notBeforeMs} to ${notAfterMs}`)
}

/** The certificate, DER. @throws UsageError as `encodeTbsCertificate`, and whatever the signer throws */
export function signCertificate(template: CertificateTemplate, signer: LocalSigner): Uint8Array {
  const algorithm = x509AlgorithmIdentifier(signer.algorithm)
  const tbs = encodeTbsCertificate(template, algorithm)
  return encodeSigned(tbs, algorithm, signer.sign(tbs))
}

/** A signed TBSCertificate (section 4.1), DER. @param algorithm that of the TBSCertificate */
export function encodeSigned(tbs: Uint8Array, algorithm: Uint8Array, signature: Uint8Array): Uint8Array {
  return derSequence(tbs, algorithm, derHeader(tag.bitString, 1 + signature.length), noUnusedBits, signature)
}

const noUnusedBits = Uint8Array.of(0)

/**
 * A distinguished name, DER. Empty when it has no parts, as the subject of a Sigstore leaf.
 * @throws UsageError USAGE for a part of other than 1 to 64 characters
 */
export function encodeName(parts: { readonly organization?: string; readonly commonName?: string }): Uint8Array {
  const attributes: Uint8Array[] = []
  if (parts.organization !== undefined) attributes.push(derSet(derSequence(derOid('2.5.4.10'), namePart(parts.organization))))
  if (parts.commonName !== undefined) attributes.push(derSet(derSequence(derOid('2.5.4.3'), namePart(parts.commonName))))
  return derSequence(...attributes)
}

function namePart(text: string): Uint8Array {
  const characters = Array.from(text).length
  if (characters >= 1 && characters <= maxNameCharacters) return derUtf8String(text)
  throw new UsageError(
    'USAGE',
    `a part of a certificate's name has 1 to ${maxNameCharacters} characters, found ${characters}: ${excerpt(text)}`,
  )
}

/** Identifiers of extensions are few, and encoded for each certificate. */
const encodedIdentifiers = new Map<string, Uint8Array>()
const maxEncodedIdentifiers = 64

/** An extension. @param value what its OCTET STRING holds */
export function encodeExtension(identifier: string, critical: boolean, value: Uint8Array): Uint8Array {
  const encoded = encodedIdentifiers.get(identifier) ?? derOid(identifier)
  if (encodedIdentifiers.size < maxEncodedIdentifiers) encodedIdentifiers.set(identifier, encoded)
  return derSequence(encoded, ...(critical ? [derBoolean(true)] : []), derOctetString(value))
}

/** Section 4.2.1.3, critical: the numbers of the bits that are set. @throws UsageError USAGE for none */
export function keyUsageExtension(...bits: readonly number[]): Uint8Array {
  if (bits.length === 0) throw new UsageError('USAGE', 'a key usage has at least one bit')
  return encodeExtension(oid.keyUsage, true, derNamedBits(...bits))
}

/** Section 4.2.1.12. @throws UsageError USAGE for no purpose */
export function extendedKeyUsageExtension(critical: boolean, ...purposes: readonly string[]): Uint8Array {
  if (purposes.length === 0) throw new UsageError('USAGE', 'an extended key usage has at least one purpose')
  return encodeExtension(oid.extendedKeyUsage, critical, derSequence(...purposes.map(derOid)))
}

/** Section 4.2.1.9, critical, of an authority. @param pathLength how many authorities may follow; unbounded when left out */
export function authorityExtension(pathLength?: number): Uint8Array {
  const content = [derBoolean(true), ...(pathLength === undefined ? [] : [derInteger(pathLength)])]
  return encodeExtension(oid.basicConstraints, true, derSequence(...content))
}

/** The key identifier of RFC 7093 section 2, method 1: SHA-256 of the key's bits, its first 20 bytes. */
export function keyIdentifier(key: PublicKey): Uint8Array {
  const reader = parseDerSequence(key.spki, 'the public key')
  reader.sequence('the algorithm')
  return digest('sha256', reader.bitString('the key')).subarray(0, 20)
}

/** Section 4.2.1.2. */
export function subjectKeyIdentifierExtension(identifier: Uint8Array): Uint8Array {
  return encodeExtension(oid.subjectKeyIdentifier, false, derOctetString(identifier))
}

/** Section 4.2.1.1: the key identifier of the issuer, and nothing else. */
export function authorityKeyIdentifierExtension(identifier: Uint8Array): Uint8Array {
  return encodeExtension(oid.authorityKeyIdentifier, false, derSequence(derImplicit(0, identifier)))
}

/** RFC 6962 section 3.1: critical, and NULL. */
export function poisonExtension(): Uint8Array {
  return encodeExtension(oid.precertificatePoison, true, derNull())
}

/** A name of the subject that Fulcio issues certificates for. */
export type IssuedName =
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'uri'; readonly value: string }
  /** `name!domain`, in an otherName of Sigstore's own type. */
  | { readonly kind: 'username'; readonly value: string }

/** Section 4.2.1.6 with one name, critical as it must be where the subject is empty. */
export function subjectAlternativeNameExtension(name: IssuedName): Uint8Array {
  return encodeExtension(oid.subjectAlternativeName, true, derSequence(encodeGeneralName(name)))
}

function encodeGeneralName({ kind, value }: IssuedName): Uint8Array {
  switch (kind) {
    case 'email':
      return ia5Name(1, value, 'the e-mail address')
    case 'uri':
      return ia5Name(6, value, 'the URI')
    case 'username':
      if (value === '') throw new DecodingError('CERTIFICATE_INVALID', 'the user name in a certificate is empty')
      return derElement(contextTag(0, true), concatBytes(derOid(oid.sigstoreOtherName), derExplicit(0, derUtf8String(value))))
  }
}

/** @throws DecodingError CERTIFICATE_INVALID for a character that IA5String has not */
function ia5Name(number: number, text: string, what: string): Uint8Array {
  if (!/^[\u0020-\u007e]+$/.test(text)) {
    throw new DecodingError('CERTIFICATE_INVALID', `${what} in a certificate is printable ASCII, found ${excerpt(text)}`)
  }
  return derImplicit(number, encodeUtf8(text))
}
