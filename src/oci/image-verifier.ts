/** Verifies what is found beside images, each signature as soon as it is there: the next ones are on their way meanwhile. */
import { CountersignError } from '../error.ts'
import type { Findings, FoundSignature } from './found-signature.ts'
import type { ImagePolicy, VerifiedSignature } from './verify-image.ts'
import { isComplete, isWanted, verifyFound } from './verify-image.ts'

/** A signature that does not count, and the first reason. */
export interface RefusedSignature {
  readonly found: FoundSignature
  readonly error: CountersignError
}

/** What came of everything that was found beside an image. */
export interface ImageVerification {
  readonly verified: readonly VerifiedSignature[]
  readonly refused: readonly RefusedSignature[]
  /** What was found and is not of the kind that was wanted. */
  readonly others: readonly FoundSignature[]
}

/** Verifies the signatures of one image. */
export interface ImageVerifier {
  /** Begins with one of them. Nothing is told of it before `finish`. */
  begin(found: FoundSignature): void
  /** Verifies everything found. Whether one that holds is enough is the caller's decision; none that holds must never pass. */
  finish(findings: Findings): Promise<ImageVerification>
}

type Outcome = { readonly verified: VerifiedSignature } | { readonly refused: RefusedSignature } | 'other'

/**
 * Makes a verifier for one image.
 * @param digest of the image's manifest
 * @param loadPolicy called once; what it throws is thrown by `finish`
 */
export function openImageVerifier(digest: string, loadPolicy: () => Promise<ImagePolicy>): ImageVerifier {
  const outcomes = new Map<FoundSignature, Promise<Outcome>>()
  let loading: Promise<ImagePolicy> | undefined
  const usePolicy = (): Promise<ImagePolicy> => (loading ??= loadPolicy())
  const outcomeOf = (found: FoundSignature, policy: ImagePolicy): Promise<Outcome> => {
    let outcome = outcomes.get(found)
    if (outcome === undefined) outcomes.set(found, (outcome = judge(found, digest, policy)))
    outcome.catch(() => undefined)
    return outcome
  }
  /** Those for which nobody has to be asked are verified at once, the others one after the other. */
  const beginWith = (found: FoundSignature, policy: ImagePolicy): void => {
    if (isComplete(found, policy)) void outcomeOf(found, policy)
  }
  return {
    begin(found) {
      usePolicy().then(
        (policy) => beginWith(found, policy),
        () => undefined,
      )
    },
    async finish({ signatures }) {
      const verification = { verified: [] as VerifiedSignature[], refused: [] as RefusedSignature[], others: [] as FoundSignature[] }
      const policy = await usePolicy()
      for (const found of signatures) beginWith(found, policy)
      for (const found of signatures) {
        const outcome = await outcomeOf(found, policy)
        if (outcome === 'other') verification.others.push(found)
        else if ('verified' in outcome) verification.verified.push(outcome.verified)
        else verification.refused.push(outcome.refused)
      }
      return verification
    },
  }
}

async function judge(found: FoundSignature, digest: string, policy: ImagePolicy): Promise<Outcome> {
  if (!isWanted(found, policy)) return 'other'
  try {
    return { verified: await verifyFound(found, digest, policy) }
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
    return { refused: { found, error } }
  }
}
