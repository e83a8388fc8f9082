/** The configuration of issuers in its file, read again when the file changes. What is broken is never used. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '../../error.ts'
import { readDataText } from '../data-folder.ts'
import type { IssuerConfiguration } from './issuer-configuration.ts'
import { parseIssuerConfiguration } from './issuer-configuration.ts'

export interface IssuerFileOptions {
  readonly file: string
  /** Told of each configuration after the first. */
  readonly onChange: (issuers: IssuerConfiguration) => void
  /** Told why the file cannot be used, once for each time it was written; the configuration before it stays. */
  readonly onError: (error: unknown) => void
  /** How often the file is looked at; default every 3 s. */
  readonly pollMs?: number
}

export interface IssuerFile {
  /** The newest configuration that could be used. */
  readonly issuers: IssuerConfiguration
  /**
   * Reads the file now, whether or not it seems to have changed.
   * @returns whether what is in the file is in use; if not, `onError` was told why
   */
  reload(): Promise<boolean>
  /** Stops looking. */
  close(): void
}

const defaultPollMs = 3_000

/**
 * Reads the file and watches it. It is polled, because editors and mounted secrets replace files rather than write them.
 * @throws CountersignError FILE_UNREADABLE, TOO_LARGE, CONFIGURATION_INVALID when it cannot be used at the start
 */
export async function openIssuerFile({ file, onChange, onError, pollMs = defaultPollMs }: IssuerFileOptions): Promise<IssuerFile> {
  // Before the text: what is written in between is another state, which the next look sees.
  let state = await stateOf(file)
  let text = await readText(file)
  let issuers = parseIssuerConfiguration(text, file)
  let isClosed = false

  const read = async (): Promise<boolean> => {
    try {
      const next = await readText(file)
      if (next === text || isClosed) return !isClosed
      const parsed = parseIssuerConfiguration(next, file)
      text = next
      issuers = parsed
      onChange(parsed)
      return true
    } catch (error) {
      if (!isClosed) onError(error)
      return false
    }
  }
  const look = async (): Promise<void> => {
    const found = await stateOf(file)
    if (found === state || isClosed) return
    state = found
    await read()
  }
  // One after another: of two that read at once, the older could win.
  let queue: Promise<unknown> = Promise.resolve()
  const enqueue = <Result>(step: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(step)
    queue = result
    return result
  }
  const timer = setInterval(() => void enqueue(look), pollMs)
  timer.unref()
  return {
    get issuers() {
      return issuers
    },
    reload: () =>
      enqueue(async () => {
        state = await stateOf(file)
        return read()
      }),
    close: () => {
      isClosed = true
      clearInterval(timer)
    },
  }
}

/** Differs when the file was written or replaced. A file that cannot be looked at has a state too. */
async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch (error) {
    return messageOf(error)
  }
}

function readText(file: string): Promise<string> {
  return readDataText(path.dirname(file), path.basename(file))
}
