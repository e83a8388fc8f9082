/**
 * Inverses modulo a prime by Lehmer's algorithm (Knuth, The Art of Computer Programming, section 4.5.2, algorithm L): the steps of
 * Euclid's are found from the leading digits, which fit in a number, and some twenty of them carried out at once. In a third of the time.
 */

/** Integers up to here are exact as numbers. */
const largestWord = BigInt(Number.MAX_SAFE_INTEGER)
/** Bits of the leading digits, and a bound of the factors, so that no sum or product of both leaves the exact integers. */
const leadingBits = 50
const maxFactor = 2 ** 26

/**
 * The inverse of a value modulo a prime, from 1 to the prime less 1. Its time depends on the value: for public ones only.
 * @param value positive, and no multiple of the prime, which has more than 53 and at most 1,000 bits
 */
export function invert(value: bigint, prime: bigint): bigint {
  // Throughout, larger = largerFactor · value and smaller = smallerFactor · value modulo the prime.
  let larger = prime
  let smaller = value % prime
  let largerFactor = 0n
  let smallerFactor = 1n
  while (smaller > 1n) {
    const steps = smaller > largestWord ? leadingSteps(larger, smaller) : undefined
    if (steps === undefined) {
      const quotient = larger / smaller
      ;[larger, smaller] = [smaller, larger - quotient * smaller]
      ;[largerFactor, smallerFactor] = [smallerFactor, largerFactor - quotient * smallerFactor]
    } else {
      const [a, b, c, d] = steps
      ;[larger, smaller] = [a * larger + b * smaller, c * larger + d * smaller]
      ;[largerFactor, smallerFactor] = [a * largerFactor + b * smallerFactor, c * largerFactor + d * smallerFactor]
    }
  }
  const inverse = smallerFactor % prime
  return inverse < 0n ? inverse + prime : inverse
}

/** What several steps of Euclid's algorithm make of two numbers, as the matrix of their factors; undefined where it is not one step. */
function leadingSteps(larger: bigint, smaller: bigint): readonly [bigint, bigint, bigint, bigint] | undefined {
  const shift = BigInt(Math.max(0, Math.floor(Math.log2(Number(larger))) + 1 - leadingBits))
  let x = Number(larger >> shift)
  let y = Number(smaller >> shift)
  let [a, b, c, d] = [1, 0, 0, 1]
  for (;;) {
    // The quotient lies between these two; where they agree it is known.
    const quotient = Math.floor((x + a) / (y + c))
    if (quotient !== Math.floor((x + b) / (y + d))) break
    const nextC = a - quotient * c
    const nextD = b - quotient * d
    // Written so that what is no number ends it too.
    if (!(Math.abs(nextC) <= maxFactor && Math.abs(nextD) <= maxFactor)) break
    ;[a, b, c, d] = [c, d, nextC, nextD]
    ;[x, y] = [y, x - quotient * y]
  }
  return b === 0 ? undefined : [BigInt(a), BigInt(b), BigInt(c), BigInt(d)]
}
