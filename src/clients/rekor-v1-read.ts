/** Reads an entry of a Rekor v1 log by its place. */
import { parseRekorV1Entry, rekorV1EntriesPath } from '../api/rekor-v1.ts'
import type { LogEntry } from '../bundle/signed-entity.ts'
import { VerificationError } from '../error.ts'
import { ask, endpoint, readAnswer, refusal } from './service.ts'
import type { ServiceName, ServiceOptions } from './service.ts'

const timeoutMs = 30_000

/**
 * The entry with this index over all shards of the log.
 * @param baseUrl the log, such as `https://rekor.sigstore.dev`
 * @returns the entry as the log states it: but for its index nothing in it is verified. Undefined where the log has none
 * @throws CountersignError SERVICE_REFUSED, LOG_ENTRY_INVALID or JSON_INVALID for an answer that is no entry; VerificationError
 * LOG_ENTRY_MISMATCH for one with another index; TransportError as `ask`
 */
export async function readRekorV1EntryAt(baseUrl: string, logIndex: bigint, options: ServiceOptions = {}): Promise<LogEntry | undefined> {
  const service = nameOf(baseUrl)
  const entry = await readEntry(service, endpoint(baseUrl, `${rekorV1EntriesPath}?logIndex=${logIndex}`), options)
  if (entry !== undefined && entry.logIndex !== logIndex)
    throw mismatch(service, `asked for the entry ${logIndex}, it answered the entry ${entry.logIndex}`)
  return entry
}

async function readEntry(service: ServiceName, address: string, options: ServiceOptions): Promise<LogEntry | undefined> {
  const response = await ask(service, address, { headers: { accept: 'application/json' }, timeoutMs }, options)
  if (response.status === 404) return undefined
  if (response.status !== 200) throw refusal(service, response, ' when asked for an entry')
  return readAnswer(service, () => parseRekorV1Entry(response.body).entry)
}

function nameOf(baseUrl: string): ServiceName {
  return { kind: 'transparency log', url: baseUrl }
}

function mismatch({ kind, url }: ServiceName, what: string): VerificationError {
  return new VerificationError('LOG_ENTRY_MISMATCH', `the ${kind} ${url} is not to be believed: ${what}`)
}
