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

/**
 * An artifact in memory. Digests are computed when they are asked for: the same memory may hold something else by then.
 * @throws UsageError USAGE for what is not bytes: a text may have lost some when it was read
 */
export function artifactFromBytes(bytes: Uint8Array): Artifact {
  if (!(bytes instanceof Uint8Array))
    throw new UsageError('USAGE', `the bytes of an artifact should be a Uint8Array, found a ${typeof bytes}`)
  return { bytes, digest: (algorithm) => digest(algorithm, bytes) }
}

/** The same artifact for the time of one verification: no digest is computed twice. */
export function withKeptDigests(artifact: Artifact): Artifact {
  const digests = new Map<DigestAlgorithm, Uint8Array | undefined>()
  return {
    bytes: artifact.bytes,
    digest: (algorithm) => {
      if (!digests.has(algorithm)) digests.set(algorithm, artifact.digest(algorithm))
      return digests.get(algorithm)
    },
  }
}

/**
 * An artifact of which only digests are known, because it was streamed or is not here.
 * @throws UsageError USAGE when a digest has the wrong length for its algorithm or is no bytes, or there is none
 */
export function artifactFromDigests(digests: { readonly [Algorithm in DigestAlgorithm]?: Uint8Array }): Artifact {
  const known = new Map<DigestAlgorithm, Uint8Array>()
  for (const algorithm of ['sha224', 'sha256', 'sha384', 'sha512'] as const) {
    const value = digests[algorithm]
    if (value === undefined) continue
    if (!(value instanceof Uint8Array))
      throw new UsageError('USAGE', `a ${algorithm} digest should be a Uint8Array, found a ${typeof value}`)
    if (value.length !== digestLength(algorithm)) {
      throw new UsageError('USAGE', `a ${algorithm} digest has ${digestLength(algorithm)} bytes, found ${value.length}`)
    }
    known.set(algorithm, Uint8Array.from(value))
  }
  if (known.size === 0) throw new UsageError('USAGE', 'an artifact needs at least one digest')
  return { bytes: undefined, digest: (algorithm) => known.get(algorithm) }
}
