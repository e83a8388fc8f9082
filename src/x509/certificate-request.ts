/** Certificate signing requests (PKCS#10, RFC 2986), of which only the key and the proof that it is held are used. */
import { parsePublicKey } from '../crypto/public-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { signatureAlgorithmFromOid } from '../crypto/signature-algorithm.ts'
import { verifySignature } from '../crypto/signature.ts'
import { parseDerSequence } from '../encoding/der.ts'
import { parsePem } from '../encoding/pem.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { DecodingError, VerificationError, messageOf } from '../error.ts'

const maxBytes = 64 * 1024
const what = 'the certificate signing request'

/**
 * The key of a request whose signature by that key verifies. Its subject, attributes and extensions are ignored.
 * @param bytes PEM (`CERTIFICATE REQUEST`, or its old name with `NEW`) or DER
 * @throws DecodingError CSR_INVALID, TOO_LARGE; VerificationError SIGNATURE_INVALID
 */
export function verifyCertificateRequest(bytes: Uint8Array): PublicKey {
  if (bytes.length > maxBytes) throw new DecodingError('TOO_LARGE', `${what} has more than ${maxBytes} bytes`)
  const { signedBytes, publicKey, algorithm, signature } = parse(derOf(bytes))
  if (verifySignature(publicKey, algorithm, signedBytes, signature)) return publicKey
  throw new VerificationError('SIGNATURE_INVALID', `${what} is not signed by its own key`)
}

function derOf(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x30) return bytes
  try {
    const [block, ...others] = parsePem(decodeUtf8(bytes, what), what)
    if (block !== undefined && others.length === 0 && /^(?:NEW )?CERTIFICATE REQUEST$/.test(block.label)) return block.der
  } catch (cause) {
    throw invalid(messageOf(cause), cause)
  }
  throw invalid('it should be one PEM block CERTIFICATE REQUEST')
}

function parse(der: Uint8Array) {
  try {
    const outer = parseDerSequence(der, what)
    const info = outer.any('the request info')
    const algorithmReader = outer.sequence('the signature algorithm')
    const oid = algorithmReader.oid('the signature algorithm')
    const parameters = algorithmReader.done ? undefined : algorithmReader.any('its parameters').bytes
    algorithmReader.end()
    const signature = outer.bitString('the signature')
    outer.end()
    const reader = parseDerSequence(info.bytes, 'the request info')
    const version = reader.smallInteger('the version')
    if (version !== 0) throw invalid(`it has version ${version + 1}, only version 1 is known`)
    reader.sequence('the subject')
    const publicKey = parsePublicKey(reader.any('the public key').bytes)
    return { signedBytes: info.bytes, publicKey, algorithm: signatureAlgorithmFromOid(oid, parameters), signature }
  } catch (cause) {
    if (cause instanceof DecodingError && cause.code !== 'CSR_INVALID') throw invalid(cause.message, cause)
    throw cause
  }
}

function invalid(reason: string, cause?: unknown): DecodingError {
  return new DecodingError('CSR_INVALID', `${what} cannot be read: ${reason}`, { cause })
}
