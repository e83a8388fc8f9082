/** The other encoding of ECDSA signatures: r and s side by side, each as long as the order (IEEE P1363, RFC 7518 section 3.4, PKCS#11). */
import { derInteger, derSequence } from '../encoding/der-writer.ts'
import { DecodingError } from '../error.ts'
import type { CurveName } from './curve.ts'
import { curves } from './curve.ts'

/**
 * The signature as ECDSA-Sig-Value (RFC 3279 section 2.2.3), as everything here takes it.
 * @param signature r and s, nothing else
 * @throws DecodingError ENCODING_INVALID when it is of another length than the curve's
 */
export function encodeEcdsaSignature(curve: CurveName, signature: Uint8Array): Uint8Array {
  const { size } = curves[curve]
  if (signature.length !== 2 * size) {
    throw new DecodingError('ENCODING_INVALID', `an ECDSA signature on ${curve} is ${2 * size} bytes long, found ${signature.length}`)
  }
  return derSequence(derInteger(signature.subarray(0, size)), derInteger(signature.subarray(size)))
}
