/** What the benchmarks take from the command line. */

export interface BenchmarkOptions {
  /** Print where the time of a verification goes. */
  readonly profile: boolean
  /** Rounds to measure; undefined for the benchmark's own number. */
  readonly rounds: number | undefined
  /** The only row of `server` to run; undefined for all. */
  readonly row: string | undefined
  /** Bytes of the file that `memory` verifies. */
  readonly fileBytes: number
  /** Whether that file is random; otherwise it is sparse. */
  readonly randomContent: boolean
}

const units: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** A size such as `512MiB`, in bytes. */
export function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)(|KiB|MiB|GiB)$/.exec(text) ?? []
  const bytes = Number(digits) * (units[unit] ?? 0)
  if (bytes === 0) throw new Error(`a size is a number with KiB, MiB or GiB, found ${text}`)
  return bytes
}

/** A number of rounds. Medians of fewer than three say nothing. */
export function parseRounds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const rounds = Number(text)
  if (!Number.isSafeInteger(rounds) || rounds < 3) throw new Error(`the number of rounds should be at least 3, found ${text}`)
  return rounds
}
