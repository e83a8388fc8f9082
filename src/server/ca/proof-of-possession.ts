/** That a client holds the key it wants a certificate for, and that the key is a good one. */
import type { KeyProof } from '../../api/fulcio.ts'
import { algorithmRefusal, fulcioRefusals } from '../../api/fulcio.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { describeKey, parsePublicKey, parsePublicKeyPem } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { defaultSignatureAlgorithm } from '../../crypto/signature.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, messageOf } from '../../error.ts'
import { parseCertificateRequest } from '../../x509/certificate-request.ts'
import { RefusalError } from './refusal.ts'
import { rsaWeakness } from './rsa-weakness.ts'
import type { SignatureCheck } from '../threads/signature-check.ts'

/** A key, and what proves that it is held. */
export interface Possession {
  readonly key: PublicKey
  /** One of these has to be right. */
  readonly proofs: readonly SignatureCheck[]
  /** What is wrong where none is. */
  readonly complaint: string
}

/**
 * The key of a request, which is a good one, with what is left to be checked: the signature.
 * @param challenges the texts of which one has to be signed; a signing request proves possession by itself
 * @throws RefusalError
 */
export function possessionOf(proof: KeyProof, challenges: readonly string[]): Possession {
  return proof.kind === 'csr' ? possessionBySigningRequest(proof.request) : possessionByChallenge(proof, challenges)
}

function possessionByChallenge({ publicKey, signature }: Extract<KeyProof, { kind: 'proof' }>, challenges: readonly string[]): Possession {
  const key = parseKey(() => readKey(publicKey), fulcioRefusals.publicKey)
  checkStrength(key)
  const algorithm = defaultSignatureAlgorithm(key)
  const texts = [...new Set(challenges)]
  return {
    key,
    proofs: texts.map((text) => ({ key, algorithm, signature, over: { kind: 'data', bytes: encodeUtf8(text) } })),
    complaint: 'the signature of the proof of possession does not verify',
  }
}

function possessionBySigningRequest(bytes: Uint8Array): Possession {
  const { publicKey: key, algorithm, signedBytes, signature } = parseKey(() => parseCertificateRequest(bytes), fulcioRefusals.csr)
  checkStrength(key)
  checkAlgorithm(key, algorithm)
  return {
    key,
    proofs: [{ key, algorithm, signature, over: { kind: 'data', bytes: signedBytes } }],
    complaint: 'the certificate signing request is not signed by its own key',
  }
}

function readKey(bytes: Uint8Array): PublicKey {
  return bytes[0] === 0x30 ? parsePublicKey(bytes) : parsePublicKeyPem(decodeUtf8(bytes, 'the public key'))
}

/** Other curves and sizes than ours do not even parse: Fulcio calls such keys insecure. */
function parseKey<Result>(parse: () => Result, refusal: RefusalError['refusal']): Result {
  try {
    return parse()
  } catch (cause) {
    const isUnsupported = cause instanceof CountersignError && cause.code === 'KEY_UNSUPPORTED'
    throw new RefusalError(isUnsupported ? fulcioRefusals.insecureKey : refusal, messageOf(cause), { cause })
  }
}

function checkStrength(key: PublicKey): void {
  const weakness = key.kind === 'rsa' ? rsaWeakness(key) : undefined
  if (weakness !== undefined) throw new RefusalError(fulcioRefusals.insecureKey, weakness)
}

/** Each key signs as the algorithm registry has it, since clients will make signatures in the same way. */
function checkAlgorithm(key: PublicKey, algorithm: SignatureAlgorithm): void {
  if (algorithm === defaultSignatureAlgorithm(key)) return
  const refusal = algorithmRefusal(`${describeKey(key)} with ${algorithm}`)
  throw new RefusalError(refusal, refusal.message)
}
