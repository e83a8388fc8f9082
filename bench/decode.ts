/** Time of every decoder over hostile input of several sizes, brought to 100 KB; the worst input of each counts. */
import { CountersignError } from '../src/error.ts'
import { decodeExamples } from './decode-examples.ts'
import type { Decoder } from './decoders.ts'
import { allDecoders, forgottenDecoders } from './decoders.ts'
import type { Figure } from './figure.ts'
import type { HostileInput } from './hostile-input.ts'
import { median, timed } from './rounds.ts'

/** Every input comes in these sizes: some formats refuse what is larger than 64 KiB, and what they read must count too. */
const sizes = [60_000, 100_000] as const
/** The worst inputs come in these as well, so that time which grows faster than the input shows. */
const furtherSizes = [10_000, 400_000, 1_000_000] as const
const worstInputs = 5
const unitBytes = 100_000
const longestMessage = 1000
const goal = { bound: 'at-most', of: 50 } as const
/** Milliseconds from which on a measurement is repeated more often, since it may be what is reported. */
const worthRepeating = 2

interface Measurement {
  readonly input: HostileInput
  readonly size: number
  /** Milliseconds per 100 KB. */
  readonly time: number
}

/** Runs the benchmark. Ends with status 1 when an input is answered with anything but a value or an error of ours. */
export function run(): Promise<readonly Figure[]> {
  const decoders = allDecoders(decodeExamples())
  const forgotten = forgottenDecoders(decoders)
  if (forgotten.length > 0) throw new Error(`bench/decoders.ts does not measure ${forgotten.join(', ')}`)
  const problems = new Set<string>()
  const worst = decoders
    .map((decoder) => ({ name: decoder.name, measurement: worstOf(decoder, problems) }))
    .toSorted((a, b) => b.measurement.time - a.measurement.time)
  for (const problem of problems) console.log(problem)
  if (problems.size > 0) process.exitCode = 1
  const inputs = decoders.reduce((sum, decoder) => sum + decoder.inputs.length, 0)
  console.log(`${decoders.length} decoders, ${inputs} hostile inputs, ${problems.size} of them not answered as they should be`)
  return Promise.resolve(
    worst.map(({ name, measurement: { input, size, time } }) => ({
      name: `${name}, ${size / 1000} KB: ${input.name}`,
      value: time,
      unit: 'ms/100 KB',
      goal,
    })),
  )
}

function worstOf(decoder: Decoder, problems: Set<string>): Measurement {
  const all = (inputs: readonly HostileInput[], some: readonly number[]): Measurement[] =>
    inputs.flatMap((input) => some.map((size) => ({ input, size, time: measure(decoder, input, size, problems) })))
  const first = all(decoder.inputs, sizes).toSorted(slowestFirst)
  const suspects = new Set(first.slice(0, worstInputs).map(({ input }) => input))
  const [worst] = [...first.slice(0, 1), ...all([...suspects], furtherSizes)].toSorted(slowestFirst)
  if (worst === undefined) throw new Error(`there is no input for ${decoder.name}`)
  return worst
}

function slowestFirst(a: Measurement, b: Measurement): number {
  return b.time - a.time
}

function measure({ name, decode }: Decoder, input: HostileInput, size: number, problems: Set<string>): number {
  const bytes = input.make(size)
  let problem: string | undefined
  const attempt = (): number =>
    timed(() => {
      problem = problemWith(decode, bytes)
    })
  attempt()
  if (problem !== undefined) problems.add(`${name}: ${input.name}: ${problem}`)
  const times = [attempt(), attempt(), attempt()]
  if (median(times) > worthRepeating) times.push(attempt(), attempt(), attempt(), attempt())
  return (median(times) * unitBytes) / Math.max(bytes.length, size)
}

/** Whatever the input, a decoder answers, or throws an error of ours with a message that a person can read. */
function problemWith(decode: Decoder['decode'], bytes: Uint8Array): string | undefined {
  try {
    decode(bytes)
    return undefined
  } catch (error) {
    if (!(error instanceof CountersignError)) return String(error)
    return error.message.length > longestMessage ? 'the message of the error grows with the input' : undefined
  }
}
