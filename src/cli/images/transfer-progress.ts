/** How far a transfer is: a line where somebody looks at a terminal, nothing elsewhere. */
import type { TransferProgress } from '../../oci/transfer.ts'
import type { CommandContext } from '../context.ts'

export interface ShownProgress extends TransferProgress {
  /** Removes the line. */
  stop(): void
}

const pauseMs = 100
/** What takes less is over before anybody reads it. */
const leastBytes = 1024 * 1024
const narrowest = 40

/** @param doing the first word of the line: `Saving` */
export function showProgress({ stderr, now }: Pick<CommandContext, 'stderr' | 'now'>, doing: string): ShownProgress {
  if (!stderr.isTTY || (stderr.columns ?? narrowest) < narrowest) {
    return { expect: () => undefined, advance: () => undefined, stop: () => undefined }
  }
  let [expected, done, shownAt, isShown] = [0, 0, 0, false]
  const show = (): void => {
    if (expected < leastBytes || now() - shownAt < pauseMs) return
    shownAt = now()
    isShown = true
    stderr.write(`\r${doing} ${megabytes(done)} of ${megabytes(expected)}\u001B[K`)
  }
  return {
    expect(size) {
      expected += size
    },
    advance(size) {
      done += size
      show()
    },
    stop() {
      if (isShown) stderr.write('\r\u001B[K')
      isShown = false
    },
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
