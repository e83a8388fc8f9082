/** Verifiers in the race, each in a process of its own: none pays for another one's garbage or compiled code. */
import type { BundleCase } from './bundle-case.ts'

/** A verifier that is ready. */
export interface Contender {
  readonly name: string
  /** Why it refuses a case, or undefined when it accepts it. */
  refusal(position: number): string | undefined
  /**
   * Verifies the cases at these positions, from the bytes of each bundle's JSON on, over and over.
   * @returns verifications per second
   */
  race(positions: readonly number[], passes: number): Promise<number>
  /** Ends its process. */
  close(): void
}

/** A verifier that runs in Node: what to do once for a case, and what to do for every verification. */
export interface NodeVerifier {
  /** Makes trust and policy ready, and gives the verification of a case, which throws when it refuses. */
  prepare(testCase: BundleCase): () => void
  /** Forgets what it learned from bundles, so that a second pass over the same ones is no easier. */
  forget(): void
  /** What a reader of the figures should know. */
  notes(): readonly string[]
}

/** The first argument of a child process that is to serve as a contender. */
export const serveArgument = 'serve-contender'
