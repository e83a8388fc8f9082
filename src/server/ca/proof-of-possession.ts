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
import type { SignatureChecker } from '../threads/signature-check.ts'

/**
 * The key that is proven to be held.
 * @param challenges the texts of which one has to be signed; a signing request proves possession by itself
 * @throws RefusalError
 */
export function verifyPossession(proof: KeyProof, challenges: readonly string[], check: SignatureChecker): Promise<PublicKey> {
  return proof.kind === 'csr' ? verifySigningRequest(proof.request, check) : verifyProof(proof, challenges, check)
}

async function verifyProof(
  { publicKey, signature }: Extract<KeyProof, { kind: 'proof' }>,
  challenges: readonly string[],
  check: SignatureChecker,
): Promise<PublicKey> {
  const key = parseKey(() => readKey(publicKey), fulcioRefusals.publicKey)
  checkStrength(key)
  const algorithm = defaultSignatureAlgorithm(key)
  for (const challenge of new Set(challenges)) {
    if (await check({ key, algorithm, signature, over: { kind: 'data', bytes: encodeUtf8(challenge) } })) return key
  }
  throw new RefusalError(fulcioRefusals.proof, 'the signature of the proof of possession does not verify')
}

async function verifySigningRequest(bytes: Uint8Array, check: SignatureChecker): Promise<PublicKey> {
  const request = parseKey(() => parseCertificateRequest(bytes), fulcioRefusals.csr)
  const { publicKey, algorithm, signedBytes, signature } = request
  checkStrength(publicKey)
  if (!(await check({ key: publicKey, algorithm, signature, over: { kind: 'data', bytes: signedBytes } })))
    throw new RefusalError(fulcioRefusals.proof, 'the certificate signing request is not signed by its own key')
  checkAlgorithm(publicKey, algorithm)
  return publicKey
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
