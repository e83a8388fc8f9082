/** Checking a signature, which costs more than everything else that adding an entry takes. */
import type { CurveName } from '../../crypto/curve.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { prepareKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { asBuffer } from '../../encoding/bytes.ts'
import { loadEd25519ph, verifyDigest, verifySignature } from '../../crypto/signature.ts'
import type { OpenTask, Task, Work } from './task.ts'

/** A signature and what it should be of. */
export interface SignatureCheck {
  readonly key: PublicKey
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  /** The signed bytes, or their digest of the algorithm's own digest algorithm. */
  readonly over: { readonly kind: 'data' | 'digest'; readonly bytes: Uint8Array }
}

/**
 * Says whether it is the key's signature.
 * @throws CountersignError LOG_OVERLOADED when too many wait for an answer
 */
export type SignatureChecker = (check: SignatureCheck) => boolean | Promise<boolean>

/** Checks in this thread. */
export const checkSignature: SignatureChecker = (check) => {
  if (check.algorithm === 'ed25519ph') return loadEd25519ph().then(() => verify(check))
  // Over a digest it is another key that is imported.
  const preparing = check.over.kind === 'data' ? prepareKey(check.key) : undefined
  return preparing === undefined ? verify(check) : preparing.then(() => verify(check))
}

function verify({ key, algorithm, signature, over }: SignatureCheck): boolean {
  const verifyOver = over.kind === 'digest' ? verifyDigest : verifySignature
  return verifyOver(key, algorithm, over.bytes, signature)
}

/** The work of a thread: a check as `encodeCheck` writes it, answered by one byte. */
const checkEncoded: Work = (input) => {
  const isValid = checkSignature(decodeCheck(input))
  return typeof isValid === 'boolean' ? answerOf(isValid) : isValid.then(answerOf)
}

function answerOf(isValid: boolean): Uint8Array {
  return Uint8Array.of(isValid ? 1 : 0)
}

export const checkTask: Task<undefined> = { name: 'check', create: () => checkEncoded }

/** A checker whose work may be done in another thread. */
export function openChecker(open: OpenTask): SignatureChecker {
  const work = open({ task: checkTask, setup: () => undefined, here: checkEncoded })
  return async (check) => (await work(encodeCheck(check)))[0] === 1
}

const algorithms: readonly SignatureAlgorithm[] = [
  'ecdsa-sha224',
  'ecdsa-sha256',
  'ecdsa-sha384',
  'ecdsa-sha512',
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
  'rsa-pss-sha512',
  'ed25519',
  'ed25519ph',
]
const keyKinds = ['P-256', 'P-384', 'P-521', 'rsa', 'ed25519'] as const
const overKinds = ['data', 'digest'] as const

/** One octet each for algorithm, kind of key and kind of message; four for each of the numbers. */
const headSize = 3 + 4 * 4

/** The check as bytes. The key was parsed, so that it need not be parsed again: only its parts are found again. */
export function encodeCheck({ key, algorithm, signature, over }: SignatureCheck): Uint8Array {
  // Point and PKCS#1 key are the end of the SubjectPublicKeyInfo.
  const tail = key.kind === 'rsa' ? key.pkcs1 : key.point
  const bytes = new Uint8Array(headSize + key.spki.length + signature.length + over.bytes.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, algorithms.indexOf(algorithm))
  view.setUint8(1, keyKinds.indexOf(key.kind === 'ecdsa' ? key.curve : key.kind))
  view.setUint8(2, overKinds.indexOf(over.kind))
  const numbers = [key.spki.length, tail.length, key.kind === 'rsa' ? key.modulusBits : 0, signature.length]
  for (const [at, number] of numbers.entries()) view.setUint32(3 + 4 * at, number)
  bytes.set(key.spki, headSize)
  bytes.set(signature, headSize + key.spki.length)
  bytes.set(over.bytes, headSize + key.spki.length + signature.length)
  return bytes
}

/** What `encodeCheck` wrote. */
export function decodeCheck(bytes: Uint8Array): SignatureCheck {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [spkiLength = 0, tailLength = 0, modulusBits = 0, signatureLength = 0] = [0, 1, 2, 3].map((at) => view.getUint32(3 + 4 * at))
  const algorithm = algorithms[view.getUint8(0)]
  const kind = keyKinds[view.getUint8(1)]
  const over = overKinds[view.getUint8(2)]
  if (algorithm === undefined || kind === undefined || over === undefined) throw new TypeError('not a check of a signature')
  const spki = bytes.subarray(headSize, headSize + spkiLength)
  const message = headSize + spkiLength + signatureLength
  return {
    key: knownKey(spki, () => keyOf(kind, Uint8Array.from(spki), tailLength, modulusBits)),
    algorithm,
    signature: bytes.subarray(headSize + spkiLength, message),
    over: { kind: over, bytes: bytes.subarray(message) },
  }
}

/** Keys that were seen before, which need not be imported again: those of logs and of machines that sign often. */
const knownKeys = new Map<string, PublicKey>()
const maxKnownKeys = 256

function knownKey(spki: Uint8Array, parse: () => PublicKey): PublicKey {
  const name = asBuffer(spki).toString('latin1')
  const known = knownKeys.get(name)
  if (known !== undefined) return known
  const key = parse()
  const [oldest] = knownKeys.keys()
  if (knownKeys.size >= maxKnownKeys && oldest !== undefined) knownKeys.delete(oldest)
  knownKeys.set(name, key)
  return key
}

function keyOf(kind: CurveName | 'rsa' | 'ed25519', spki: Uint8Array, tailLength: number, modulusBits: number): PublicKey {
  const tail = spki.subarray(spki.length - tailLength)
  if (kind === 'rsa') return { kind, modulusBits, pkcs1: tail, spki }
  return kind === 'ed25519' ? { kind, point: tail, spki } : { kind: 'ecdsa', curve: kind, point: tail, spki }
}
