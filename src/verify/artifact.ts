/** The artifact that a signature is checked against: its bytes, or digests of it. */
import type { DigestAlgorithm } from '../crypto/digest.ts'
import { digest, digestLength } from '../crypto/digest.ts'
import { UsageError } from '../error.ts'

/** What was signed: all of it, or digests of it. */
export interface Artifact {
  /** The whole artifact, when it is at hand. */
  readonly bytes: Uint8Array | undefined
  /** Its digest, or undefined when only other digests were given. */
  digest(algorithm: DigestAlgorithm): Uint8Array | undefined
}

/** An artifact in memory. Digests are computed when they are asked for, once. */
export function artifactFromBytes(bytes: Uint8Array): Artifact {
  const digests = new Map<DigestAlgorithm, Uint8Array>()
  return {
    bytes,
    digest: (algorithm) => {
      const known = digests.get(algorithm)
      if (known !== undefined) return known
      const computed = digest(algorithm, bytes)
      digests.set(algorithm, computed)
      return computed
    },
  }
}

/**
 * An artifact of which only digests are known, because it was streamed or is not here.
 * @throws UsageError USAGE when a digest has the wrong length for its algorithm, or there is none
 */
export function artifactFromDigests(digests: { readonly [Algorithm in DigestAlgorithm]?: Uint8Array }): Artifact {
  const known = new Map<DigestAlgorithm, Uint8Array>()
  for (const algorithm of ['sha224', 'sha256', 'sha384', 'sha512'] as const) {
    const value = digests[algorithm]
    if (value === undefined) continue
    if (value.length !== digestLength(algorithm)) {
      throw new UsageError('USAGE', `a ${algorithm} digest has ${digestLength(algorithm)} bytes, found ${value.length}`)
    }
    known.set(algorithm, value)
  }
  if (known.size === 0) throw new UsageError('USAGE', 'an artifact needs at least one digest')
  return { bytes: undefined, digest: (algorithm) => known.get(algorithm) }
}
