/**
 * Watches the clock that timestamps are taken from. A step, which a steady clock does not take part in, makes it suspect, and so
 * do time servers that disagree, where some are configured. A suspect clock is cleared by going back to where it would be,
 * by time servers that agree, or by an operator.
 */
import { uptime } from 'node:os'
import type { Clock } from '../clock.ts'
import type { SteadyClock } from './sntp.ts'
import type { TimeServerOptions, TimeSurvey } from './time-servers.ts'
import { surveyTimeServers } from './time-servers.ts'

export interface ClockWatchOptions {
  readonly clock: Clock
  /** Does not count the time that the machine sleeps; `performance.now` by default. */
  readonly steady?: SteadyClock
  /** Milliseconds since the machine started, those of sleep included, to about a second; `steady` by default, or the system's. */
  readonly uptime?: SteadyClock
  /** None by default: nothing outside is asked. */
  readonly timeServers?: TimeServerOptions
  /** How often the time servers are asked; 60 s by default. */
  readonly askEveryMs?: number
  /** For how long the servers' last agreement holds when too few of them answer; 15 minutes by default. */
  readonly agreementHoldsMs?: number
}

/** What is known about the clock, for metrics and status. */
export interface ClockStatus {
  /** Why it must not be trusted; undefined while it may be. */
  readonly suspicion: string | undefined
  /** How far the clock is from where it would be without a step, in milliseconds. */
  readonly stepMs: number
  /** The last round of questions. */
  readonly survey: TimeSurvey | undefined
}

export interface ClockWatch {
  /** Compares the clocks now. @returns why the clock must not be trusted; undefined while it may be */
  suspicion(): string | undefined
  status(): ClockStatus
  /** Takes the clock as it is now for right: for an operator who has looked. */
  accept(): void
  /** Starts comparing. Resolves when the time servers, if there are any, have been asked once. */
  start(): Promise<void>
  close(): void
}

/** What the clocks showed at one time. */
interface Reading {
  readonly wall: number
  readonly steady: number
  readonly slept: number
}

/** By how much the clock is not where it would be, and whether that is too much. */
interface Step {
  readonly ms: number
  readonly isStep: boolean
}

/** A smaller step goes unnoticed: the accuracy that timestamps state. */
const maxStepMs = 1000
/** How often the clocks are compared, so that slewing does not add up to a step. */
const compareEveryMs = 10_000
/** Above this, in milliseconds, what uptime has gained on the steady clock is sleep. Below, it may be rounding. */
const leastSleepMs = 2500
/** How long the system's uptime, which takes 5 µs to read, may be an old one while nothing looks odd. */
const uptimeHoldsMs = 1000

/** Makes a watch. It compares the clocks when it is asked, and by itself between `start` and `close`. */
export function createClockWatch(options: ClockWatchOptions): ClockWatch {
  const { clock, askEveryMs = 60_000, agreementHoldsMs = 15 * 60_000, timeServers } = options
  const steady = options.steady ?? ((): number => performance.now())
  const sleep = createSleepCounter(steady, options.uptime ?? options.steady ?? ((): number => uptime() * 1000))
  const read = (): Reading => ({ wall: clock(), steady: steady(), slept: sleep(true) })
  const timers: NodeJS.Timeout[] = []
  let base = read()
  let survey: TimeSurvey | undefined
  let agreedAt: number | undefined

  const step = (): Step => {
    const elapsed = clock() - base.wall - (steady() - base.steady)
    const slept = sleep(Math.abs(elapsed) > maxStepMs) - base.slept
    // How long a sleep was is known to about a second only.
    const isSleep = slept > leastSleepMs
    const ms = isSleep ? elapsed - slept : elapsed
    return { ms, isStep: Math.abs(ms) > maxStepMs + (isSleep ? leastSleepMs : 0) }
  }
  const compare = (): string | undefined => {
    const { ms, isStep } = step()
    return isStep ? `it went ${ms > 0 ? 'forward' : 'back'} by ${formatSeconds(ms)} at once` : undefined
  }
  const suspicion = (): string | undefined => compare() ?? doubtOfServers(timeServers, survey, agreedAt, steady() - agreementHoldsMs)
  const rebase = (): void => {
    // While there is a step, the base stays that of before it: the clock may come back.
    if (!step().isStep) base = read()
  }
  const ask = async (servers: TimeServerOptions): Promise<void> => {
    survey = await surveyTimeServers(servers, clock, steady)
    if (survey.verdict !== 'agree') return
    agreedAt = steady()
    base = read()
  }
  const repeat = (run: () => void, everyMs: number): void => void timers.push(setInterval(run, everyMs).unref())

  return {
    suspicion,
    status: () => ({ suspicion: suspicion(), stepMs: step().ms, survey }),
    accept: () => {
      base = read()
    },
    start: async () => {
      repeat(rebase, compareEveryMs)
      if (timeServers === undefined) return
      repeat(() => void ask(timeServers), askEveryMs)
      await ask(timeServers)
    },
    close: () => {
      for (const timer of timers.splice(0)) clearInterval(timer)
    },
  }
}

/** Gives milliseconds of sleep since its making, looking anew when it must, and once a second otherwise. */
function createSleepCounter(steady: SteadyClock, sinceBoot: SteadyClock): (lookAnew: boolean) => number {
  const awake = sinceBoot() - steady()
  let lookedAt = steady()
  let slept = 0
  return (lookAnew) => {
    const now = steady()
    if (lookAnew || now - lookedAt > uptimeHoldsMs) {
      lookedAt = now
      slept = sinceBoot() - now - awake
    }
    return slept
  }
}

function doubtOfServers(
  servers: TimeServerOptions | undefined,
  survey: TimeSurvey | undefined,
  agreedAt: number | undefined,
  agreementNeededAfter: number,
): string | undefined {
  if (servers === undefined) return undefined
  if (survey === undefined) return 'the time servers have not answered yet'
  const { asked, answered, agreeing, threshold, offsetMs, verdict } = survey
  if (verdict === 'disagree') {
    return `${agreeing} of the ${answered} time servers that answered agree with it, ${threshold} must; they say it is off by ${formatSeconds(offsetMs ?? 0)}`
  }
  if (verdict === 'agree' || (agreedAt !== undefined && agreedAt >= agreementNeededAfter)) return undefined
  return `${answered} of ${asked} time servers have answered, ${threshold} must agree with it`
}

function formatSeconds(ms: number): string {
  return `${(Math.abs(ms) / 1000).toFixed(1)} s`
}
