/** Verifiers that run in Node, each in a child process that prepares the cases and then answers one request a round. */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createBareCrypto } from './bare-crypto.ts'
import type { BundleCase } from './bundle-case.ts'
import type { Contender, NodeVerifier } from './contender.ts'
import { serveArgument } from './contender.ts'
import { createCountersign } from './countersign.ts'
import { createSigstoreJs } from './sigstore-js.ts'

const verifiers = {
  countersign: createCountersign,
  '@sigstore/verify': createSigstoreJs,
  'bare node:crypto': createBareCrypto,
} as const satisfies Readonly<Record<string, () => NodeVerifier>>

/** Who can be started. */
export type NodeContenderName = keyof typeof verifiers

interface Prepared {
  /** Why each case is refused; null where it is not. */
  readonly refusals: readonly (string | null)[]
  readonly notes: readonly string[]
}

interface Request {
  readonly positions: readonly number[]
  readonly passes: number
}

/** Starts a verifier on these cases. */
export async function startNodeContender(name: NodeContenderName, cases: readonly BundleCase[]): Promise<Contender> {
  const child = fork(fileURLToPath(import.meta.url), [serveArgument, name], { serialization: 'advanced' })
  const { refusals, notes } = await ask<Prepared>(child, cases)
  for (const note of notes) console.log(`${name}: ${note}`)
  return {
    name,
    refusal: (position) => refusals[position] ?? undefined,
    race: (positions, passes) => ask<number>(child, { positions, passes } satisfies Request),
    close: () => child.disconnect(),
  }
}

async function ask<Answer>(child: ChildProcess, question: object): Promise<Answer> {
  const gone = new AbortController()
  const stop = (): void => gone.abort(new Error('a contender ended before it answered'))
  child.once('exit', stop)
  try {
    child.send(question)
    const [answer] = (await once(child, 'message', { signal: gone.signal })) as [Answer]
    return answer
  } finally {
    child.off('exit', stop)
  }
}

/** The life of the child process, until its parent disconnects. */
export async function serveContender(name: string | undefined): Promise<void> {
  if (name === undefined || !Object.hasOwn(verifiers, name)) throw new Error(`there is no contender ${JSON.stringify(name)}`)
  const verifier = verifiers[name as NodeContenderName]()
  const [cases] = (await once(process, 'message')) as [readonly BundleCase[]]
  const verifications = cases.map((testCase) => verifier.prepare(testCase))
  process.on('message', ({ positions, passes }: Request) => {
    process.send?.(
      race(
        verifier,
        positions.flatMap((position) => verifications[position] ?? []),
        passes,
      ),
    )
  })
  process.send?.({ refusals: verifications.map(refusalOf), notes: verifier.notes() } satisfies Prepared)
}

/** Verifications per second. */
function race(verifier: NodeVerifier, verifications: readonly (() => void)[], passes: number): number {
  let elapsed = 0
  for (let pass = 0; pass < passes; pass++) {
    verifier.forget()
    const start = performance.now()
    for (const verification of verifications) verification()
    elapsed += performance.now() - start
  }
  return (passes * verifications.length * 1000) / elapsed
}

function refusalOf(verification: () => void): string | null {
  try {
    verification()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
