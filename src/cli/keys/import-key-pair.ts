/** `import-key-pair`: a private key in the clear becomes a key pair in cosign's form. */
import { parsePrivateKeyPem } from '../../crypto/private-key.ts'
import type { PrivateKey } from '../../crypto/private-key.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { withoutSecrets } from '../../http/address.ts'
import { readKey } from '../../keys/key-reference.ts'
import type { CommandContext } from '../context.ts'
import { readNewPassword } from '../signing/password.ts'
import { whileWaiting } from '../waiting-for-input.ts'
import { checkKeyPairFiles, encryptKeyPair, writeKeyPairFiles } from './key-pair-files.ts'

export interface ImportFlags {
  readonly key: string
  readonly 'output-key-prefix': string
  readonly yes: boolean
}

/**
 * Imports the key of `--key`: PKCS#1, SEC 1 or PKCS#8 in PEM.
 * @throws CountersignError, in cosign's words where it has any; nothing is written then
 */
export async function importKeyPair(context: CommandContext, flags: ImportFlags): Promise<void> {
  if (flags.key === '') throw new UsageError('USAGE', 'the key to import is missing: name its file with --key')
  const { env, cwd, signal } = context
  const key = parse(await readKey(flags.key, { env, cwd, signal, whileWaiting }, 'key'), withoutSecrets(flags.key))
  checkKeyPairFiles(context, flags['output-key-prefix'])
  const pair = await encryptKeyPair(key, await readNewPassword(context))
  await writeKeyPairFiles(context, flags['output-key-prefix'], pair, flags.yes)
}

function parse(text: string, name: string): PrivateKey {
  try {
    return parsePrivateKeyPem(text)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new UsageError('KEY_INVALID', `importing key ${name}: ${cause.message}`, { cause })
  }
}
