/** Takes entries in the only process that uses the storage. */
import { answerBatch } from './answers.ts'
import type { BatchOptions, Waiter } from './entry-queue.ts'
import { EntryQueue } from './entry-queue.ts'
import type { LogWriter } from './log-writer.ts'
import type { TreeState } from './tree-state.ts'
import type { TreeWriterContext } from './tree-writer.ts'
import { TreeWriter } from './tree-writer.ts'

/**
 * Opens a log for writing. Whoever had it open before cannot write to it any more.
 * @throws CountersignError as `TreeWriter.open`
 */
export async function openSoleWriter(context: TreeWriterContext, options: BatchOptions): Promise<LogWriter> {
  const { id, storage, reader } = context
  const epoch = await storage.heads.takeEpoch(id)
  let writer = await TreeWriter.open(context, epoch)
  let isDoubtful = false
  const process = async (waiters: readonly Waiter[]): Promise<void> => {
    // After a failure only the storage knows what became of the batch.
    if (isDoubtful) writer = await TreeWriter.open(context, epoch)
    isDoubtful = true
    const appended = await writer.append(waiters, [])
    isDoubtful = false
    await answerBatch(id, reader, appended)
  }
  const queue = new EntryQueue(id, options, process)
  return {
    role: 'leader',
    get state(): TreeState {
      return writer.state
    },
    get waiting() {
      return queue.waiting
    },
    add: (entry, signal) => queue.add(entry, signal),
    close: () => queue.close(),
  }
}
