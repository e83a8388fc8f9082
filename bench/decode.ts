/** Time of every decoder over hostile input of several sizes, brought to 100 KB; the worst input of each counts. */
import { CountersignError } from '../src/error.ts'
import { decodeExamples } from './decode-examples.ts'
import type { Decoder } from './decoders.ts'
import { allDecoders, forgottenDecoders } from './decoders.ts'
import type { Figure } from './figure.ts'
import type { HostileInput } from './hostile-input.ts'
import { median, timed } from './rounds.ts'

/** Below and above the limits that some formats have, so that both what is read and what is refused is measured. */
const sizes = [10_000, 60_000, 100_000, 1_000_000]
const unitBytes = 100_000
const goal = { bound: 'at-most', of: 50 } as const
/** Milliseconds from which on a measurement is repeated more often, since it may be what is reported. */
const worthRepeating = 2
const longestMessage = 1000

interface Measurement {
  readonly input: string
  readonly size: number
  /** Milliseconds per 100 KB. */
  readonly time: number
}

/** Runs the benchmark. */
export function run(): Promise<readonly Figure[]> {
  const decoders = allDecoders(decodeExamples())
  const forgotten = forgottenDecoders(decoders)
  if (forgotten.length > 0) throw new Error(`bench/decoders.ts does not measure ${forgotten.join(', ')}`)
  const failures: string[] = []
  const worst = decoders
    .map((decoder) => ({ decoder, measurement: worstInput(decoder, failures) }))
    .toSorted((a, b) => b.measurement.time - a.measurement.time)
  for (const failure of failures) console.log(failure)
  if (failures.length > 0) throw new Error(`${failures.length} inputs were not answered with an error of ours`)
  return Promise.resolve(
    worst.map(({ decoder, measurement: { input, size, time } }) => ({
      name: `${decoder.name}, ${size / 1000} KB: ${input}`,
      value: time,
      unit: 'ms/100 KB',
      goal,
    })),
  )
}

function worstInput(decoder: Decoder, failures: string[]): Measurement {
  let worst: Measurement = { input: 'none', size: 0, time: 0 }
  for (const input of decoder.inputs) {
    for (const size of sizes) {
      const time = measure(decoder, input, size, failures)
      if (time > worst.time) worst = { input: input.name, size, time }
    }
  }
  return worst
}

function measure({ name, decode }: Decoder, input: HostileInput, size: number, failures: string[]): number {
  const bytes = input.make(size)
  const attempt = (): number => timed(() => attemptToDecode(decode, bytes, (problem) => failures.push(`${name}, ${size / 1000} KB: ${input.name}: ${problem}`)))
  attempt()
  const times = [attempt(), attempt(), attempt()]
  if (median(times) > worthRepeating) times.push(attempt(), attempt(), attempt(), attempt())
  return (median(times) * unitBytes) / Math.max(bytes.length, size)
}

/** Whatever the input, a decoder answers, or throws an error of ours with a message that a person can read. */
function attemptToDecode(decode: Decoder['decode'], bytes: Uint8Array, report: (problem: string) => void): void {
  try {
    decode(bytes)
  } catch (error) {
    if (!(error instanceof CountersignError)) report(`${String(error)}`)
    else if (error.message.length > longestMessage) report(`a message of ${error.message.length} characters`)
  }
}
