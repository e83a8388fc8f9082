/** Serial numbers of certificates and timestamps. */
import { randomFillSync } from 'node:crypto'

const size = 20
/** Many are drawn at once: a call into the generator costs more than the bytes. They are no secret. */
const drawn = new Uint8Array(256 * size)
let used = drawn.length

/** 158 random bits, positive and always of 20 bytes (RFC 5280 section 4.1.2.2). */
export function newSerialNumber(): Uint8Array {
  if (used === drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  const serial = drawn.slice(used, used + size)
  used += size
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial
}
