/** A verifier in the race: it prepares each bundle's trust and policy once, then verifies from the bundle's JSON on. */
import type { BundleCase } from './bundle-case.ts'

export interface Contender {
  readonly name: string
  /** Why it refuses a case, or undefined when it accepts it. */
  refusal(position: number): string | undefined
  /**
   * Verifies the cases at these positions, over and over.
   * @returns verifications per second
   */
  race(positions: readonly number[], passes: number): Promise<number>
  close(): void
}

/** A verifier within this process: what to do once for a case, and what to do for every verification. */
export interface InProcessVerifier {
  readonly name: string
  /** Gives the verification of a case, which throws when it refuses. */
  prepare(testCase: BundleCase): () => void
  /** Forgets what it learned from bundles, so that a second pass over the same ones is no easier. */
  forget(): void
}

/** Puts a verifier of this process in the race. */
export function createContender(verifier: InProcessVerifier, cases: readonly BundleCase[]): Contender {
  const verifications = cases.map((testCase) => verifier.prepare(testCase))
  const refusals = verifications.map(refusalOf)
  return {
    name: verifier.name,
    refusal: (position) => refusals[position],
    race: (positions, passes) => {
      const chosen = positions.flatMap((position) => verifications[position] ?? [])
      let elapsed = 0
      for (let pass = 0; pass < passes; pass++) {
        verifier.forget()
        const start = performance.now()
        for (const verification of chosen) verification()
        elapsed += performance.now() - start
      }
      return Promise.resolve((passes * chosen.length * 1000) / elapsed)
    },
    close: () => {},
  }
}

function refusalOf(verification: () => void): string | undefined {
  try {
    verification()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
