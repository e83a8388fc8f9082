/** The public key of a log to be trusted, from a file. */
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKeyPem } from '../../crypto/public-key.ts'
import { CountersignError, DecodingError } from '../../error.ts'
import { decodeKeyText } from '../../keys/key-text.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from '../verification/input-file.ts'

const maxKeyBytes = 64 * 1024

/**
 * Reads one key in PEM.
 * @throws TransportError FILE_UNREADABLE, TOO_LARGE; DecodingError KEY_INVALID, KEY_UNSUPPORTED
 */
export function readLogKey(context: CommandContext, file: string): PublicKey {
  const contents = readInputFile(context.cwd, file, 'the public key', maxKeyBytes)
  try {
    return parsePublicKeyPem(decodeKeyText(contents, 'it'))
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    const code = cause.code === 'KEY_UNSUPPORTED' ? 'KEY_UNSUPPORTED' : 'KEY_INVALID'
    throw new DecodingError(code, `the public key ${file} cannot be used: ${cause.message}`, { cause })
  }
}
