/** Decimal integers, as text formats spell them. */

/** Of a 64-bit integer, its sign included. */
const maxLength = 20

/**
 * The integer that a text is the only spelling of: digits without leading zeros, after a - where it is negative. Without a regular expression, which a
 * process that verifies one file would compile for it.
 * @returns undefined for any other text, and for one of more than 20 characters
 */
export function parseDecimal(text: string): bigint | undefined {
  if (text.length > maxLength) return undefined
  try {
    const integer = BigInt(text)
    return String(integer) === text ? integer : undefined
  } catch {
    return undefined
  }
}
