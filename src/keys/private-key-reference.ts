/** Private keys by reference: a file, or `env://NAME`. The key is cosign's encrypted file, or PEM in the clear. */
import { open } from 'node:fs/promises'
import path from 'node:path'
import { decryptPrivateKey, parseEncryptedPrivateKeyPem } from '../crypto/encrypted-private-key.ts'
import { parsePrivateKeyPem } from '../crypto/private-key.ts'
import type { PrivateKey } from '../crypto/private-key.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { CountersignError, DecodingError, messageOf, TransportError, UsageError, VerificationError } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { variableOf } from '../http/environment.ts'

export interface PrivateKeyOptions {
  readonly env: Environment
  /** Where relative paths start. */
  readonly cwd: string
  /** Gets the password, when the key turns out to be encrypted. */
  readonly password: () => Promise<Uint8Array>
}

const maxKeyBytes = 64 * 1024
const otherSchemes: ReadonlySet<string> = new Set([
  'k8s',
  'github',
  'gitlab',
  'awskms',
  'gcpkms',
  'azurekms',
  'hashivault',
  'openbao',
  'pkcs11',
])

/**
 * Loads the private key that a reference names.
 * @throws UsageError USAGE for a reference of an unsupported kind, KEY_INVALID for what is no private key; TransportError
 * FILE_UNREADABLE; VerificationError KEY_DECRYPTION_FAILED for a wrong password
 */
export async function loadPrivateKey(reference: string, options: PrivateKeyOptions): Promise<PrivateKey> {
  const text = await readReference(reference, options)
  const isEncrypted = /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----/.test(text)
  try {
    return isEncrypted ? await decryptPrivateKey(parseEncryptedPrivateKeyPem(text), await options.password()) : parsePrivateKeyPem(text)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    if (cause.code === 'KEY_DECRYPTION_FAILED') {
      throw new VerificationError(
        'KEY_DECRYPTION_FAILED',
        `reading key ${reference}: ${cause.message}: the password is wrong, or the file is damaged`,
        { cause },
      )
    }
    if (!(cause instanceof DecodingError)) throw cause
    throw new UsageError('KEY_INVALID', `reading key ${reference}: ${cause.message}`, { cause })
  }
}

async function readReference(reference: string, { env, cwd }: PrivateKeyOptions): Promise<string> {
  if (reference.startsWith('env://')) {
    const name = reference.slice('env://'.length)
    const value = variableOf(env, name)
    if (value === undefined) throw new UsageError('USAGE', `loading key: the environment variable ${name} is not set`)
    return value
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/.exec(reference)?.[1]
  if (scheme !== undefined && (otherSchemes.has(scheme) || reference.startsWith(`${scheme}://`))) {
    throw new UsageError(
      'USAGE',
      `loading key: private keys of the kind ${scheme}: are not supported by this version, give a file or env://NAME`,
    )
  }
  return decodeUtf8(await readKeyFile(path.resolve(cwd, reference), reference), `the key ${reference}`)
}

async function readKeyFile(file: string, name: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, 'r')
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxKeyBytes + 1), 0, maxKeyBytes + 1, 0)
      if (bytesRead > maxKeyBytes) throw new TransportError('TOO_LARGE', `the key ${name} is longer than the limit of ${maxKeyBytes} bytes`)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const reason = isMissing ? 'no such file or directory' : messageOf(cause)
    throw new TransportError('FILE_UNREADABLE', `the key ${name} cannot be read: ${reason}`, { cause })
  }
}
