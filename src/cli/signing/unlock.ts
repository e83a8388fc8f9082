/** What unlocks the key of `--key`: a PIN where it is on a token, a password everywhere else. */
import { encodeUtf8 } from '../../encoding/bytes.ts'
import type { CommandContext } from '../context.ts'
import { readPin } from '../tokens/pin.ts'
import { readPassword } from './password.ts'

/** @throws as `readPassword` or `readPin` */
export async function unlock(context: CommandContext, reference: string, inputIsTaken: boolean): Promise<Uint8Array> {
  if (!reference.startsWith('pkcs11:')) return readPassword(context, inputIsTaken)
  // What follows the question mark may be a secret.
  return encodeUtf8(await readPin(context, `key '${reference.replace(/\?.*$/s, '')}'`))
}
