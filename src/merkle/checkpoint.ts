/** Checkpoints: the text in which a log states the head of its tree (C2SP tlog-checkpoint). */
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts'
import { excerpt } from '../encoding/bytes.ts'
import { parseDecimal } from '../encoding/decimal.ts'
import { DecodingError } from '../error.ts'
import { hashSize } from './hash.ts'
import { hasControlCharacter } from './note-text.ts'
import { maxTreeSize } from './path-shape.ts'

/** The head of a log's tree. Nothing in it may be believed before a signature over the note was verified. */
export interface Checkpoint {
  /** What identifies the log, such as `log2025-1.rekor.sigstore.dev`. */
  readonly origin: string
  /** Number of leaves, at most 2^63-1. */
  readonly size: bigint
  /** 32 bytes. */
  readonly rootHash: Uint8Array
  /** Further lines, which the log may have added. */
  readonly extensions: readonly string[]
}

/**
 * Parses the text of a checkpoint's note, without its signatures.
 * @throws DecodingError CHECKPOINT_INVALID
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw invalid('a checkpoint ends in a newline')
  const lines = text.slice(0, -1).split('\n')
  const [origin, size, rootHash, ...extensions] = lines
  if (origin === undefined || size === undefined || rootHash === undefined) {
    throw invalid(`a checkpoint has a line each for origin, tree size and root hash, found ${lines.length} lines`)
  }
  checkLine(origin, 'the origin of the checkpoint')
  for (const extension of extensions) checkLine(extension, 'an extension line of the checkpoint')
  return { origin, size: parseSize(size), rootHash: parseRootHash(rootHash), extensions }
}

/**
 * Writes the text of a checkpoint's note, final newline included.
 * @throws DecodingError CHECKPOINT_INVALID when it could not be read back: an empty line, a control character, a size or
 *   hash of the wrong kind
 */
export function encodeCheckpoint({ origin, size, rootHash, extensions }: Checkpoint): string {
  checkLine(origin, 'the origin of the checkpoint')
  for (const extension of extensions) checkLine(extension, 'an extension line of the checkpoint')
  if (size < 0n || size > maxTreeSize) throw invalid('the tree size of the checkpoint lies between 0 and 2^63-1')
  checkRootHash(rootHash)
  return [origin, size, encodeBase64(rootHash), ...extensions, ''].join('\n')
}

function parseSize(line: string): bigint {
  const size = parseDecimal(line)
  if (size === undefined || size < 0n) {
    throw invalid(`the tree size of the checkpoint should be a decimal number without leading zeros, found ${excerpt(line)}`)
  }
  if (size > maxTreeSize) throw invalid(`the tree size of the checkpoint is above the largest possible, 2^63-1: ${size}`)
  return size
}

function parseRootHash(line: string): Uint8Array {
  let rootHash: Uint8Array
  try {
    rootHash = decodeBase64(line, 'the root hash')
  } catch (cause) {
    throw new DecodingError('CHECKPOINT_INVALID', `the root hash of the checkpoint should be base64, found ${excerpt(line)}`, { cause })
  }
  checkRootHash(rootHash)
  return rootHash
}

function checkRootHash(rootHash: Uint8Array): void {
  if (rootHash.length !== hashSize) throw invalid(`the root hash of the checkpoint should have ${hashSize} bytes, found ${rootHash.length}`)
}

function checkLine(line: string, what: string): void {
  if (line === '') throw invalid(`${what} is empty`)
  if (line.includes('\n') || hasControlCharacter(line)) throw invalid(`${what} holds a control character: ${excerpt(line)}`)
  if (!line.isWellFormed()) throw invalid(`${what} is not well-formed Unicode: ${excerpt(line)}`)
}

function invalid(message: string): DecodingError {
  return new DecodingError('CHECKPOINT_INVALID', message)
}
