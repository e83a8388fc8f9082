/**
 * The artifact of a verification, as the user names it: a file, `-` for standard input, a URL, or `sha256:<hex>`. What is
 * larger than a few megabytes is hashed as it passes by and never held.
 */
import { closeSync, existsSync, openSync, read, readSync } from 'node:fs'
import { resolve as resolvePath } from 'node:path'
import type { DigestAlgorithm, DigestState } from '../../crypto/digest.ts'
import { createDigest } from '../../crypto/digest.ts'
import { decodeHex } from '../../encoding/hex.ts'
import { concatBytes } from '../../encoding/bytes.ts'
import { CountersignError, systemCode } from '../../error.ts'
import type { Artifact } from '../../verify/artifact.ts'
import { artifactFromBytes, artifactFromDigests } from '../../verify/artifact.ts'
import type { DigestsNeeded } from '../../verify/digests-needed.ts'
import type { CommandContext } from '../context.ts'
import { areSignalsCaught, mayKeepWaiting, waitForInput } from '../waiting-for-input.ts'
import { unreadableFile } from './input-file.ts'

/** Up to here an artifact is kept in memory, because a signature over bytes is checked faster than one over a digest. */
const maxHeldBytes = 4 * 1024 * 1024
/** Pure Ed25519 needs the artifact whole, so this is the longest one it can be verified for. */
const maxWholeBytes = 512 * 1024 * 1024
const chunkBytes = 1024 * 1024
/** Most artifacts that are not long end within the first chunk. */
const firstChunkBytes = 64 * 1024

/** Reads or hashes the artifact. */
export async function loadArtifact(context: CommandContext, name: string, needed: () => DigestsNeeded): Promise<Artifact> {
  if (name === '-') return collect(context.stdin.read(), needed, context.signal)
  const file = resolvePath(context.cwd, name)
  if (name.includes(':') && !existsSync(file)) {
    const digest = /^(sha256|sha384|sha512):([0-9a-fA-F]+)$/.exec(name)
    if (digest !== null) return artifactFromHex(digest[1] ?? '', digest[2] ?? '')
    if (/^https?:\/\//.test(name)) return loadUrl(context, name, needed)
  }
  return loadFile(file, name, needed, context)
}

/** An artifact that is known by a digest alone. */
export function artifactFromHex(algorithm: string, hex: string): Artifact {
  return artifactFromDigests({ [algorithm]: decodeHex(hex, `the ${algorithm} digest of the artifact`) })
}

async function loadUrl(context: CommandContext, url: string, needed: () => DigestsNeeded): Promise<Artifact> {
  const { openUrl } = await import('../../http/fetch.ts')
  const stream = await openUrl(url, { env: context.env, signal: context.signal })
  return collect(stream, needed, context.signal)
}

async function loadFile(file: string, name: string, needed: () => DigestsNeeded, context: CommandContext): Promise<Artifact> {
  let descriptor: number | undefined
  let stopWaiting: (() => void) | undefined
  try {
    if (areSignalsCaught() && mayKeepWaiting(file) && !context.signal.aborted) stopWaiting = waitForInput()
    descriptor = openSync(file, 'r')
    return await collectFile(descriptor, needed, () => {
      // From when it is asked for, the signal is caught.
      const { signal } = context
      if (mayKeepWaiting(file) && !signal.aborted) stopWaiting ??= waitForInput()
      return signal
    })
  } catch (cause) {
    if (systemCode(cause) === '' || cause instanceof CountersignError) throw cause
    throw unreadableFile(`the artifact ${name}`, cause)
  } finally {
    stopWaiting?.()
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** A short file at one go; of a long one, for which the signal is asked for, the next chunk is read while the last one is hashed. */
async function collectFile(descriptor: number, needed: () => DigestsNeeded, askSignal: () => AbortSignal): Promise<Artifact> {
  const collector = new ArtifactCollector(needed)
  let chunk = Buffer.allocUnsafe(firstChunkBytes)
  for (let total = 0; total <= maxHeldBytes;) {
    const length = readSync(descriptor, chunk, 0, chunk.length, null)
    if (length === 0) return collector.finish()
    collector.add(chunk.subarray(0, length))
    total += length
    if (total >= firstChunkBytes && chunk.length === firstChunkBytes) chunk = Buffer.allocUnsafe(chunkBytes)
  }
  const signal = askSignal()
  let ahead = Buffer.allocUnsafe(chunkBytes)
  let reading = readChunk(descriptor, chunk)
  try {
    for (;;) {
      const length = await reading
      if (length === 0) return collector.finish()
      const filled = chunk
      reading = readChunk(descriptor, ahead)
      chunk = ahead
      ahead = filled
      collector.add(filled.subarray(0, length))
      signal.throwIfAborted()
    }
  } finally {
    // The file may be closed only when no read is under way.
    await reading.catch(() => 0)
  }
}

const readChunk = async (descriptor: number, chunk: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    read(descriptor, chunk, 0, chunk.length, null, (error, length) => (error === null ? resolve(length) : reject(error)))
  })

async function collect(chunks: AsyncIterable<Uint8Array>, needed: () => DigestsNeeded, signal: AbortSignal): Promise<Artifact> {
  const collector = new ArtifactCollector(needed)
  for await (const chunk of chunks) {
    collector.add(chunk)
    signal.throwIfAborted()
  }
  return collector.finish()
}

/** Keeps a short artifact, hashes a long one. What is needed of a long one is asked for only when it turns out to be long. */
class ArtifactCollector {
  readonly #needed: () => DigestsNeeded
  #maxHeld = maxHeldBytes
  #held: Uint8Array[] | undefined = []
  #length = 0
  #digests: { readonly algorithm: DigestAlgorithm; readonly state: DigestState }[] = []

  constructor(needed: () => DigestsNeeded) {
    this.#needed = needed
  }

  add(chunk: Uint8Array): void {
    this.#length += chunk.length
    if (this.#held !== undefined && this.#length > this.#maxHeld) this.#outgrow(this.#held)
    // The caller reads the next chunk into the same memory.
    if (this.#held !== undefined) this.#held.push(Uint8Array.from(chunk))
    else for (const { state } of this.#digests) state.update(chunk)
  }

  finish(): Artifact {
    if (this.#held !== undefined) return artifactFromBytes(concatBytes(...this.#held))
    return artifactFromDigests(Object.fromEntries(this.#digests.map(({ algorithm, state }) => [algorithm, state.finish()])))
  }

  #outgrow(held: readonly Uint8Array[]): void {
    const { algorithms, wholeArtifact } = this.#needed()
    if (wholeArtifact && this.#length <= maxWholeBytes) {
      this.#maxHeld = maxWholeBytes
      return
    }
    this.#digests = algorithms.map((algorithm) => ({ algorithm, state: createDigest(algorithm) }))
    for (const { state } of this.#digests) for (const part of held) state.update(part)
    this.#held = undefined
  }
}
