/** Signing on a condition: that another signature is right. One piece of work for another thread instead of two. */
import type { PrivateKey } from '../../crypto/private-key.ts'
import type { Signer } from '../../crypto/signer.ts'
import { concatBytes } from '../../encoding/bytes.ts'
import { tlsUint } from '../../encoding/tls.ts'
import type { SignatureCheck, SignatureChecker } from './signature-check.ts'
import { checkSignature, decodeCheck, encodeCheck } from './signature-check.ts'
import type { SigningSetup } from './signing.ts'
import { signerOf, signingSetup } from './signing.ts'
import type { OpenTask, Task, Work } from './task.ts'

/**
 * Signs the data if the check finds its signature right.
 * @returns undefined where it does not: nothing was signed then
 * @throws CountersignError LOG_OVERLOADED when too much waits; whatever the signer throws
 */
export type GuardedSigner = (check: SignatureCheck, data: Uint8Array) => Promise<Uint8Array | undefined>

/** Checks and signs one after the other. */
export function guardSigner(signer: Pick<Signer, 'sign'>, check: SignatureChecker = checkSignature): GuardedSigner {
  return async (condition, data) => ((await check(condition)) ? signer.sign(data) : undefined)
}

/** The work of a thread: the length of the check, the check, the data; answered by the signature, or by nothing. */
export const guardedSigningTask: Task<SigningSetup> = {
  name: 'check and sign',
  create: (setup) => guardedWork(signerOf(setup)),
}

/** As `guardSigner`, whose work may be done in another thread. */
export function openGuardedSigner(open: OpenTask, key: PrivateKey): GuardedSigner {
  const work = open({ task: guardedSigningTask, setup: () => signingSetup(key), here: guardedWork(key.createSigner()) })
  return async (condition, data) => {
    const check = encodeCheck(condition)
    const signature = await work(concatBytes(tlsUint(check.length, lengthSize), check, data))
    return signature.length === 0 ? undefined : signature
  }
}

const lengthSize = 4
const nothing = new Uint8Array(0)

function guardedWork(signer: Pick<Signer, 'sign'>): Work {
  const sign = guardSigner(signer)
  return async (input) => {
    const start = lengthSize + new DataView(input.buffer, input.byteOffset).getUint32(0)
    return (await sign(decodeCheck(input.subarray(lengthSize, start)), input.subarray(start))) ?? nothing
  }
}
