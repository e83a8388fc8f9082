/** The server's private keys on disk: PKCS#8 in PEM, or cosign's encrypted key file where there is a passphrase. Mode 0600. */
import { chmod, stat } from 'node:fs/promises'
import {
  decryptPrivateKey,
  decryptSecret,
  encryptPrivateKey,
  encryptSecret,
  parseEncryptedPrivateKeyPem,
} from '../crypto/encrypted-private-key.ts'
import type { EncryptedPrivateKey, Password, SharedPassword } from '../crypto/encrypted-private-key.ts'
import type { PrivateKey } from '../crypto/private-key.ts'
import { parsePrivateKeyPem } from '../crypto/private-key.ts'
import { decodeUtf8, encodeUtf8 } from '../encoding/bytes.ts'
import { decodeHex, encodeHex } from '../encoding/hex.ts'
import { CountersignError, messageOf } from '../error.ts'
import { readBoundedFile, replaceFile } from '../tuf/bounded-file.ts'
import { writing } from './data-folder.ts'

/** What key files are encrypted with; undefined where they are not. `SharedPassword` is for several files at once. */
export type Passphrase = string | SharedPassword | undefined

const maxKeyFileBytes = 64 * 1024

/** Writes a private key, encrypted when there is a passphrase, and waits until it is on disk. */
export async function writeKeyFile(file: string, key: PrivateKey, passphrase: Passphrase): Promise<void> {
  const text = passphrase === undefined ? key.encodePem() : await encryptPrivateKey(key, passwordOf(passphrase))
  await writing(file, async () => {
    await replaceFile(file, text, true)
    await chmod(file, 0o600)
  })
}

/**
 * Reads a private key.
 * @throws CountersignError FILE_UNREADABLE when it is missing or others may read it, KEY_DECRYPTION_FAILED, CONFIGURATION_INVALID
 *   when it is encrypted and there is no passphrase
 */
export function readKeyFile(file: string, passphrase: Passphrase): Promise<PrivateKey> {
  return readProtected(file, passphrase, parsePrivateKeyPem, decryptPrivateKey)
}

/** Writes a secret that is no private key: hexadecimal, or encrypted as keys are. */
export async function writeSecretFile(file: string, secret: Uint8Array, passphrase: Passphrase): Promise<void> {
  const text = passphrase === undefined ? `${encodeHex(secret)}\n` : await encryptSecret(secret, passwordOf(passphrase))
  await writing(file, () => replaceFile(file, text, true))
}

/** Reads what `writeSecretFile` wrote. @throws CountersignError as `readKeyFile` */
export function readSecretFile(file: string, passphrase: Passphrase): Promise<Uint8Array> {
  return readProtected(file, passphrase, (text) => decodeHex(text.trim(), 'the secret'), decryptSecret)
}

async function readProtected<T>(
  file: string,
  passphrase: Passphrase,
  parse: (text: string) => T,
  decrypt: (encrypted: EncryptedPrivateKey, password: Password) => Promise<T>,
): Promise<T> {
  const bytes = await readBoundedFile(file, maxKeyFileBytes)
  if (bytes === undefined) throw new CountersignError('FILE_UNREADABLE', `the key file ${file} is missing: restore it from a backup`)
  await refuseOpenFile(file)
  const text = decodeUtf8(bytes, file)
  try {
    if (!text.includes('BEGIN ENCRYPTED')) return parse(text)
    const encrypted = parseEncryptedPrivateKeyPem(text)
    if (passphrase === undefined) {
      throw new CountersignError(
        'CONFIGURATION_INVALID',
        `${file} is encrypted: give its passphrase in COUNTERSIGN_SERVER_PASSPHRASE or with --passphrase-file`,
      )
    }
    return await decrypt(encrypted, passwordOf(passphrase))
  } catch (cause) {
    if (cause instanceof CountersignError && cause.code === 'CONFIGURATION_INVALID') throw cause
    const code = cause instanceof CountersignError ? cause.code : 'KEY_INVALID'
    throw new CountersignError(code, `${file}: ${messageOf(cause)}`, { cause })
  }
}

function passwordOf(passphrase: string | SharedPassword): Password {
  return typeof passphrase === 'string' ? encodeUtf8(passphrase) : passphrase
}

/** A key that everyone on the machine can read is no secret any more: better no start than a false sense of safety. */
async function refuseOpenFile(file: string): Promise<void> {
  if (process.platform === 'win32') return
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) {
    throw new CountersignError(
      'FILE_UNREADABLE',
      `${file} can be read or written by others (mode ${(mode & 0o777).toString(8)}): run chmod 600 ${file}, and consider the key compromised`,
    )
  }
}
