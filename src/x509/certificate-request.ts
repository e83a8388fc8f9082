/** Certificate signing requests (PKCS#10, RFC 2986), of which only the key and the proof that it is held are used. */
import { parsePublicKey } from '../crypto/public-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../crypto/signature-algorithm.ts'
import { signatureAlgorithmFromOid } from '../crypto/signature-algorithm.ts'
import { parseDerSequence } from '../encoding/der.ts'
import { parsePem } from '../encoding/pem.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { DecodingError, messageOf } from '../error.ts'

const maxBytes = 64 * 1024
const what = 'the certificate signing request'

/** What counts of a request. Its subject, attributes and extensions are ignored. */
export interface CertificateRequest {
  readonly publicKey: PublicKey
  readonly algorithm: SignatureAlgorithm
  /** The CertificationRequestInfo as received. */
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Parses a request. Whether it is signed by its own key is for the caller to verify.
 * @param bytes PEM (`CERTIFICATE REQUEST`, or its old name with `NEW`) or DER
 * @throws DecodingError CSR_INVALID, TOO_LARGE; KEY_UNSUPPORTED for a well-formed key of another kind or size
 */
export function parseCertificateRequest(bytes: Uint8Array): CertificateRequest {
  if (bytes.length > maxBytes) throw new DecodingError('TOO_LARGE', `${what} has more than ${maxBytes} bytes`)
  const der = derOf(bytes)
  const { spki, oid, parameters, ...signed } = attempt(() => readRequest(der))
  const publicKey = parseKey(spki)
  return { publicKey, algorithm: attempt(() => signatureAlgorithmFromOid(oid, parameters)), ...signed }
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

function readRequest(der: Uint8Array) {
  const outer = parseDerSequence(der, what)
  const info = outer.any('the request info')
  const algorithm = outer.sequence('the signature algorithm')
  const oid = algorithm.oid('the signature algorithm')
  const parameters = algorithm.done ? undefined : algorithm.any('its parameters').bytes
  algorithm.end()
  const signature = outer.bitString('the signature')
  outer.end()
  const reader = parseDerSequence(info.bytes, 'the request info')
  const version = reader.smallInteger('the version')
  if (version !== 0) throw invalid(`it has version ${version + 1}, only version 1 is known`)
  reader.sequence('the subject')
  return { spki: reader.any('the public key').bytes, oid, parameters, signedBytes: info.bytes, signature }
}

function parseKey(spki: Uint8Array): PublicKey {
  try {
    return parsePublicKey(spki)
  } catch (cause) {
    if (cause instanceof DecodingError && cause.code === 'KEY_UNSUPPORTED') throw cause
    throw invalid(messageOf(cause), cause)
  }
}

function attempt<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    throw cause instanceof DecodingError && cause.code !== 'CSR_INVALID' ? invalid(cause.message, cause) : cause
  }
}

function invalid(reason: string, cause?: unknown): DecodingError {
  return new DecodingError('CSR_INVALID', `${what} cannot be read: ${reason}`, { cause })
}
