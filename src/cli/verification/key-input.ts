/** The public key of `--key`: a file, a URL or an environment variable. */
import { parsePublicKeyPem } from '../../crypto/public-key.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from './input-file.ts'

const maxKeyBytes = 64 * 1024

/**
 * Loads the key that a reference names.
 * @throws UsageError USAGE for a reference of an unsupported kind; otherwise what reading and parsing the key throw
 */
export async function loadPublicKey(context: CommandContext, reference: string): Promise<PublicKey> {
  const contents = await readReference(context, reference)
  try {
    return parsePublicKeyPem(decodeUtf8(contents, 'the public key'))
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new UsageError('KEY_INVALID', `loading public key: ${reference} does not hold a PEM public key: ${cause.message}`, { cause })
  }
}

/** The bytes behind a path, a URL or `env://NAME`. */
export async function readReference(context: CommandContext, reference: string): Promise<Uint8Array> {
  if (reference.startsWith('env://')) {
    const name = reference.slice('env://'.length)
    const value = context.env[name]
    if (value === undefined || value === '')
      throw new UsageError('USAGE', `loading public key: the environment variable ${name} is not set`)
    return encodeUtf8(value)
  }
  if (/^https?:\/\//.test(reference)) {
    const { fetchBytes } = await import('../../http/fetch.ts')
    return fetchBytes(reference, { maxBytes: maxKeyBytes, env: context.env, signal: context.signal })
  }
  const scheme = /^([a-z][a-z0-9+.-]*):(?:\/\/)?/.exec(reference)?.[1]
  if (scheme !== undefined && scheme.length > 1) {
    throw new UsageError(
      'USAGE',
      `loading public key: key references of the kind ${scheme}:// are not supported by this version, give a file, a URL or env://NAME`,
    )
  }
  return readInputFile(context.cwd, reference, 'the public key', maxKeyBytes)
}
