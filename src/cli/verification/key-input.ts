/** The public key of `--key`. */
import type { PublicKey } from '../../crypto/public-key.ts'
import { fetchPublicKey } from '../../keys/key-reference.ts'
import type { CommandContext } from '../context.ts'

/** Loads the key that a reference names. @throws as `fetchPublicKey` */
export function loadPublicKey({ env, cwd, signal }: CommandContext, reference: string): Promise<PublicKey> {
  return fetchPublicKey(reference, { env, cwd, signal })
}
