/** What a key file holds: cosign's encrypted private key, a private key in the clear, or a public key. All are PEM. */
import { decryptPrivateKey, parseEncryptedPrivateKeyPem } from '../crypto/encrypted-private-key.ts'
import { parsePrivateKeyPem } from '../crypto/private-key.ts'
import type { PrivateKey } from '../crypto/private-key.ts'
import { parsePublicKeyPem } from '../crypto/public-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { asBuffer, withoutByteOrderMark } from '../encoding/bytes.ts'
import { CountersignError, DecodingError, UsageError, VerificationError } from '../error.ts'
import type { Unlocking } from './key-store.ts'

/** No key takes more; whatever is longer is something else. */
export const maxKeyBytes = 64 * 1024

/**
 * The text of a key file. PEM is ASCII; the text that may stand around it is in whatever character set its author had.
 * @param what names the file in messages
 * @throws DecodingError ENCODING_INVALID for UTF-16
 */
export function decodeKeyText(bytes: Uint8Array, what: string): string {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new DecodingError('ENCODING_INVALID', `${what} is in UTF-16, as some programs of Windows write text: save it as UTF-8 or ASCII`)
  }
  return asBuffer(withoutByteOrderMark(bytes)).toString('latin1')
}

/**
 * Reads a private key.
 * @param name names the key in messages: its reference
 * @param unlocking asked for a password only when the key turns out to be encrypted
 * @throws UsageError KEY_INVALID for what is no private key; VerificationError KEY_DECRYPTION_FAILED for a wrong password
 */
export async function readPrivateKey(text: string, name: string, { password, derive }: Unlocking): Promise<PrivateKey> {
  try {
    if (!isEncrypted(text)) return parsePrivateKeyPem(text)
    const encrypted = parseEncryptedPrivateKeyPem(text)
    return await decryptPrivateKey(encrypted, await password(), derive)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    if (cause.code === 'KEY_DECRYPTION_FAILED') {
      throw new VerificationError(
        'KEY_DECRYPTION_FAILED',
        `reading key ${name}: ${cause.message}: the password is wrong, or the file is damaged`,
        { cause },
      )
    }
    if (!(cause instanceof DecodingError)) throw cause
    throw new UsageError('KEY_INVALID', `reading key ${name}: ${cause.message}`, { cause })
  }
}

/**
 * Reads a public key.
 * @param name names the key in messages: its reference
 * @throws UsageError KEY_INVALID
 */
export function readPublicKey(text: string, name: string): PublicKey {
  try {
    return parsePublicKeyPem(text)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new UsageError('KEY_INVALID', `loading public key: ${name} does not hold a PEM public key: ${cause.message}`, { cause })
  }
}

/** Whether the text announces a private key, encrypted or not. */
export function isPrivateKey(text: string): boolean {
  return /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)
}

function isEncrypted(text: string): boolean {
  return /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----/.test(text)
}
