/** Signing with a key that somebody else holds: what is asked of its holder, and the check of what the holder answers. */
import { createDigest, digest } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { describeKey } from '../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { defaultSignatureAlgorithm, digestOf, loadEd25519ph, verifyDigest, verifySignature } from '../crypto/signature.ts'
import type { Signer } from '../crypto/signer.ts'
import { DecodingError, UsageError, VerificationError } from '../error.ts'
import type { SigningKey } from './key-store.ts'

/** What is to be signed. Pure Ed25519 signs the message, everything else its digest. */
export interface SigningRequest {
  readonly algorithm: SignatureAlgorithm
  /** The digest of the algorithm (`digestOf`); for `ed25519` the message. */
  readonly input: Uint8Array
  /** The message, where it is at hand. */
  readonly message?: Uint8Array
}

export interface HeldKey {
  readonly publicKey: PublicKey
  /** Names the key in messages: its reference, without what is secret in it. */
  readonly name: string
  /** How its holder signs with it; all that the kind of key has where the holder leaves it open. */
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Asks the holder for a signature, encoded as `verifySignature` takes it. */
  readonly sign: (request: SigningRequest) => Promise<Uint8Array>
}

/**
 * The key as signers are made from it. No signature is handed out that the public key does not verify: a holder that answers with
 * another key, or with another version of it, is found out before anything is written. Signing rejects with VerificationError
 * SIGNATURE_INVALID then, and with whatever `sign` rejects with.
 * @throws DecodingError KEY_UNSUPPORTED when the holder has no algorithm for it that is supported here
 */
export function createHeldKey(key: HeldKey): SigningKey {
  const { publicKey, name, algorithms } = key
  const usual = defaultSignatureAlgorithm(publicKey)
  const own = algorithms.includes(usual) ? usual : algorithms[0]
  if (own === undefined) throw new DecodingError('KEY_UNSUPPORTED', `${name} is not for signatures of a kind that is supported`)
  return {
    publicKey,
    ...(publicKey.kind === 'rsa' && algorithms.length === 1 ? { onlyAlgorithm: own } : {}),
    createSigner(algorithm = own) {
      if (!algorithms.includes(algorithm)) {
        const found = `${name} is ${describeKey(publicKey)} that signs with ${algorithms.join(', ')}`
        throw new UsageError('USAGE', `expected a key that signs with ${algorithm}, found that ${found}`)
      }
      return createHeldSigner(key, algorithm)
    },
  }
}

/** Every algorithm for a key of this kind: what a holder offers who leaves the choice open. */
export function algorithmsFor(key: PublicKey): SignatureAlgorithm[] {
  switch (key.kind) {
    case 'ecdsa':
      return [defaultSignatureAlgorithm(key)]
    case 'ed25519':
      return ['ed25519']
    case 'rsa':
      return ['rsa-pkcs1-sha256', 'rsa-pkcs1-sha384', 'rsa-pkcs1-sha512', 'rsa-pss-sha256', 'rsa-pss-sha384', 'rsa-pss-sha512']
  }
}

function createHeldSigner({ publicKey, name, sign }: HeldKey, algorithm: SignatureAlgorithm): Signer {
  const digestAlgorithm = digestOf(algorithm)
  const ask = async (request: SigningRequest): Promise<Uint8Array> => {
    if (algorithm === 'ed25519ph') await loadEd25519ph()
    const signature = Uint8Array.from(await sign(request))
    const isOwn =
      digestAlgorithm === undefined
        ? verifySignature(publicKey, algorithm, request.input, signature)
        : verifyDigest(publicKey, algorithm, request.input, signature)
    if (isOwn) return signature
    throw new VerificationError(
      'SIGNATURE_INVALID',
      `the signature that came back for ${name} is not of its public key with ${algorithm}, so it is not used: check which key the reference names`,
    )
  }
  if (digestAlgorithm === undefined) return { publicKey, algorithm, sign: (data) => ask({ algorithm, input: data }) }
  return {
    publicKey,
    algorithm,
    sign: (data) => ask({ algorithm, input: digest(digestAlgorithm, data), message: data }),
    start() {
      const state = createDigest(digestAlgorithm)
      return { update: (chunk) => state.update(chunk), finish: () => ask({ algorithm, input: state.finish() }) }
    },
  }
}
