/** SHA-2 digests, at once or over a stream. */
import { createHash, hash } from 'node:crypto'
import { joinBytes, totalLength } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'

export type DigestAlgorithm = 'sha224' | 'sha256' | 'sha384' | 'sha512'

/** A digest in the making. */
export interface DigestState {
  update(chunk: Uint8Array): void
  /** The digest of everything added. To be called once. */
  finish(): Uint8Array
}

/** From here on a streaming hash object is as fast. */
const maxJoinedBytes = 4096
const lengths: Readonly<Record<DigestAlgorithm, number>> = { sha224: 28, sha256: 32, sha384: 48, sha512: 64 }
const protobufNames: Readonly<Record<string, DigestAlgorithm>> = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' }

/** The digest of the parts, one after another. */
export function digest(algorithm: DigestAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = parts
  if (first !== undefined && totalLength(parts) < maxJoinedBytes) {
    const joined = others.length === 0 ? first : joinBytes(...parts)
    // One call into OpenSSL instead of three.
    return hash(algorithm, joined, 'buffer')
  }
  const state = createHash(algorithm)
  for (const part of parts) state.update(part)
  return state.digest()
}

/** Starts a digest over a stream. */
export function createDigest(algorithm: DigestAlgorithm): DigestState {
  const state = createHash(algorithm)
  return { update: (chunk) => void state.update(chunk), finish: () => state.digest() }
}

/** Bytes of a digest. */
export function digestLength(algorithm: DigestAlgorithm): number {
  return lengths[algorithm]
}

/** The algorithm of a protobuf HashAlgorithm name such as `SHA2_256`; undefined for names that are not supported. */
export function protobufDigestAlgorithm(name: string): DigestAlgorithm | undefined {
  return Object.hasOwn(protobufNames, name) ? protobufNames[name] : undefined
}

/**
 * The protobuf HashAlgorithm name.
 * @throws UsageError USAGE for SHA-224, which has none
 */
export function protobufDigestName(algorithm: DigestAlgorithm): string {
  if (algorithm === 'sha224')
    throw new UsageError('USAGE', 'expected a sha256, sha384 or sha512 digest, found sha224, which bundles have no name for')
  return `SHA2_${algorithm.slice(3)}`
}
