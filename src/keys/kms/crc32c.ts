/** CRC-32C (Castagnoli, RFC 3720 appendix B.4): how Google Cloud KMS proves that what it answers, and what it was asked, arrived whole. */

const reflectedPolynomial = 0x82f63b78

/** The checksum of the bytes, from 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff
  for (const byte of bytes) {
    remainder ^= byte
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (reflectedPolynomial & -(remainder & 1))
  }
  return ~remainder >>> 0
}
