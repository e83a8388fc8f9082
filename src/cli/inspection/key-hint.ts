/** The hint that names a key. */
import { decodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { attempt } from './attempt.ts'

/** A hint as it is shown: what is base64, as the digests that cosign writes are, in hexadecimal; all else as it is. */
export function decodeHint(hint: string): string {
  const { value: bytes } = attempt(() => decodeBase64(hint, 'the hint'))
  return bytes === undefined ? hint : encodeHex(bytes)
}
