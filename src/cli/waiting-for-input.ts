/**
 * Inputs that may keep the program waiting: pipes, named ones above all, and terminals. While they are opened and read at one go no JavaScript
 * runs, and the end of a process waits for what its threads read, so what catches the user's signals could do nothing about them.
 */
import { statSync } from 'node:fs'

const signals = ['SIGINT', 'SIGTERM'] as const

/** How many inputs are waited for, and what catches signals otherwise. */
let waiting = 0
let caught: readonly (readonly [NodeJS.Signals, readonly NodeJS.SignalsListener[]])[] = []

/** Whether a file is none that is read as fast as the disk is. @throws Node's own errors for one that cannot be looked at */
export function mayKeepWaiting(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === false
}

/** Whether anything catches the user's signals. Otherwise they end the process, whatever it is waiting for. */
export function areSignalsCaught(): boolean {
  return signals.some((signal) => process.listenerCount(signal) > 0)
}

/** Opens or reads a file at one go. If that can take as long as somebody else likes, signals end the process meanwhile. */
export function withInput<Result>(file: string, read: () => Result): Result {
  return areSignalsCaught() && mayKeepWaiting(file) ? whileWaiting(read) : read()
}

/** Does what this thread may stand still for as long as somebody else likes, as until a token is touched. Signals end the process meanwhile. */
export function whileWaiting<Result>(call: () => Result): Result {
  const stopWaiting = waitForInput()
  try {
    return call()
  } finally {
    stopWaiting()
  }
}

/** Has signals end the process at once, as where nobody catches them, until what is returned is called. */
export function waitForInput(): () => void {
  if (waiting === 0) caught = signals.map((signal) => [signal, process.listeners(signal)])
  waiting++
  for (const signal of signals) process.removeAllListeners(signal)
  return () => {
    waiting--
    if (waiting > 0) return
    for (const [signal, listeners] of caught) for (const listener of listeners) process.on(signal, listener)
    caught = []
  }
}
