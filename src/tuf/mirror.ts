/** Where metadata and targets come from: a web server, or a folder (`file:`) in places without a network. */
import { fileURLToPath } from 'node:url'
import { messageOf, TransportError, UsageError } from '../error.ts'
import { excerpt } from '../encoding/bytes.ts'
import { withoutSecrets } from '../http/address.ts'
import { fetchBytes, HttpStatusError } from '../http/fetch.ts'
import type { Environment } from '../http/fetch.ts'
import { isBusy } from '../http/retry.ts'
import { readBoundedFile } from './bounded-file.ts'

/** The public-good instance's repository. */
export const publicGoodMirror = 'https://tuf-repo-cdn.sigstore.dev'
/** The staging instance's repository. */
export const stagingMirror = 'https://tuf-repo-cdn.sigstage.dev'

/**
 * Fetches a file of the repository by its path below the mirror.
 * @returns undefined when the mirror says that there is none
 * @throws TransportError NETWORK_FAILED, TOO_LARGE, ABORTED, FILE_UNREADABLE
 */
export type FetchFile = (path: string, maxBytes: number) => Promise<Uint8Array | undefined>

export interface MirrorOptions {
  readonly env: Environment
  /** For each file. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Checks the address of a mirror, without asking it anything.
 * @param source names where the address came from, such as `TUF_MIRROR`
 * @throws UsageError USAGE for anything but an http, https or file address
 */
export function checkMirror(address: string, source: string): void {
  const scheme = URL.canParse(address) && !/[\s\\]/.test(address) ? new URL(address).protocol : ''
  if (scheme === 'https:' || scheme === 'http:' || scheme === 'file:') return
  throw new UsageError(
    'USAGE',
    `${source} should be the https://, http:// or file:// address of a TUF repository, found ${excerpt(withoutSecrets(address))}`,
  )
}

/** Whether two addresses are the same but for a slash at the end. */
export function isSameMirror(a: string, b: string): boolean {
  return new URL(a).href.replace(/\/+$/, '') === new URL(b).href.replace(/\/+$/, '')
}

/** The address as messages may show it: without a user's name and password. */
export function withoutCredentials(address: string): string {
  const url = new URL(address)
  if (url.username === '' && url.password === '') return address
  url.username = ''
  url.password = ''
  return url.href
}

/** How to get files from a mirror. */
export function openMirror(address: string, { env, timeoutMs, signal }: MirrorOptions): FetchFile {
  const base = new URL(address.endsWith('/') ? address : `${address}/`)
  if (base.protocol === 'file:') return (path, maxBytes) => readFromFolder(new URL(path, base), maxBytes)
  return async (path, maxBytes) => {
    try {
      return await fetchBytes(new URL(path, base), { env, timeoutMs, maxBytes, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      // Buckets that may not be listed answer 403 for a file that is not there.
      if (error instanceof HttpStatusError && (error.status === 404 || error.status === 403)) return undefined
      throw error
    }
  }
}

/** Whether an error means that the mirror is out of reach for now, rather than that it said something wrong. */
export function isOutOfReach(error: unknown): boolean {
  if (error instanceof HttpStatusError) return isBusy(error.status)
  return error instanceof TransportError && error.code === 'NETWORK_FAILED'
}

async function readFromFolder(url: URL, maxBytes: number): Promise<Uint8Array | undefined> {
  const file = fileURLToPath(url)
  try {
    return await readBoundedFile(file, maxBytes)
  } catch (cause) {
    if (cause instanceof TransportError) throw cause
    throw new TransportError('FILE_UNREADABLE', `${file} could not be read: ${messageOf(cause)}`, { cause })
  }
}
