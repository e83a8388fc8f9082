/** A line that is written over and over while something takes its time: on a terminal only. */
import type { CommandContext } from './context.ts'

export interface ProgressLine {
  /** Shows the text in the place of what was shown before. */
  show(text: string): void
  /** Makes room for what is printed next. */
  clear(): void
}

/** Nothing is shown before the first text. */
export function createProgressLine({ stderr }: CommandContext): ProgressLine {
  let isShown = false
  return {
    show(text) {
      if (!stderr.isTTY) return
      isShown = true
      stderr.write(`\r${text.slice(0, Math.max((stderr.columns ?? 80) - 1, 20))}\u001B[K`)
    },
    clear() {
      if (isShown) stderr.write('\r\u001B[K')
      isShown = false
    },
  }
}
