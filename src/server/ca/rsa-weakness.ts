/** RSA keys whose primes can be found. */
import type { RsaPublicKey } from '../../crypto/public-key.ts'
import { parseDerSequence } from '../../encoding/der.ts'

const sizes: ReadonlySet<number> = new Set([2048, 3072, 4096])
const usualExponent = 65_537n

/** What is wrong with a key, or undefined for one that may be certified: sizes and exponent of the algorithm registry, no known weakness. */
export function rsaWeakness(key: RsaPublicKey): string | undefined {
  const reader = parseDerSequence(key.pkcs1, 'the RSA key')
  const modulus = reader.integer('the modulus')
  const exponent = reader.integer('the exponent')
  if (!sizes.has(key.modulusBits)) return `RSA keys have 2048, 3072 or 4096 bits, found ${key.modulusBits}`
  if (exponent !== usualExponent) return `RSA keys have the exponent ${usualExponent}, found ${exponent}`
  if (hasSmallFactor(modulus)) return 'the modulus of the RSA key has a small factor'
  if (hasRocaFingerprint(modulus)) return 'the RSA key is of a generator that was broken (CVE-2017-15361)'
  if (hasClosePrimes(modulus)) return 'the primes of the RSA key are too close to each other (CVE-2022-26320)'
  return undefined
}

const oddPrimes = primesUpTo(751)

/** The odd primes up to 167, with the powers of 65537 modulo each. */
const powersModuloPrimes = oddPrimes
  .filter((prime) => prime <= 167)
  .map((prime) => ({ prime: BigInt(prime), powers: powersOf(Number(usualExponent), prime) }))

/**
 * Whether a modulus bears the fingerprint of the Infineon library (CVE-2017-15361, "ROCA"): its primes are k·M + 65537^a modulo a
 * primorial M, so that modulo each small prime the modulus is a power of 65537. Another modulus has it by chance once in 2^27.
 */
export function hasRocaFingerprint(modulus: bigint): boolean {
  return powersModuloPrimes.every(({ prime, powers }) => powers.has(Number(modulus % prime)))
}

const smallFactors = oddPrimes.map(BigInt)
const productOfSmallFactors = smallFactors.reduce((product, prime) => product * prime, 1n)

/** Whether an odd prime up to 751 divides the modulus. */
export function hasSmallFactor(modulus: bigint): boolean {
  const rest = modulus % productOfSmallFactors
  return smallFactors.some((prime) => rest % prime === 0n)
}

const fermatRounds = 100

/** Whether Fermat's method factors the modulus within 100 rounds: a² - n is a square for an a just above the root of n. */
export function hasClosePrimes(modulus: bigint): boolean {
  let a = squareRoot(modulus)
  if (a * a < modulus) a++
  let rest = a * a - modulus
  for (let round = 0; round < fermatRounds; round++) {
    if (isSquare(rest)) return true
    rest += 2n * a + 1n
    a++
  }
  return false
}

/** Squares modulo 64 and modulo 45045: few numbers that are none pass. */
const squaresModulo64 = squaresModulo(64)
const squaresModulo45045 = squaresModulo(45_045)

function isSquare(value: bigint): boolean {
  if (!squaresModulo64.has(Number(BigInt.asUintN(6, value))) || !squaresModulo45045.has(Number(value % 45_045n))) return false
  const root = squareRoot(value)
  return root * root === value
}

/** The integer part of the root, by Newton's method from above. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil(value.toString(16).length * 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

function squaresModulo(modulus: number): ReadonlySet<number> {
  return new Set(Array.from({ length: modulus }, (_, number) => (number * number) % modulus))
}

function primesUpTo(limit: number): number[] {
  const primes: number[] = []
  for (let candidate = 3; candidate <= limit; candidate += 2) if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  return primes
}

function powersOf(base: number, modulus: number): ReadonlySet<number> {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = (power * base) % modulus) powers.add(power)
  return powers
}
