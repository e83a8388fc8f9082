/** Several time servers that are asked together, so that no single one decides what time it is. */
import type { Clock } from '../clock.ts'
import type { SteadyClock, TimeServer } from './sntp.ts'
import { askTimeServer } from './sntp.ts'

export interface TimeServerOptions {
  /** Nobody is asked but these. */
  readonly servers: readonly TimeServer[]
  /** How many of them must agree with our clock; more than half by default. */
  readonly threshold?: number
  /** How long an answer may take; 2,000 ms by default. */
  readonly timeoutMs?: number
}

/** How far our clock may be from theirs, beyond half of the answer's delay. */
const maxOffsetMs = 1000

/** What one round of questions has found. */
export interface TimeSurvey {
  readonly asked: number
  readonly answered: number
  readonly agreeing: number
  readonly threshold: number
  /** The middle of what the servers say how far ahead of ours their clocks are, in milliseconds. */
  readonly offsetMs: number | undefined
  /**
   * `agree`: enough confirm our clock. `disagree`: enough have answered, and not enough of them confirm it. `unknown`: too few
   * have answered to say.
   */
  readonly verdict: 'agree' | 'disagree' | 'unknown'
}

/** Asks every server once, all at the same time. */
export async function surveyTimeServers(options: TimeServerOptions, clock: Clock, steady: SteadyClock): Promise<TimeSurvey> {
  const { servers, threshold = Math.floor(servers.length / 2) + 1, timeoutMs = 2000 } = options
  const settled = await Promise.allSettled(servers.map((server) => askTimeServer(server, timeoutMs, clock, steady)))
  const answers = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const agreeing = answers.filter(({ offsetMs, delayMs }) => Math.abs(offsetMs) <= maxOffsetMs + Math.abs(delayMs) / 2).length
  const offsets = answers.map(({ offsetMs }) => offsetMs).toSorted((a, b) => a - b)
  return {
    asked: servers.length,
    answered: answers.length,
    agreeing,
    threshold,
    offsetMs: offsets[Math.floor(offsets.length / 2)],
    verdict: agreeing >= threshold ? 'agree' : answers.length >= threshold ? 'disagree' : 'unknown',
  }
}
