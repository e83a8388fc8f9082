/** UTCTime and GeneralizedTime in the one form that DER and RFC 5280 allow: seconds, and `Z`. */
import { DecodingError } from '../error.ts'

/** `YYMMDDHHMMSSZ`, years 1950 to 2049 (RFC 5280 section 4.1.2.5.1), in epoch milliseconds. */
export function parseUtcTime(content: Uint8Array, what: string): number {
  if (content.length !== 13 || content[12] !== 0x5a) throw invalid(what, 'YYMMDDHHMMSSZ')
  const year = digits(content, 0, 2, what)
  return instant(content, year < 50 ? 2000 + year : 1900 + year, 2, what)
}

/**
 * `YYYYMMDDHHMMSS[.f…]Z`, with a fraction only if it does not end in 0 (X.690 section 11.7), in epoch milliseconds;
 * what is finer than a millisecond is cut off.
 */
export function parseGeneralizedTime(content: Uint8Array, what: string): number {
  const end = content.length - 1
  if (content.length < 15 || content.length > 30 || content[end] !== 0x5a) throw invalid(what, 'YYYYMMDDHHMMSSZ')
  let fraction = 0
  if (content.length > 15) {
    if (content[14] !== 0x2e || end === 15 || content[end - 1] === 0x30) throw invalid(what, 'YYYYMMDDHHMMSS.fZ without trailing zeros')
    for (let at = 15; at < end; at++) {
      const digit = digits(content, at, 1, what)
      if (at < 18) fraction += digit * 10 ** (17 - at)
    }
  }
  return instant(content, digits(content, 0, 4, what), 4, what) + fraction
}

/** Whether something was cut off from what `parseGeneralizedTime` has read: a fraction does not end in 0. */
export function isFinerThanMilliseconds(content: Uint8Array): boolean {
  return content.length > 'YYYYMMDDHHMMSS.fffZ'.length
}

/**
 * `YYYYMMDDHHMMSS[.f…]Z`, with as much of a fraction as the instant (epoch milliseconds) has.
 * @throws DecodingError DER_INVALID outside the years 100 to 9999
 */
export function formatGeneralizedTime(instantMs: number): string {
  const text = isoText(instantMs, 100, 9999)
  const fraction = text.slice(19, 23).replace(/0+$/, '')
  return `${text.slice(0, 19).replaceAll(/[-:T]/g, '')}${fraction === '.' ? '' : fraction}Z`
}

/**
 * `YYMMDDHHMMSSZ`; what is finer than a second is cut off.
 * @throws DecodingError DER_INVALID outside the years 1950 to 2049, which two digits cannot name
 */
export function formatUtcTime(instantMs: number): string {
  return `${isoText(instantMs, 1950, 2049).slice(2, 19).replaceAll(/[-:T]/g, '')}Z`
}

function isoText(instantMs: number, firstYear: number, lastYear: number): string {
  const date = new Date(instantMs)
  const year = date.getUTCFullYear()
  // Written so that NaN, the year of no instant, is refused too.
  if (!(year >= firstYear && year <= lastYear)) {
    throw new DecodingError(
      'DER_INVALID',
      `the instant ${instantMs} is not in the years ${firstYear} to ${lastYear}, which this type of time can hold`,
    )
  }
  return date.toISOString()
}

function instant(content: Uint8Array, year: number, from: number, what: string): number {
  const month = digits(content, from, 2, what)
  const day = digits(content, from + 2, 2, what)
  const hour = digits(content, from + 4, 2, what)
  const minute = digits(content, from + 6, 2, what)
  const second = digits(content, from + 8, 2, what)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) {
    throw invalid(what, 'a date and time that exist')
  }
  // Date.UTC takes years below 100 for 1900 + year; no certificate is that old, so those are refused.
  if (year < 100) throw invalid(what, 'a year after 99')
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

function digits(content: Uint8Array, from: number, count: number, what: string): number {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const digit = (content[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) throw invalid(what, 'decimal digits')
    value = value * 10 + digit
  }
  return value
}

function invalid(what: string, expected: string): DecodingError {
  return new DecodingError('DER_INVALID', `${what} is not a canonical time: expected ${expected}`)
}
