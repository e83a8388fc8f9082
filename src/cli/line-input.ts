/** Lines that somebody types, or pipes in: with an echo, or without one for passwords. */
import type { ReadStream } from 'node:tty'

/** Reads a stream line by line. */
export interface LineInput {
  /** The next line without its end; undefined when the input is over. */
  readLine(): Promise<string | undefined>
  /**
   * As `readLine`, without showing on a terminal what is typed. Ctrl-C interrupts the process as it does elsewhere.
   * @param ask asks for it, as soon as nothing is shown any more: some type faster than a program changes its terminal
   */
  readHidden(ask: () => void): Promise<Uint8Array | undefined>
}

const maxLineBytes = 64 * 1024
const [ctrlC, ctrlD, backspace, newline, carriageReturn, deleteKey] = [3, 4, 8, 10, 13, 127]

/** Reads the lines of a stream. What comes after a line is kept for the next one. */
export function createLineInput(stream: ReadStream): LineInput {
  let kept = Buffer.alloc(0)
  const nextChunk = (): Promise<Buffer | undefined> =>
    new Promise((resolve) => {
      const finish = (chunk?: Buffer): void => {
        stream.pause()
        stream.off('data', finish)
        stream.off('end', end)
        stream.off('error', end)
        resolve(chunk)
      }
      const end = (): void => finish()
      if (stream.readableEnded) return resolve(undefined)
      stream.on('data', finish)
      stream.once('end', end)
      stream.once('error', end)
      stream.resume()
    })
  const readLine = async (): Promise<string | undefined> => {
    for (;;) {
      const at = kept.indexOf(newline)
      if (at >= 0) {
        const line = kept.toString('utf8', 0, at)
        kept = kept.subarray(at + 1)
        return line.replace(/\r$/, '')
      }
      const chunk = kept.length > maxLineBytes ? undefined : await nextChunk()
      if (chunk === undefined) {
        const rest = kept.toString('utf8')
        kept = Buffer.alloc(0)
        return rest === '' ? undefined : rest
      }
      kept = Buffer.concat([kept, chunk])
    }
  }
  const readKeys = async (): Promise<Uint8Array | undefined> => {
    const typed: number[] = []
    for (;;) {
      const chunk = await nextChunk()
      if (chunk === undefined) return undefined
      for (const byte of chunk) {
        if (byte === newline || byte === carriageReturn) return Uint8Array.from(typed)
        if (byte === ctrlD) return typed.length === 0 ? undefined : Uint8Array.from(typed)
        if (byte === ctrlC) process.kill(process.pid, 'SIGINT')
        else if (byte === deleteKey || byte === backspace) removeCharacter(typed)
        else if (typed.length < maxLineBytes) typed.push(byte)
      }
    }
  }
  const readHidden = async (ask: () => void): Promise<Uint8Array | undefined> => {
    if (!stream.isTTY) {
      ask()
      const line = await readLine()
      return line === undefined ? undefined : Buffer.from(line)
    }
    stream.setRawMode(true)
    try {
      ask()
      return await readKeys()
    } finally {
      stream.setRawMode(false)
    }
  }
  return { readLine, readHidden }
}

/** A character of UTF-8 may be several bytes, of which all but the first begin with the bits 10. */
function removeCharacter(typed: number[]): void {
  for (let last = typed.pop(); last !== undefined && (last & 0xc0) === 0x80;) last = typed.pop()
}
