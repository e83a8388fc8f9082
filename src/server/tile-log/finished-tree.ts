/** A log that takes no more entries: its tree does not change. */
import { CountersignError } from '../../error.ts'
import type { LogState } from './log.ts'
import type { LogWriter } from './log-writer.ts'
import type { TreeWriterContext } from './tree-writer.ts'
import { TreeWriter, loadTree } from './tree-writer.ts'

/** Opens the log as it is; one that has no head yet gets its first. @throws CountersignError as `TreeWriter.open` */
export async function openFinishedTree(context: TreeWriterContext, logState: LogState): Promise<LogWriter> {
  const { id, storage } = context
  const state = (await loadTree(context)) ?? (await TreeWriter.open(context, await storage.heads.takeEpoch(id))).state
  return {
    state,
    role: 'reader',
    waiting: 0,
    add: async () => {
      throw new CountersignError('LOG_FROZEN', `the log ${id} is ${logState} and takes no entries`)
    },
    close: async () => {},
  }
}
