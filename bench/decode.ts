/** Time of every decoder over hostile input of several sizes, brought to 100 KB; the worst input of each counts. */
import { CountersignError } from '../src/error.ts'
import { decodeExamples } from './decode-examples.ts'
import type { Decoder } from './decoders.ts'
import { allDecoders, forgottenDecoders } from './decoders.ts'
import type { Figure } from './figure.ts'
import type { HostileInput } from './hostile-input.ts'
import { median, timed } from './rounds.ts'

/** Every input comes in this size: some formats refuse what is larger than 64 KiB, and what they read must count too. */
const firstSize = 60_000
/** The worst inputs are measured in these, so that time which grows faster than the input shows. */
const sizes = [10_000, firstSize, 100_000, 400_000, 1_000_000] as const
const worstInputs = 5
/** Attempts that count: on every input, to find the worst ones, and on those. */
const attempts = { first: 1, worst: 4 } as const
/** Milliseconds after which an input is not tried again: what it has shown by then is enough. */
const patience = 1000
const unitBytes = 100_000
const longestMessage = 1000
const goal = { bound: 'at-most', of: 50 } as const

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
  const first = decoder.inputs.map((input) => measure(decoder, input, firstSize, problems, attempts.first)).toSorted(slowestFirst)
  const [worst] = first
    .slice(0, worstInputs)
    .flatMap(({ input }) => sizes.map((size) => measure(decoder, input, size, problems, attempts.worst)))
    .toSorted(slowestFirst)
  if (worst === undefined) throw new Error(`there is no input for ${decoder.name}`)
  return worst
}

function slowestFirst(a: Measurement, b: Measurement): number {
  return b.time - a.time
}

/** The median of the attempts. One more comes before them, which may find code that is not compiled. */
function measure({ name, decode }: Decoder, input: HostileInput, size: number, problems: Set<string>, count: number): Measurement {
  const bytes = input.make(size)
  let problem: string | undefined
  const attempt = (): number =>
    timed(() => {
      problem = problemWith(decode, bytes)
    })
  const start = performance.now()
  const cold = attempt()
  const times: number[] = []
  while (times.length < count && performance.now() - start < patience) times.push(attempt())
  if (problem !== undefined) problems.add(`${name}: ${input.name}: ${problem}`)
  return { input, size, time: (median(times.length === 0 ? [cold] : times) * unitBytes) / Math.max(bytes.length, size) }
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
