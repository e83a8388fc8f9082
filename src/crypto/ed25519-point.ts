/** Points of Ed25519 that are nobody's key. */
import { asBuffer } from '../encoding/bytes.ts'

/**
 * What is wrong with an encoded point (RFC 8032 section 5.1.2) as a key. With one of small order nothing is secret: one signature that
 * anybody can write is right for every message, so that one timestamp would do for all that is ever to be signed.
 * @param point 32 bytes
 * @returns undefined where nothing is
 */
export function ed25519PointComplaint(point: Uint8Array): string | undefined {
  const prime = (1n << 255n) - 19n
  // The highest bit is the sign of x.
  const y = BigInt.asUintN(255, littleEndian(point))
  if (y >= prime) return 'the Ed25519 key is a point whose encoding is not reduced'
  // The y of the eight points whose order divides the cofactor: each but the first and the third belongs to two of them.
  const yOfOrderEight = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n
  return [1n, 0n, prime - 1n, yOfOrderEight, prime - yOfOrderEight].includes(y)
    ? 'the Ed25519 key is a point of small order, for which anybody can sign anything'
    : undefined
}

/** The number that bytes stand for, the lowest first, as everywhere in RFC 8032. */
export function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${asBuffer(bytes.toReversed()).toString('hex')}`)
}
