/** Public keys of any kind and size, described: also those that are never accepted for a signature. */
import type { DerReader } from '../../encoding/der.ts'
import { parseDerSequence } from '../../encoding/der.ts'

/** What is shown of a key. */
export type PublicKeyDetails =
  | { readonly algorithm: 'ECDSA'; readonly curve: string; readonly point: Uint8Array }
  | { readonly algorithm: 'Ed25519'; readonly point: Uint8Array }
  | { readonly algorithm: 'RSA'; readonly bits: number }
  | { readonly algorithm: 'Unknown'; readonly oid: string }

const curves: Readonly<Record<string, string>> = {
  '1.3.132.0.33': 'P-224',
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
}

/**
 * Describes a SubjectPublicKeyInfo.
 * @throws DecodingError DER_INVALID
 */
export function describePublicKey(spki: Uint8Array): PublicKeyDetails {
  const reader = parseDerSequence(spki, 'the public key')
  const algorithm = reader.sequence('the algorithm of the key')
  const kind = algorithm.oid('the kind of key')
  const bits = reader.bitString('the key bits')
  reader.end()
  switch (kind) {
    case '1.2.840.10045.2.1':
      return { algorithm: 'ECDSA', curve: curveOf(algorithm), point: bits }
    case '1.3.101.112':
      return { algorithm: 'Ed25519', point: bits }
    case '1.2.840.113549.1.1.1':
      return { algorithm: 'RSA', bits: modulusBits(bits) }
    default:
      return { algorithm: 'Unknown', oid: kind }
  }
}

function curveOf(algorithm: DerReader): string {
  const oid = algorithm.oid('the curve')
  return curves[oid] ?? oid
}

function modulusBits(key: Uint8Array): number {
  const modulus = parseDerSequence(key, 'the RSA key').integerBytes('the modulus')
  const start = modulus.findIndex((byte) => byte !== 0)
  return start === -1 ? 0 : (modulus.length - start) * 8 - (Math.clz32(modulus[start] ?? 0) - 24)
}
