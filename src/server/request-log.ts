/** The server's structured log. Bodies, query strings, headers and tokens are never written. */
import { pino } from 'pino'
import type { DestinationStream } from 'pino'

/** What the parts of the server may say. Fields hold no secrets. */
export interface ServerLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Where lines of JSON go, and from which level on. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly destination: { write(line: string): void }
}

/** A log of JSON lines with time, level and message. */
export function createServerLog({ level, destination }: LogOptions): ServerLog {
  const stream: DestinationStream = destination
  return pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"`, formatters: { level: (label) => ({ level: label }) } },
    stream,
  )
}

/** A log that keeps nothing. */
export const silentLog: ServerLog = { info: () => {}, warn: () => {}, error: () => {} }

/** An error as fields: its code and message, and those of its causes, without stack traces. */
export function errorFields(error: unknown): object {
  const chain: string[] = []
  for (let link = error; link instanceof Error && chain.length < 5; link = link.cause) chain.push(link.message)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return { error: chain.length > 0 ? chain.join(': ') : String(error), ...(code === undefined ? {} : { code }) }
}
