/** Signing, which other threads may do. */
import type { PrivateKey } from '../../crypto/private-key.ts'
import { parsePrivateKey } from '../../crypto/private-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import type { LocalSigner, Signer } from '../../crypto/signer.ts'
import type { OpenTask, Task } from './task.ts'

/** A private key on its way to another thread of this process. */
export interface SigningSetup {
  readonly pkcs8: Uint8Array
  readonly algorithm: SignatureAlgorithm
}

/** The signer of a setup, whose bytes are wiped. */
export function signerOf({ pkcs8, algorithm }: SigningSetup): LocalSigner {
  try {
    return parsePrivateKey(pkcs8).createSigner(algorithm)
  } finally {
    pkcs8.fill(0)
  }
}

/** The setup of a key with its usual algorithm. */
export function signingSetup(key: PrivateKey): SigningSetup {
  // A copy in a buffer of its own: Buffers of that size share one.
  return { pkcs8: Uint8Array.from(key.encodePkcs8()), algorithm: key.createSigner().algorithm }
}

export const signingTask: Task<SigningSetup> = {
  name: 'sign',
  create: (setup) => {
    const signer = signerOf(setup)
    return (input) => signer.sign(input)
  },
}

/** A signer whose work may be done in another thread. Signing throws CountersignError LOG_OVERLOADED when too much waits. */
export function openSigner(open: OpenTask, key: PrivateKey): Signer {
  const signer = key.createSigner()
  const { publicKey, algorithm } = signer
  return { publicKey, algorithm, sign: open({ task: signingTask, setup: () => signingSetup(key), here: (input) => signer.sign(input) }) }
}
