/** One service as a flag describes it: `url=https://…,start-time=2024-01-01T00:00:00Z,…`. */
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { serviceUrlFault } from '../../trust/signing-config.ts'
import type { TimeWindow } from '../../trust/time-window.ts'
import { parseTimestamp } from '../../trust/time-window.ts'

/** The values of a description, by key. */
export type ServiceSpec = ReadonlyMap<string, string>

export interface SpecKeys {
  readonly required: readonly string[]
  readonly optional: readonly string[]
}

/**
 * Reads a description: keys and values separated by `=`, pairs by commas, blanks around them ignored.
 * @throws UsageError USAGE for a pair that is none, a key that is unknown, repeated or missing, an empty value
 */
export function parseServiceSpec(text: string, { required, optional }: SpecKeys): ServiceSpec {
  const spec = new Map<string, string>()
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=')
    if (at < 0) throw usage(`invalid key-value pair: ${excerpt(pair)} (a comma separates pairs, so it cannot be part of a value)`)
    const key = pair.slice(0, at).trim()
    const known = [...required, ...optional]
    if (!known.includes(key)) throw usage(`unknown key ${excerpt(key)}, expected one of ${known.join(', ')}`)
    if (spec.has(key)) throw usage(`the key '${key}' is given twice`)
    const value = pair.slice(at + 1).trim()
    if (value === '' && !required.includes(key)) throw usage(`the key '${key}' has no value: give one, or leave it out`)
    spec.set(key, value)
  }
  const missing = required.find((key) => (spec.get(key) ?? '') === '')
  if (missing !== undefined) throw usage(`missing or empty required key '${missing}'`)
  return spec
}

/**
 * The address of the service.
 * @throws UsageError USAGE
 */
export function urlOf(spec: ServiceSpec): string {
  return checkUrl(spec.get('url') ?? '', 'url')
}

/** The address itself, where it is one. @param name what it is called in messages @throws UsageError USAGE */
export function checkUrl(url: string, name: string): string {
  const fault = serviceUrlFault(url)
  if (fault !== undefined) throw usage(`${name} ${fault}`)
  return url
}

/**
 * From `start-time` to `end-time`.
 * @param start the beginning where the description has none
 * @throws UsageError USAGE
 */
export function windowOf(spec: ServiceSpec, start = 0): TimeWindow {
  return createWindow(instantOf(spec.get('start-time'), 'start-time') ?? start, instantOf(spec.get('end-time'), 'end-time'))
}

/** @throws UsageError USAGE for a window that ends before it begins */
export function createWindow(start: number, end: number | undefined): TimeWindow {
  if (end !== undefined && end < start)
    throw usage(`end-time ${new Date(end).toISOString()} is before the start, ${new Date(start).toISOString()}`)
  return { start, end }
}

/** @throws UsageError USAGE for a text that is no time */
export function instantOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const instant = parseTimestamp(text)
  if (instant === undefined) throw usage(`parsing ${name}: ${excerpt(text)} is no RFC 3339 time such as 2024-01-01T00:00:00Z`)
  return instant
}

/**
 * Runs what reads a description, and says in its errors which flag it was.
 * @throws CountersignError as `read`, with the prefix
 */
export function withPrefix<T>(prefix: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new CountersignError(cause.code, `${prefix}: ${cause.message}`, { cause })
  }
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
