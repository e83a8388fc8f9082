/** How far a command with many blobs is: a bar where somebody looks at a terminal, a few lines for each blob elsewhere. */
import type { CommandContext } from '../context.ts'

export interface BatchProgress {
  /** Whether there is a bar, in whose place nothing else may be printed. */
  readonly isBar: boolean
  /** One more is done with. */
  step(): void
  /** Removes the bar. */
  stop(): void
}

/** Fewer have their lines on a terminal, too. */
const leastForBar = 9
const pauseMs = 100
const narrowest = 40
const barWidth = 24

export function startBatchProgress(context: CommandContext, total: number): BatchProgress {
  const { stderr } = context
  if (total < leastForBar || !stderr.isTTY || (stderr.columns ?? narrowest) < narrowest) {
    return { isBar: false, step: () => undefined, stop: () => undefined }
  }
  let [done, shownAt] = [0, 0]
  const show = (): void => {
    const filled = Math.floor((done / total) * barWidth)
    stderr.write(`\rSigning [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done}/${total}\u001B[K`)
  }
  return {
    isBar: true,
    step() {
      done++
      const now = context.now()
      if (now - shownAt < pauseMs) return
      shownAt = now
      show()
    },
    stop: () => stderr.write('\r\u001B[K'),
  }
}
