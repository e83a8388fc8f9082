/** Instants as RFC 3339 text in UTC. A bundle may state any number, also one that is no date. */

const earliest = Date.parse('0000-01-01T00:00:00Z')
const latest = Date.parse('9999-12-31T23:59:59.999Z')

/** An instant in epoch milliseconds, without its fraction of a second. Outside the years 0 to 9999, the number itself. */
export function formatInstant(instant: number): string {
  if (!(instant >= earliest && instant <= latest)) return `${instant} ms since 1970 (not a date)`
  return `${new Date(instant).toISOString().slice(0, 19)}Z`
}

/** An instant in whole seconds since 1970. */
export function formatSeconds(seconds: bigint): string {
  const instant = Number(seconds) * 1000
  return instant >= earliest && instant <= latest ? formatInstant(instant) : `${seconds} s since 1970 (not a date)`
}
