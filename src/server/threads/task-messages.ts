/**
 * What the main thread and the threads that work say to each other. Pieces of work come in batches, their bytes in one buffer that
 * changes hands: a message costs more than a small piece of work, and each view of bytes in one more than the bytes.
 */

/** Has the thread make the function of a task. */
export interface OpenMessage {
  readonly open: number
  readonly name: string
  readonly setup: unknown
}

/** A batch. */
export interface WorkMessage {
  readonly id: number
  /** The number of each piece's task, and the length of its input. */
  readonly tasks: readonly number[]
  readonly inputs: PackedBytes
}

/** The answer to a batch. */
export interface WorkAnswer {
  readonly id: number
  /** What became of each piece. */
  readonly outputs: PackedBytes
}

/** Byte strings in one. */
export interface PackedBytes {
  /** Of each, or -1 where there is none. */
  readonly lengths: readonly number[]
  /** One after another, in a buffer of their own. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Puts byte strings into one. */
export function packBytes(parts: readonly (Uint8Array | undefined)[]): PackedBytes {
  const lengths = parts.map((part) => part?.length ?? -1)
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0))
  let at = 0
  for (const part of parts) {
    if (part === undefined) continue
    bytes.set(part, at)
    at += part.length
  }
  return { lengths, bytes }
}

/** The byte strings: views of the one. */
export function unpackBytes({ lengths, bytes }: PackedBytes): (Uint8Array | undefined)[] {
  let at = 0
  return lengths.map((length) => {
    if (length < 0) return undefined
    at += length
    return bytes.subarray(at - length, at)
  })
}
