/** The public key of `--key`. */
import type { PublicKey } from '../../crypto/public-key.ts'
import { withoutSecrets } from '../../http/address.ts'
import { fetchPublicKey } from '../../keys/key-reference.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { whileWaiting } from '../waiting-for-input.ts'

/** Loads the key that a reference names. @throws as `fetchPublicKey` */
export function loadPublicKey(context: CommandContext, reference: string): Promise<PublicKey> {
  const { env, cwd, signal } = context
  if (isUnprotected(reference)) {
    const address = withoutSecrets(reference)
    warn(
      context,
      `the key is fetched from ${address} without encryption: whoever is on the way can put another one in its place (give an https:// address, or a file)`,
    )
  }
  return fetchPublicKey(reference, { env, cwd, signal, whileWaiting })
}

/** An http:// address of another machine. */
function isUnprotected(reference: string): boolean {
  if (!/^http:\/\//i.test(reference) || !URL.canParse(reference)) return false
  return !['localhost', '127.0.0.1', '[::1]'].includes(new URL(reference).hostname)
}
