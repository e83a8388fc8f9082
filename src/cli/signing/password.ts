/** The password of a private key: from COSIGN_PASSWORD, typed, or piped in. */
import { encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { readPiped } from './piped-input.ts'

const maxPasswordBytes = 64 * 1024

/**
 * Gets the password. A variable that is set but empty is an empty password; piped input is the password as a whole, with its
 * line break if it has one, as in cosign. No input at all is no password, rather than an empty one.
 * @param inputIsTaken standard input is what is signed
 * @throws UsageError USAGE; CountersignError ABORTED when nothing is typed
 */
export async function readPassword(context: CommandContext, inputIsTaken: boolean): Promise<Uint8Array> {
  const given = context.env['COSIGN_PASSWORD']
  if (given !== undefined) return encodeUtf8(given)
  if (inputIsTaken)
    throw new UsageError('USAGE', 'the key is encrypted, and standard input is what is signed: give the password in COSIGN_PASSWORD')
  if (context.stdin.isNothing)
    throw new UsageError('USAGE', 'no password was given: set COSIGN_PASSWORD, to nothing for an empty one, or pipe the password in')
  return context.stdin.isTTY ? askHidden(context, 'Enter password for private key: ') : readPiped(context, 'the password', maxPasswordBytes)
}

/**
 * Gets the password for a key that is to be encrypted: as `readPassword`, but typed twice.
 * @throws UsageError USAGE (`passwords do not match`); CountersignError ABORTED when nothing is typed
 */
export async function readNewPassword(context: CommandContext): Promise<Uint8Array> {
  const password = await readPassword(context, false)
  if (context.env['COSIGN_PASSWORD'] !== undefined) return password
  if (!context.stdin.isTTY) {
    if (password.length === 0) warn(context, 'COSIGN_PASSWORD is not set, and nothing was piped in: the key gets an empty password')
    return password
  }
  const again = await askHidden(context, 'Enter password for private key again: ')
  if (!equalBytes(password, again)) throw new UsageError('USAGE', 'passwords do not match')
  return password
}

async function askHidden(context: CommandContext, prompt: string): Promise<Uint8Array> {
  const typed = await context.stdin.readHidden(() => context.stderr.write(prompt))
  context.stderr.write('\n')
  if (typed === undefined) throw new CountersignError('ABORTED', 'no password was entered')
  return typed
}
