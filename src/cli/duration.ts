/** Lengths of time in Go's notation: `3m0s`, `1.5h`, `250ms`. Inside the program they are milliseconds. */
import { UsageError } from '../error.ts'
import { quote } from './quote.ts'

/** What fits a 64-bit count of nanoseconds. */
const LONGEST = 9_223_372_036_854

/**
 * The milliseconds that a duration means.
 * @throws UsageError USAGE in the words of Go's time.ParseDuration
 */
export function parseDuration(text: string): number {
  const invalid = (): UsageError => new UsageError('USAGE', `time: invalid duration ${quote(text)}`)
  const negative = text.startsWith('-')
  let at = negative || text.startsWith('+') ? 1 : 0
  if (text.slice(at) === '0') return 0
  if (at === text.length) throw invalid()
  let total = 0
  while (at < text.length) {
    const numberStart = at
    while (isDigit(text, at)) at++
    const wholeDigits = at - numberStart
    let fractionDigits = 0
    if (text[at] === '.') {
      at++
      const fractionStart = at
      while (isDigit(text, at)) at++
      fractionDigits = at - fractionStart
    }
    if (wholeDigits + fractionDigits === 0) throw invalid()
    const amount = Number(text.slice(numberStart, at))
    const unitStart = at
    while (at < text.length && text[at] !== '.' && !isDigit(text, at)) at++
    const unit = text.slice(unitStart, at)
    if (unit === '') throw new UsageError('USAGE', `time: missing unit in duration ${quote(text)}`)
    const scale = scaleOf(unit)
    if (scale === undefined) {
      throw new UsageError('USAGE', `time: unknown unit ${quote(unit)} in duration ${quote(text)}`)
    }
    total += amount * scale
    if (total > LONGEST) throw invalid()
  }
  return negative ? -total : total
}

/** Milliseconds in a unit. */
function scaleOf(unit: string): number | undefined {
  switch (unit) {
    case 'ns':
      return 1e-6
    case 'us':
    case 'µs':
    case 'μs':
      return 1e-3
    case 'ms':
      return 1
    case 's':
      return 1000
    case 'm':
      return 60_000
    case 'h':
      return 3_600_000
    default:
      return undefined
  }
}

/** The duration as Go prints it: `3m0s`, `1h0m0.5s`, `250ms`, `0s`. */
export function formatDuration(milliseconds: number): string {
  const nanoseconds = Math.round(Math.abs(milliseconds) * 1e6)
  if (nanoseconds === 0) return '0s'
  const sign = milliseconds < 0 ? '-' : ''
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${sign}${decimal(nanoseconds, 1e3)}µs`
  if (nanoseconds < 1e9) return `${sign}${decimal(nanoseconds, 1e6)}ms`
  const wholeMinutes = Math.floor(nanoseconds / 6e10)
  const seconds = `${decimal(nanoseconds - wholeMinutes * 6e10, 1e9)}s`
  if (wholeMinutes === 0) return sign + seconds
  const hours = Math.floor(wholeMinutes / 60)
  const minutes = `${wholeMinutes % 60}m${seconds}`
  return hours === 0 ? sign + minutes : `${sign}${hours}h${minutes}`
}

/** `amount / unit` without an exponent and without trailing zeros; `unit` is a power of ten. */
function decimal(amount: number, unit: number): string {
  const whole = Math.floor(amount / unit)
  const rest = Math.round(amount - whole * unit)
  if (rest === 0) return String(whole)
  const digits = String(unit).length - 1
  return `${whole}.${String(rest).padStart(digits, '0').replace(/0+$/, '')}`
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}
