/** `generate-key-pair`: a new key, and where it is kept. */
import { generatePrivateKey } from '../../crypto/private-key.ts'
import { encodePublicKeyPem } from '../../crypto/public-key.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { createKey } from '../../keys/key-reference.ts'
import { openSecretPlace } from '../../keys/secret-reference.ts'
import type { CommandContext } from '../context.ts'
import { readNewPassword, readPassword } from '../signing/password.ts'
import {
  checkKeyPairFiles,
  checkPublicKeyFile,
  confirmOverwriting,
  encryptKeyPair,
  writeKeyPairFiles,
  writePublicKeyFile,
} from './key-pair-files.ts'

export interface GenerateFlags {
  readonly kms: string
  readonly 'output-key-prefix': string
  readonly yes: boolean
}

/** cosign's, wherever the key is made. */
const kind = 'ecdsa-p256'

/**
 * Makes a key pair: in a key management service, or here, to be kept as secrets of `place` or as files.
 * @param place a reference such as `k8s://namespace/name`; empty for files
 * @throws CountersignError; nothing is written then
 */
export async function generateKeyPair(context: CommandContext, flags: GenerateFlags, place: string): Promise<void> {
  if (flags.kms !== '' && place !== '') throw new UsageError('USAGE', `the key is made by --kms ${flags.kms} or kept in ${place}, not both`)
  if (flags.kms !== '') return generateInService(context, flags)
  if (place !== '') return generateForStore(context, flags, place)
  const prefix = flags['output-key-prefix']
  checkKeyPairFiles(context, prefix)
  const pair = await encryptKeyPair(generatePrivateKey(kind), await readNewPassword(context))
  await writeKeyPairFiles(context, prefix, pair, flags.yes)
}

async function generateInService(context: CommandContext, flags: GenerateFlags): Promise<void> {
  const { env, cwd, signal } = context
  const prefix = flags['output-key-prefix']
  checkPublicKeyFile(context, prefix)
  const key = await createKey(flags.kms, { env, cwd, signal, kind, password: () => readPassword(context, false) })
  writePublicKeyFile(context, prefix, encodePublicKeyPem(key), false)
}

async function generateForStore(context: CommandContext, flags: GenerateFlags, reference: string): Promise<void> {
  const { env, cwd, signal } = context
  const prefix = flags['output-key-prefix']
  checkPublicKeyFile(context, prefix)
  const place = await openSecretPlace(reference, { env, cwd, signal })
  const pair = await encryptKeyPair(generatePrivateKey(kind), await readNewPassword(context))
  if (place.existing !== undefined) await confirmOverwriting(context, place.existing, flags.yes)
  signal.throwIfAborted()
  await place.write(pair, (line) => context.stderr.write(`${line}\n`))
  try {
    writePublicKeyFile(context, prefix, pair.publicKey, place.isForPrograms)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new CountersignError(cause.code, `${cause.message} (the key pair itself is in ${reference})`, { cause })
  }
}
