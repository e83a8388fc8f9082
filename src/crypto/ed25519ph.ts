/** Ed25519ph (RFC 8032 section 5.1) over a digest, with an empty context. Loaded only when such a signature is met. */
import { eddsa } from '@noble/curves/abstract/edwards.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, encodeUtf8 } from '../encoding/bytes.ts'

// dom2(1, ""): RFC 8032 section 2.
const domain = concatBytes(encodeUtf8('SigEd25519 no Ed25519 collisions'), Uint8Array.of(1, 0))

const overDigest = eddsa(ed25519.Point, sha512, {
  domain: (data: Uint8Array) => concatBytes(domain, data),
  // The digest takes the place of PH(M).
  prehash: (digest: Uint8Array) => digest,
})

/** Whether it is the key's Ed25519ph signature over the message with this SHA-512 digest. Strict: RFC 8032, no ZIP 215. */
export function verifyEd25519ph(point: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  if (digest.length !== 64 || signature.length !== 64) return false
  try {
    return overDigest.verify(signature, digest, point, { zip215: false })
  } catch {
    return false
  }
}
