/** libsodium's sealed boxes (`crypto_box_seal`): bytes that only the holder of an X25519 key can read, from nobody in particular. */
import { randomBytes } from 'node:crypto'
import { concatBytes } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'

const keyBytes = 32
const nonceBytes = 24
/** "expand 32-byte k", the constant of Salsa20, as little-endian words. */
const sigma = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)

/**
 * Seals a message for a key: an ephemeral public key, then crypto_box's tag and ciphertext, 48 bytes more than the message.
 * @param recipient the X25519 public key, 32 bytes
 * @throws DecodingError KEY_INVALID for a key of another length, or one of the few with which anybody could read the message
 */
export async function sealBox(message: Uint8Array, recipient: Uint8Array): Promise<Uint8Array> {
  if (recipient.length !== keyBytes) {
    throw new DecodingError('KEY_INVALID', `the key to seal for has ${recipient.length} bytes, an X25519 key has ${keyBytes}`)
  }
  const [{ hsalsa, xsalsa20poly1305 }, { x25519 }, { blake2b }] = await Promise.all([
    import('@noble/ciphers/salsa.js'),
    import('@noble/curves/ed25519.js'),
    import('@noble/hashes/blake2.js'),
  ])
  const secret = randomBytes(keyBytes)
  const ephemeral = x25519.getPublicKey(secret)
  let shared: Uint8Array
  try {
    shared = x25519.getSharedSecret(secret, recipient)
  } catch (cause) {
    throw new DecodingError('KEY_INVALID', 'the key to seal for is not a point of X25519 that can be used', { cause })
  } finally {
    secret.fill(0)
  }
  // crypto_box: the shared point is not the key itself, HSalsa20 of it under a nonce of zeros is.
  const words = new Uint32Array(keyBytes / 4)
  hsalsa(sigma, wordsOf(shared), new Uint32Array(4), words)
  const key = bytesOf(words)
  const nonce = blake2b(concatBytes(ephemeral, recipient), { dkLen: nonceBytes })
  const sealed = xsalsa20poly1305(key, nonce).encrypt(message)
  for (const used of [shared, words, key]) used.fill(0)
  return concatBytes(ephemeral, sealed)
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index, true))
}

function bytesOf(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length)
  const view = new DataView(bytes.buffer)
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word, true)
  return bytes
}
