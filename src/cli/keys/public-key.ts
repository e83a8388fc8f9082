/** `public-key`: the public half of a key. */
import { encodePublicKeyPem } from '../../crypto/public-key.ts'
import { UsageError } from '../../error.ts'
import { scryptHere } from '../../crypto/scrypt.ts'
import { derivePublicKey } from '../../keys/key-reference.ts'
import type { CommandContext } from '../context.ts'
import { securityKeyRefusal } from '../flag-groups.ts'
import { checkOutputFiles, writeOutputs } from '../signing/output-files.ts'
import { unlock } from '../signing/unlock.ts'
import { whileWaiting } from '../waiting-for-input.ts'
import { printableLine } from '../quote.ts'

export interface PublicKeyFlags {
  readonly key: string
  readonly outfile: string
  readonly sk: boolean
}

/**
 * Prints the public key, or writes it to `--outfile`.
 * @throws as `derivePublicKey`; UsageError USAGE for a file that is the key's; TransportError FILE_UNWRITABLE
 */
export async function printPublicKey(context: CommandContext, flags: PublicKeyFlags): Promise<void> {
  if ((flags.key === '') !== flags.sk) {
    throw new UsageError('USAGE', 'exactly one of: key reference (--key), or hardware token (--sk) must be provided')
  }
  if (flags.sk) throw new UsageError('USAGE', securityKeyRefusal)
  const { env, cwd, signal } = context
  checkOutputFiles(cwd, [[flags.outfile, 'public key']], [[flags.key, 'key']])
  const key = await derivePublicKey(flags.key, {
    env,
    cwd,
    signal,
    whileWaiting,
    password: () => unlock(context, flags.key, false),
    derive: scryptHere,
  })
  const pem = encodePublicKeyPem(key)
  if (flags.outfile === '') {
    context.stdout.write(pem)
    return
  }
  writeOutputs(cwd, [{ path: flags.outfile, what: 'public key', contents: pem, mode: 0o644 }])
  context.stderr.write(`Public key written to ${printableLine(flags.outfile)}\n`)
}
