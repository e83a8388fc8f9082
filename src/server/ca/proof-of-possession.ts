/** That a client holds the key it wants a certificate for, and that the key is a good one. */
import type { KeyProof } from '../../api/fulcio.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKey, parsePublicKeyPem } from '../../crypto/public-key.ts'
import { defaultSignatureAlgorithm, verifySignature } from '../../crypto/signature.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import { VerificationError } from '../../error.ts'
import { verifyCertificateRequest } from '../../x509/certificate-request.ts'
import { hasRocaFingerprint, rsaParameters } from './rsa-weakness.ts'

/** Why a key gets no certificate: what Fulcio's API calls it. */
export type ProofFailure = 'publicKey' | 'insecureKey' | 'proof' | 'csr'

/** A proof that does not hold. */
export class ProofError extends VerificationError {
  override name = 'ProofError'
  readonly failure: ProofFailure

  constructor(failure: ProofFailure, message: string, options?: { readonly cause?: unknown }) {
    super('KEY_INVALID', message, options)
    this.failure = failure
  }
}

/**
 * The key that is proven to be held.
 * @param challenges the texts of which one has to be signed; a signing request proves possession by itself
 * @throws ProofError
 */
export function verifyPossession(proof: KeyProof, challenges: readonly string[]): PublicKey {
  if (proof.kind === 'csr') return checkStrength(attempt('csr', () => verifyCertificateRequest(proof.request)))
  const key = checkStrength(attempt('publicKey', () => readKey(proof.publicKey)))
  const algorithm = defaultSignatureAlgorithm(key)
  const isProven = challenges.some((challenge) => verifySignature(key, algorithm, encodeUtf8(challenge), proof.signature))
  if (!isProven) throw new ProofError('proof', 'the signature of the proof of possession does not verify')
  return key
}

function readKey(bytes: Uint8Array): PublicKey {
  return bytes[0] === 0x30 ? parsePublicKey(bytes) : parsePublicKeyPem(decodeUtf8(bytes, 'the public key'))
}

/** Sizes and curves are checked where keys are parsed; what is left are RSA keys of weak generators. */
function checkStrength(key: PublicKey): PublicKey {
  if (key.kind !== 'rsa') return key
  const { modulus, exponent } = rsaParameters(key)
  if (![2048, 3072, 4096].includes(key.modulusBits))
    throw new ProofError('insecureKey', `RSA keys have 2048, 3072 or 4096 bits, found ${key.modulusBits}`)
  if (exponent !== 65_537n) throw new ProofError('insecureKey', `RSA keys have the exponent 65537, found ${exponent}`)
  if (hasRocaFingerprint(modulus)) throw new ProofError('insecureKey', 'the RSA key is of a generator that was broken (CVE-2017-15361)')
  return key
}

function attempt(failure: ProofFailure, parse: () => PublicKey): PublicKey {
  try {
    return parse()
  } catch (cause) {
    throw new ProofError(failure, cause instanceof Error ? cause.message : 'it cannot be parsed', { cause })
  }
}
