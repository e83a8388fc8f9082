/**
 * The surroundings of a command in a process of its own. Output is written to the descriptor at once: `process.stdout` costs 3 ms to set up, and what
 * it has not written yet is lost when the process ends.
 */
import { fstatSync } from 'node:fs'
import { TransportError, systemCode } from '../error.ts'
import type { CommandContext, Input, Writer } from './context.ts'
import { writeSome } from './descriptor.ts'
import type { LineInput } from './line-input.ts'
import { reasonOf } from './verification/system-error.ts'

/**
 * The context that the process gives to a command.
 * @param interruption holds the signal that is aborted when the process is interrupted
 */
export function createProcessContext(interruption: { readonly signal: AbortSignal }): CommandContext {
  return {
    stdin: openStandardInput(),
    stdout: openStandardOutput(1),
    stderr: openStandardOutput(2),
    env: process.env,
    cwd: currentDirectory(),
    get signal() {
      return interruption.signal
    },
    verbose: false,
    now: () => Date.now(),
  }
}

/** Without a directory to start from, absolute paths still work and relative ones fail when they are used. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '.'
  }
}

/** Standard output (1) or standard error (2). */
function openStandardOutput(descriptor: 1 | 2): Writer {
  // The console of Windows takes text in UTF-8 only from a stream.
  return process.platform === 'win32' ? streamWriter(descriptor) : descriptorWriter(descriptor)
}

/** Standard input. */
function openStandardInput(): Input {
  let lines: LineInput | undefined
  const openLines = async (): Promise<LineInput> => (lines ??= (await import('./line-input.ts')).createLineInput(process.stdin))
  return {
    get isTTY() {
      return process.stdin.isTTY ?? false
    },
    get isNothing() {
      return fstatSync(0).isCharacterDevice() && !process.stdin.isTTY
    },
    read: () => process.stdin,
    readLine: async () => (await openLines()).readLine(),
    readHidden: async (ask) => (await openLines()).readHidden(ask),
  }
}

function streamOf(descriptor: 1 | 2): NodeJS.WriteStream {
  return descriptor === 1 ? process.stdout : process.stderr
}

function descriptorWriter(descriptor: 1 | 2): Writer {
  let open = true
  return {
    write(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk
      for (let written = 0; open && written < bytes.length;) {
        const count = tryWrite(descriptor, bytes, written)
        if (count === 'closed') open = false
        else written += count
      }
    },
    flush: () => Promise.resolve(),
    get isTTY() {
      return streamOf(descriptor).isTTY ?? false
    },
    get columns() {
      return open && streamOf(descriptor).isTTY ? streamOf(descriptor).columns : undefined
    },
  }
}

/** The number of bytes written, or that nobody reads any more: whoever closed the pipe has seen enough. */
function tryWrite(descriptor: number, bytes: Uint8Array, from: number): number | 'closed' {
  try {
    return writeSome(descriptor, bytes, from)
  } catch (cause) {
    if (systemCode(cause) === 'EPIPE') return 'closed'
    const name = descriptor === 1 ? 'standard output' : 'standard error'
    throw new TransportError('FILE_UNWRITABLE', `${name} cannot be written: ${reasonOf(cause)}`, { cause })
  }
}

function streamWriter(descriptor: 1 | 2): Writer {
  const stream = streamOf(descriptor)
  let failure: Error | undefined
  stream.on('error', (error: Error) => {
    failure = error
  })
  return {
    write(chunk) {
      if (failure === undefined) stream.write(chunk)
    },
    flush: () =>
      new Promise((resolve, reject) => {
        stream.write('', () => {
          if (failure === undefined || systemCode(failure) === 'EPIPE') resolve()
          else reject(new TransportError('FILE_UNWRITABLE', `the output cannot be written: ${failure.message}`, { cause: failure }))
        })
      }),
    isTTY: stream.isTTY ?? false,
    columns: stream.isTTY ? stream.columns : undefined,
  }
}
