/** Renews in the background what is due. Due is what the clock says, not how often a timer rang: a laptop may have slept for a week. */

export interface RenewalOptions {
  readonly isDue: () => Promise<boolean>
  readonly renew: () => Promise<unknown>
  /** Hears of what failed. */
  readonly onFailure: ((error: unknown) => void) | undefined
}

/** A renewal in the background. No method throws: what fails is told. */
export interface Renewal {
  /** Looks again and again from now on. */
  start(): void
  stop(): void
  /** Renews now if it is due, unless that has failed a moment ago. */
  catchUp(): Promise<void>
}

const tickMs = 30_000
/** Requests do not make a renewal that failed be tried more often than that. */
const retryMs = 5_000

/** Makes the handle; nothing happens before it is asked. */
export function createRenewal({ isDue, renew, onFailure }: RenewalOptions): Renewal {
  let timer: NodeJS.Timeout | undefined
  let lastFailure = Number.NEGATIVE_INFINITY
  let isStopped = false
  const renewIfDue = async (): Promise<void> => {
    try {
      if (await isDue()) await renew()
    } catch (error) {
      lastFailure = performance.now()
      onFailure?.(error)
    }
  }
  const schedule = (): void => {
    if (isStopped) return
    timer = setTimeout(() => {
      void renewIfDue().finally(schedule)
    }, tickMs).unref()
  }
  return {
    start: schedule,
    stop: () => {
      isStopped = true
      clearTimeout(timer)
    },
    catchUp: async () => {
      if (performance.now() - lastFailure > retryMs) await renewIfDue()
    },
  }
}
