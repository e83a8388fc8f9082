/** Answers those who wait for entries. */
import { CountersignError } from '../../error.ts'
import { proveInclusion } from '../../merkle/prover.ts'
import type { Waiter } from './entry-queue.ts'
import type { AddedEntry } from './log.ts'
import type { TreeReader } from './tree-reader.ts'
import type { TreeState } from './tree-state.ts'
import type { Appended, Placement } from './tree-writer.ts'

/** Answers the waiters of a batch, each with its own proof. */
export async function answerBatch(logId: string, reader: TreeReader, appended: Appended): Promise<void> {
  const duplicates: Placement[] = []
  for (const placement of appended.placements) {
    const added = addedEntry(appended, placement)
    if (added === undefined) duplicates.push(placement)
    else placement.waiter.resolve(added)
  }
  await Promise.all(
    duplicates.map(({ waiter, index, duplicate }) => answerFromTree(logId, reader, appended.state, waiter, index, duplicate)),
  )
}

/** Answers one waiter with an entry that the tree has. Whatever fails goes to the waiter. */
export async function answerFromTree(
  logId: string,
  reader: TreeReader,
  state: TreeState,
  waiter: Waiter,
  index: bigint,
  duplicate: boolean,
): Promise<void> {
  try {
    const [entry] = await reader.entries(state, index, 1)
    if (entry === undefined)
      throw new CountersignError('LOG_CORRUPT', `the log ${logId} has no entry ${index}; run countersign server fsck`)
    const hashes = await reader.proveInclusion(state, index, state.head.size)
    waiter.resolve({ ...entry, inclusion: { head: state.head, hashes }, duplicate })
  } catch (error) {
    waiter.reject(error)
  }
}

/** The answer about an entry of this very batch, which needs nothing from storage. */
function addedEntry({ state, previous, grown }: Appended, { index, duplicate }: Placement): AddedEntry | undefined {
  if (grown === undefined || index < previous.head.size) return undefined
  const entry = grown.entries[Number(index - previous.head.size)]
  if (entry === undefined) return undefined
  const { timestampMs, leaf, extra } = entry
  return {
    index,
    timestampMs,
    leaf,
    extra,
    duplicate,
    // Not everybody asks for it.
    get inclusion() {
      return { head: state.head, hashes: proveInclusion(index, state.head.size, grown.read) }
    },
  }
}
