/** Object identifiers: content octets of X.690 section 8.19 and the dotted text. */
import { DecodingError } from '../error.ts'
import { asBuffer } from './bytes.ts'

/** Longer ones do not occur; an attacker's could cost quadratic time to print. */
const maxOidBytes = 128

// The same forty identifiers stand in every certificate. Bounded: hostile input cannot fill memory.
const known = new Map<string, string>()
const maxKnown = 512

/**
 * The dotted form of an object identifier's content octets.
 * @throws DecodingError DER_INVALID when an arc is not minimal, cut off, or the identifier is over 128 bytes
 */
export function parseOid(content: Uint8Array, what: string): string {
  if (content.length === 0 || content.length > maxOidBytes) {
    throw new DecodingError('DER_INVALID', `${what} is an object identifier of ${content.length} bytes (1 to ${maxOidBytes} are allowed)`)
  }
  const key = asBuffer(content).toString('latin1')
  const cached = known.get(key)
  if (cached !== undefined) return cached
  const dotted = decodeArcs(content, what)
  if (known.size < maxKnown) known.set(key, dotted)
  return dotted
}

/** The content octets of a dotted object identifier. */
export function encodeOid(dotted: string): Uint8Array {
  const arcs = dotted.split('.').map((arc) => BigInt(arc))
  const [root, second, ...rest] = arcs
  if (root === undefined || second === undefined || root > 2n || (root < 2n && second > 39n)) {
    throw new DecodingError('DER_INVALID', `${dotted} is not an object identifier`)
  }
  return Uint8Array.from([root * 40n + second, ...rest].flatMap(encodeArc))
}

function encodeArc(arc: bigint): number[] {
  const octets = [Number(arc & 0x7fn)]
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80)
  return octets
}

function decodeArcs(content: Uint8Array, what: string): string {
  let dotted = ''
  let arc = 0n
  let atStart = true
  for (const octet of content) {
    if (atStart && octet === 0x80) throw new DecodingError('DER_INVALID', `${what} is an object identifier with an arc that is not minimal`)
    arc = (arc << 7n) | BigInt(octet & 0x7f)
    atStart = octet < 0x80
    if (!atStart) continue
    dotted += dotted === '' ? firstArcs(arc) : `.${arc}`
    arc = 0n
  }
  if (!atStart) throw new DecodingError('DER_INVALID', `${what} is an object identifier that is cut off`)
  return dotted
}

function firstArcs(arc: bigint): string {
  if (arc >= 80n) return `2.${arc - 80n}`
  return arc >= 40n ? `1.${arc - 40n}` : `0.${arc}`
}
