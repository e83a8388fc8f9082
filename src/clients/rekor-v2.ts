/** Adds entries to a Rekor v2 log (rekor-tiles). */
import { encodeCreateEntryRequest, parseTransparencyLogEntry, rekorV2EntriesPath } from '../api/rekor-v2.ts'
import type { CreateEntryRequest } from '../api/rekor-v2.ts'
import type { LogEntry } from '../bundle/signed-entity.ts'
import type { HttpResponse } from '../http/fetch.ts'
import { readTiledEntry } from './rekor-v2-tiles.ts'
import { ask, endpoint, jsonRequest, messageIn, readAnswer, refusal } from './service.ts'
import type { ServiceOptions } from './service.ts'

/** An entry is answered when a checkpoint covers it, which a log may take ten seconds to sign: clients wait twice that. */
const leastTimeoutMs = 20_000
const defaultTimeoutMs = 60_000

export interface RekorV2Options extends ServiceOptions {
  /** The log's key ID in the trusted root. Without it, an entry that the log has already cannot be made use of. */
  readonly logId?: Uint8Array | undefined
}

/**
 * Adds an entry. One that the log has already is as good: it is read from the log's tiles.
 * @param baseUrl the log, such as `https://log2025-1.rekor.sigstore.dev`
 * @returns the entry as the log states it. Nothing in it is verified
 * @throws CountersignError SERVICE_REFUSED, LOG_ENTRY_INVALID or JSON_INVALID for an answer that is no entry; TransportError as `ask`
 */
export async function addRekorV2Entry(baseUrl: string, entry: CreateEntryRequest, options: RekorV2Options = {}): Promise<LogEntry> {
  const { logId, timeoutMs = defaultTimeoutMs, ...rest } = options
  const service = { kind: 'transparency log', url: baseUrl }
  const asked = jsonRequest(encodeCreateEntryRequest(entry), Math.max(timeoutMs, leastTimeoutMs))
  const response = await ask(service, endpoint(baseUrl, rekorV2EntriesPath), asked, rest)
  if (response.status === 201) return readAnswer(service, () => parseTransparencyLogEntry(response.body))
  const existing = response.status === 409 ? conflictingIndex(response) : undefined
  if (existing === undefined || logId === undefined) throw refusal(service, response)
  return readTiledEntry(service, existing, logId, rest)
}

/** The index of the entry that is there already: from its header, or from the message. */
function conflictingIndex(response: HttpResponse): bigint | undefined {
  const text = response.headers['x-log-index'] ?? /\bindex ([0-9]+)/.exec(messageIn(response.body) ?? '')?.[1] ?? ''
  return /^[0-9]{1,18}$/.test(text) ? BigInt(text) : undefined
}
