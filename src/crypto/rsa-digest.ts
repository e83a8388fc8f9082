/** RSA signatures over a digest that was given instead of the message (RFC 8017 sections 8.1 and 8.2). */
import { constants, publicDecrypt } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { concatBytes, equalBytes } from '../encoding/bytes.ts'
import { derNull, derOctetString, derOid, derSequence } from '../encoding/der-writer.ts'
import type { DigestAlgorithm } from './digest.ts'
import { digest as hash, digestLength } from './digest.ts'

const oids: Readonly<Record<DigestAlgorithm, string>> = {
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
}

/** DigestInfo (RFC 8017 section 9.2 note 1), DER: what RSASSA-PKCS1-v1_5 pads, and what tokens are given to pad and sign. */
export function encodeDigestInfo(algorithm: DigestAlgorithm, digest: Uint8Array): Uint8Array {
  return derSequence(derSequence(derOid(oids[algorithm]), derNull()), derOctetString(digest))
}

/** RSASSA-PKCS1-v1_5: the encoded message must be exactly the one that the digest has (section 8.2.2). */
export function verifyPkcs1Digest(key: KeyObject, algorithm: DigestAlgorithm, digest: Uint8Array, signature: Uint8Array): boolean {
  const encoded = recover(key, signature)
  if (encoded === undefined) return false
  const info = encodeDigestInfo(algorithm, digest)
  const padding = new Uint8Array(encoded.length - info.length - 3).fill(0xff)
  return equalBytes(encoded, concatBytes(Uint8Array.of(0, 1), padding, Uint8Array.of(0), info))
}

/** RSASSA-PSS with MGF1 over the same digest and a salt of any length (section 9.1.2). */
export function verifyPssDigest(key: KeyObject, algorithm: DigestAlgorithm, digest: Uint8Array, signature: Uint8Array): boolean {
  const recovered = recover(key, signature)
  const modulusBits = key.asymmetricKeyDetails?.modulusLength
  if (recovered === undefined || modulusBits === undefined) return false
  const emBits = modulusBits - 1
  const emLength = Math.ceil(emBits / 8)
  // A modulus of 8k + 1 bits has one byte more than the encoded message, which must be 0.
  if (recovered.length > emLength && recovered[0] !== 0) return false
  const encoded = recovered.subarray(recovered.length - emLength)
  const hashLength = digestLength(algorithm)
  if (emLength < hashLength + 2 || encoded[emLength - 1] !== 0xbc) return false
  const maskedDb = encoded.subarray(0, emLength - hashLength - 1)
  const h = encoded.subarray(emLength - hashLength - 1, emLength - 1)
  const topBits = 0xff >> (8 * emLength - emBits)
  if (((maskedDb[0] ?? 0) & ~topBits & 0xff) !== 0) return false
  const mask = mgf1(algorithm, h, maskedDb.length)
  const db = maskedDb.map((byte, index) => byte ^ (mask[index] ?? 0))
  db[0] = (db[0] ?? 0) & topBits
  const separator = db.findIndex((byte) => byte !== 0)
  if (separator < 0 || db[separator] !== 0x01) return false
  return equalBytes(hash(algorithm, new Uint8Array(8), digest, db.subarray(separator + 1)), h)
}

function mgf1(algorithm: DigestAlgorithm, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let counter = 0; counter * digestLength(algorithm) < length; counter++) {
    blocks.push(hash(algorithm, seed, Uint8Array.of(0, 0, counter >> 8, counter & 0xff)))
  }
  return concatBytes(...blocks).subarray(0, length)
}

/**
 * Whether the signature is as long as the modulus (RFC 8017 section 8.1.2 step 1). OpenSSL takes a shorter one for one with
 * zeros in front, except for PKCS#1 v1.5 over a message.
 */
export function hasModulusLength(key: KeyObject, signature: Uint8Array): boolean {
  return signature.length === Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

/** signature^e mod n; undefined when the signature is not of the key's size or not below its modulus. */
function recover(key: KeyObject, signature: Uint8Array): Uint8Array | undefined {
  if (!hasModulusLength(key, signature)) return undefined
  try {
    return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature)
  } catch {
    return undefined
  }
}
