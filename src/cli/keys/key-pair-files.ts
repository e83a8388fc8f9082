/** A key pair as the two files that cosign makes of it: `<prefix>.key`, encrypted, and `<prefix>.pub`. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { encryptPrivateKey } from '../../crypto/encrypted-private-key.ts'
import type { PrivateKey } from '../../crypto/private-key.ts'
import { encodePublicKeyPem } from '../../crypto/public-key.ts'
import { scryptHere } from '../../crypto/scrypt.ts'
import type { KeyPairSecrets } from '../../keys/secret-store.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { confirm } from '../signing/confirmation.ts'
import type { OutputFile } from '../signing/output-files.ts'
import { checkWritable, writeOutputs } from '../signing/output-files.ts'
import { printableLine } from '../quote.ts'

const privateKeyMode = 0o600
const publicKeyMode = 0o644

/** Encrypts the private key. */
export async function encryptKeyPair(key: PrivateKey, password: Uint8Array): Promise<KeyPairSecrets> {
  return { privateKey: await encryptPrivateKey(key, password, scryptHere), publicKey: encodePublicKeyPem(key.publicKey), password }
}

/** Checks that both files can be written. @throws TransportError FILE_UNWRITABLE */
export function checkKeyPairFiles(context: CommandContext, prefix: string): void {
  checkWritable(context.cwd, `${prefix}.key`, 'private key')
  checkPublicKeyFile(context, prefix)
}

/** Checks that the file of the public key can be written. @throws TransportError FILE_UNWRITABLE */
export function checkPublicKeyFile({ cwd }: CommandContext, prefix: string): void {
  checkWritable(cwd, `${prefix}.pub`, 'public key')
}

/**
 * Writes both files, or none.
 * @param yes overwrites without asking
 * @throws CountersignError ABORTED (`user declined the prompt`), UsageError USAGE for another answer; TransportError FILE_UNWRITABLE
 */
export async function writeKeyPairFiles(context: CommandContext, prefix: string, pair: KeyPairSecrets, yes: boolean): Promise<void> {
  const privateKey: OutputFile = { path: `${prefix}.key`, what: 'private key', contents: pair.privateKey, mode: privateKeyMode }
  if (existsSync(path.resolve(context.cwd, privateKey.path))) {
    await confirmOverwriting(context, `File ${privateKey.path}`, yes)
  }
  context.signal.throwIfAborted()
  // The private key is the last to take its place: until everything else is done, the one before is still there.
  writeOutputs(context.cwd, [publicKeyFile(prefix, pair.publicKey), privateKey])
  context.stderr.write(`Private key written to ${printableLine(privateKey.path)}\nPublic key written to ${printableLine(prefix)}.pub\n`)
}

/** Writes the public key alone. @throws TransportError FILE_UNWRITABLE */
export function writePublicKeyFile({ cwd, stderr }: CommandContext, prefix: string, pem: string, isCopy: boolean): void {
  writeOutputs(cwd, [publicKeyFile(prefix, pem)])
  stderr.write(`Public key ${isCopy ? 'also ' : ''}written to ${printableLine(prefix)}.pub\n`)
}

/** The file of a public key, which anybody may read. */
function publicKeyFile(prefix: string, pem: string): OutputFile {
  return { path: `${prefix}.pub`, what: 'public key', contents: pem, mode: publicKeyMode }
}

/** Asks before something is overwritten that is nowhere else. */
export async function confirmOverwriting(context: CommandContext, what: string, yes: boolean): Promise<void> {
  warn(context, `${what} already exists. Overwrite?`)
  if (!yes) await confirm(context)
}
