/** Validity windows of trusted keys and authorities: closed at both ends (protobuf-specs, TimeRange). */
import { excerpt } from '../encoding/bytes.ts'
import type { JsonFields } from '../encoding/json-fields.ts'

/** Epoch milliseconds; no end means not yet known. */
export interface TimeWindow {
  readonly start: number
  readonly end: number | undefined
}

/** From the beginning of time, without an end. */
export const unbounded: TimeWindow = { start: Number.NEGATIVE_INFINITY, end: undefined }

/** Whether an instant lies in the window, ends included. */
export function isWithin(window: TimeWindow, instant: number): boolean {
  return instant >= window.start && (window.end === undefined || instant <= window.end)
}

/** `2022-01-01T00:00:00.000Z to 2023-…`, for messages. */
export function formatWindow(window: TimeWindow): string {
  const start = window.start === Number.NEGATIVE_INFINITY ? 'the beginning' : new Date(window.start).toISOString()
  return `${start} to ${window.end === undefined ? 'today' : new Date(window.end).toISOString()}`
}

/** Reads a TimeRange. `start` is required unless the instance may do without, as CAs written by older tools do. */
export function readTimeWindow(range: JsonFields | undefined, owner: JsonFields, start: 'required' | 'optional'): TimeWindow {
  range?.only('start', 'end')
  // To the whole milliseconds within: nothing counts that lies outside.
  const from = range === undefined ? undefined : readTimestamp(range, 'start', 'up')
  if (from === undefined && start === 'required') {
    throw owner.invalid(`${range?.path ?? owner.pathOf('validFor')} has no start, which is required`)
  }
  const end = range === undefined ? undefined : readTimestamp(range, 'end', 'down')
  return { start: from ?? Number.NEGATIVE_INFINITY, end }
}

/** A TimeRange of protobuf-specs, as JSON. A window from the beginning of time has no start. */
export interface TimeRangeJson {
  readonly start?: string
  readonly end?: string
}

/** Encodes a window as a TimeRange. */
export function encodeTimeWindow({ start, end }: TimeWindow): TimeRangeJson {
  return {
    ...(start === Number.NEGATIVE_INFINITY ? {} : { start: formatTimestamp(start) }),
    ...(end === undefined ? {} : { end: formatTimestamp(end) }),
  }
}

/** RFC 3339 in UTC, with milliseconds where there are any. */
function formatTimestamp(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z')
}

const secondsForm = '0000-00-00T00:00:00'
const longestFraction = '.000000000'

/** Up to here there is no fraction that is finer than a millisecond. */
const longestExact = '2022-01-01T00:00:00.000Z'.length

/**
 * An RFC 3339 timestamp, with fractions and offsets, in epoch milliseconds; undefined for anything else.
 * @param finer where what is finer than a millisecond goes
 */
export function parseTimestamp(text: string, finer: 'down' | 'up' = 'down'): number | undefined {
  if (!isRfc3339(text) || !isDayOfMonth(text)) return undefined
  if (text.length <= longestExact) return orUndefined(Date.parse(text))
  const cut = orUndefined(Date.parse(text.replace(/(\.\d{3})\d+/, '$1')))
  return cut !== undefined && finer === 'up' && /\.\d{3}\d*[1-9]/.test(text) ? cut + 1 : cut
}

const orUndefined = (instant: number): number | undefined => (Number.isNaN(instant) ? undefined : instant)

/** Without a regular expression, which would be compiled twice: a sixth of a millisecond of every process that verifies one file. */
function isRfc3339(text: string): boolean {
  const zoneForm = text.endsWith('Z') ? 'Z' : '+00:00'
  const fractionLength = text.length - secondsForm.length - zoneForm.length
  const form = secondsForm + longestFraction.slice(0, Math.max(0, fractionLength)) + zoneForm
  return fractionLength !== 1 && hasForm(text, form) && text.slice(11, 13) <= '23'
}

/** Whether a text has a digit wherever the form has 0, a sign where it has +, and otherwise the same characters. */
function hasForm(text: string, form: string): boolean {
  if (text.length !== form.length) return false
  for (let at = 0; at < form.length; at++) {
    const wanted = form.charCodeAt(at)
    const found = text.charCodeAt(at)
    const isDigit = wanted === 0x30 && found >= 0x30 && found <= 0x39
    const isSign = wanted === 0x2b && found === 0x2d
    if (!isDigit && !isSign && found !== wanted) return false
  }
  return true
}

/** `Date.parse` takes 30 February for 1 March. */
function isDayOfMonth(text: string): boolean {
  const day = Number(text.slice(8, 10))
  return day <= 28 || day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
}

function readTimestamp(fields: JsonFields, name: string, finer: 'down' | 'up'): number | undefined {
  const text = fields.optionalString(name)
  if (text === undefined) return undefined
  const instant = parseTimestamp(text, finer)
  if (instant === undefined) throw fields.invalid(`${fields.pathOf(name)} should be an RFC 3339 timestamp, found ${excerpt(text)}`)
  return instant
}
