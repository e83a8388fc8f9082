/** Object identifiers: content octets of X.690 section 8.19 and the dotted text. */
import { DecodingError } from '../error.ts'
import { excerpt } from './bytes.ts'

/** Longer ones do not occur; an attacker's could cost quadratic time to print. */
const maxOidBytes = 128

/** Identifiers read before, each at the place that its octets give: certificates have thirty, nearly all of them the same ones. */
const known: (KnownOid | undefined)[] = []
const knownPlaces = 256
const maxKnownBytes = 12

/** All octets of a short identifier, as two numbers: the first six at most, and the others. */
interface KnownOid {
  readonly length: number
  readonly front: number
  readonly back: number
  readonly dotted: string
}

/**
 * The dotted form of an object identifier's content octets, from `start` to `end` of the bytes.
 * @throws DecodingError DER_INVALID when an arc is not minimal, cut off, or the identifier is over 128 bytes
 */
export function parseOid(bytes: Uint8Array, what: string, start = 0, end = bytes.length): string {
  const length = end - start
  if (length === 0 || length > maxOidBytes) {
    throw invalid(what, `of ${length} bytes (1 to ${maxOidBytes} are allowed)`)
  }
  if (length > maxKnownBytes) return readDotted(bytes, what, start, end)
  let front = 0
  let back = 0
  for (let at = start; at < end; at++) {
    const octet = bytes[at] ?? 0
    if (at < start + 6) front = front * 256 + octet
    else back = back * 256 + octet
  }
  const place = (front + 31 * back + length) % knownPlaces
  const found = known[place]
  if (found !== undefined && found.length === length && found.front === front && found.back === back) return found.dotted
  const dotted = readDotted(bytes, what, start, end)
  known[place] = { length, front, back, dotted }
  return dotted
}

function readDotted(bytes: Uint8Array, what: string, start: number, end: number): string {
  let dotted = ''
  let arcStart = start
  let arc = 0
  for (let at = start; at < end; at++) {
    const octet = bytes[at] ?? 0
    if (octet === 0x80 && at === arcStart) throw invalid(what, 'with an arc that is not minimal')
    arc = arc * 128 + (octet & 0x7f)
    if (octet >= 0x80) continue
    // Seven octets hold 49 bits, which a double keeps exactly.
    const exact = at - arcStart < 7 ? arc : longArc(bytes.subarray(arcStart, at + 1))
    dotted = arcStart === start ? firstArcs(exact) : `${dotted}.${exact}`
    arcStart = at + 1
    arc = 0
  }
  if (arcStart !== end) throw invalid(what, 'that is cut off')
  return dotted
}

/**
 * The content octets of a dotted object identifier.
 * @throws DecodingError DER_INVALID when the text is not one, or has more than 128 octets
 */
export function encodeOid(dotted: string): Uint8Array {
  // The second arc is below 40 unless the first is 2. An arc of 128 octets has up to 270 digits.
  const isOid = /^(?:[01]\.[1-3]?[0-9]|2\.(?:0|[1-9][0-9]{0,269}))(?:\.(?:0|[1-9][0-9]{0,269}))*$/.test(dotted)
  if (!isOid) throw new DecodingError('DER_INVALID', `${excerpt(dotted)} is not an object identifier`)
  const [root = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt)
  const octets = [root * 40n + second, ...rest].flatMap(encodeArc)
  if (octets.length > maxOidBytes) {
    throw new DecodingError(
      'DER_INVALID',
      `${excerpt(dotted)} is an object identifier of ${octets.length} bytes, the limit is ${maxOidBytes}`,
    )
  }
  return Uint8Array.from(octets)
}

function encodeArc(arc: bigint): number[] {
  const octets = [Number(arc & 0x7fn)]
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80)
  return octets
}

/** The first two arcs share their octets: 40 times the first, plus the second. */
function firstArcs(joined: number | bigint): string {
  if (joined < 40) return `0.${joined}`
  return joined < 80 ? `1.${Number(joined) - 40}` : `2.${typeof joined === 'bigint' ? joined - 80n : joined - 80}`
}

function longArc(octets: Uint8Array): bigint {
  let arc = 0n
  for (const octet of octets) arc = (arc << 7n) | BigInt(octet & 0x7f)
  return arc
}

function invalid(what: string, how: string): DecodingError {
  return new DecodingError('DER_INVALID', `${what} is an object identifier ${how}`)
}
