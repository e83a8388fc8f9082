/** RSA keys whose primes can be found. */
import type { RsaPublicKey } from '../../crypto/public-key.ts'
import { parseDerSequence } from '../../encoding/der.ts'

/** Modulus and exponent of a key. */
export function rsaParameters(key: RsaPublicKey): { readonly modulus: bigint; readonly exponent: bigint } {
  const reader = parseDerSequence(key.pkcs1, 'the RSA key')
  const modulus = reader.integer('the modulus')
  const exponent = reader.integer('the exponent')
  return { modulus, exponent }
}

const generator = 65_537

/** The odd primes up to 167, with the powers of 65537 modulo each. */
const powersModuloPrimes = primesUpTo(167).map((prime) => ({ prime, powers: powersOf(generator, prime) }))

/**
 * Whether a modulus bears the fingerprint of the Infineon library (CVE-2017-15361, "ROCA"): its primes are k·M + 65537^a modulo a
 * primorial M, so that modulo each small prime the modulus is a power of 65537. Another modulus has it by chance once in 2^27.
 */
export function hasRocaFingerprint(modulus: bigint): boolean {
  return powersModuloPrimes.every(({ prime, powers }) => powers.has(Number(modulus % BigInt(prime))))
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
