/** A signer for a key of one's own, for programs. */
import { cwd as currentFolder, env as processEnvironment } from 'node:process'
import type { SignatureAlgorithm } from '../crypto/signature-algorithm.ts'
import type { Signer } from '../crypto/signer.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { openKey } from './key-reference.ts'

/** How a key is unlocked and used. */
export interface SignerOptions {
  /** The password of an encrypted key, or how to get it, which is asked only then. Default `COSIGN_PASSWORD` of the environment. */
  readonly password?: string | Uint8Array | (() => Promise<string | Uint8Array>)
  /** How the key signs; default what the Sigstore algorithm registry gives a key of its kind. */
  readonly algorithm?: SignatureAlgorithm
  /** Default the process's environment. */
  readonly env?: Environment
  /** Where relative paths start; default the process's folder. */
  readonly cwd?: string
  readonly signal?: AbortSignal
}

/**
 * Opens a key by its reference, as `--key` takes it: a file, an address, `env://NAME`, `k8s://namespace/name`, `gitlab://group/project`, or a key
 * that never leaves the place where it is, such as one in a key management service.
 *
 * ```ts
 * import { createSigner, sign } from 'countersign'
 * const signer = await createSigner('cosign.key', { password: async () => readSecret('release-key') })
 * const { bundle } = await sign(artifactBytes, { signer, witnesses: 'none' })
 * ```
 *
 * A key that none of these references can name needs no more than an object with three members, `publicKey`, `algorithm` and `sign`: see `Signer`.
 * @throws UsageError USAGE for a reference of an unknown scheme, a package that is not installed or a password that is missing, KEY_INVALID for
 * what is no private key; VerificationError KEY_DECRYPTION_FAILED for a wrong password; TransportError FILE_UNREADABLE, TOO_LARGE, NETWORK_FAILED;
 * CountersignError SERVICE_REFUSED, NOT_FOUND
 */
export async function createSigner(keyReference: string, options: SignerOptions = {}): Promise<Signer> {
  const { env = processEnvironment, cwd = currentFolder(), algorithm, signal } = options
  const key = await openKey(keyReference, {
    env,
    cwd,
    password: () => passwordOf(options, env),
    ...(signal === undefined ? {} : { signal }),
  })
  return key.createSigner(algorithm)
}

async function passwordOf({ password }: SignerOptions, env: Environment): Promise<Uint8Array> {
  const given = typeof password === 'function' ? await password() : (password ?? env['COSIGN_PASSWORD'])
  if (given === undefined) {
    throw new UsageError('USAGE', 'the key is encrypted: give its password with the option password, or in COSIGN_PASSWORD')
  }
  return typeof given === 'string' ? encodeUtf8(given) : given
}
