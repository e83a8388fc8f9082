/** Reading blobs of any size from a registry: a download that breaks off goes on from there. */
import { CountersignError } from '../error.ts'
import type { RegistrySession } from './registry-session.ts'

/** How often a download may break off without having come this much further. */
const maxFailures = 6
const progressBytes = 1024 * 1024

/**
 * Opens a blob. The registry's first answer decides whether there is one; the digest is the caller's to check.
 * @param path of the blob on the registry
 * @throws as `RegistrySession.open`; while reading, TransportError NETWORK_FAILED when it keeps breaking off
 */
export async function openDownload(session: RegistrySession, repository: string, path: string): Promise<AsyncIterable<Uint8Array>> {
  const first = await session.open(path, { repository, action: 'pull' })
  return resuming(session, repository, path, first.chunks)
}

async function* resuming(
  session: RegistrySession,
  repository: string,
  path: string,
  first: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let chunks = first
  let received = 0
  let before = 0
  let failures = 0
  for (;;) {
    try {
      for await (const chunk of chunks) {
        received += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code !== 'NETWORK_FAILED') throw error
      failures = received - before >= progressBytes ? 1 : failures + 1
      before = received
      if (failures >= maxFailures) throw error
      await session.pauseAfter(failures)
      chunks = await reopened(session, repository, path, received)
    }
  }
}

/** The blob from a byte on, whether the registry can begin there or not (RFC 9110 section 14.2). */
async function reopened(session: RegistrySession, repository: string, path: string, from: number): Promise<AsyncIterable<Uint8Array>> {
  const { status, headers, chunks } = await session.open(path, { repository, action: 'pull', headers: { range: `bytes=${from}-` } })
  const isRest = status === 206 && headers['content-range']?.startsWith(`bytes ${from}-`) === true
  return isRest ? chunks : after(chunks, from)
}

async function* after(chunks: AsyncIterable<Uint8Array>, skipped: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = skipped
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left)
    left = Math.max(left - chunk.length, 0)
  }
}
