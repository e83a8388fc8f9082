/** Adds entries to a Rekor v1 log. */
import { encodeProposedEntry } from '../api/rekor-v1-proposal.ts'
import type { ProposedEntry } from '../api/rekor-v1-proposal.ts'
import { parseEntryId, parseRekorV1Entry, rekorV1EntriesPath } from '../api/rekor-v1.ts'
import type { LogEntry } from '../bundle/signed-entity.ts'
import type { HttpResponse } from '../http/fetch.ts'
import { ask, endpoint, jsonRequest, messageIn, readAnswer, refusal } from './service.ts'
import type { ServiceName, ServiceOptions } from './service.ts'

const timeoutMs = 90_000

/**
 * Adds an entry. One that the log has already is as good: it is fetched.
 * @param baseUrl the log, such as `https://rekor.sigstore.dev`
 * @returns the entry as the log states it. Nothing in it is verified
 * @throws CountersignError SERVICE_REFUSED, LOG_ENTRY_INVALID or JSON_INVALID for an answer that is no entry; TransportError as `ask`
 */
export async function addRekorV1Entry(baseUrl: string, entry: ProposedEntry, options: ServiceOptions = {}): Promise<LogEntry> {
  const service = { kind: 'transparency log', url: baseUrl }
  const address = endpoint(baseUrl, rekorV1EntriesPath)
  const response = await ask(service, address, jsonRequest(encodeProposedEntry(entry), timeoutMs), options)
  if (response.status === 201) return readAnswer(service, () => parseRekorV1Entry(response.body).entry)
  const existing = response.status === 409 ? conflictingEntry(response) : undefined
  if (existing === undefined) throw refusal(service, response)
  return fetchEntry(service, `${address}/${existing}`, options)
}

/** The ID of the entry that is there already: from the `Location` header, whose host is not believed, or from the message. */
function conflictingEntry(response: HttpResponse): string | undefined {
  const candidates = [response.headers['location']?.split('/').at(-1), messageIn(response.body)?.match(/\b[0-9a-f]{64,80}\b/i)?.[0]]
  return candidates.find((candidate) => candidate !== undefined && isEntryId(candidate))
}

function isEntryId(text: string): boolean {
  try {
    parseEntryId(text)
    return true
  } catch {
    return false
  }
}

async function fetchEntry(service: ServiceName, address: string, options: ServiceOptions): Promise<LogEntry> {
  const response = await ask(service, address, { headers: { accept: 'application/json' }, timeoutMs }, options)
  if (response.status !== 200) throw refusal(service, response, ' when asked for the entry that it has already')
  return readAnswer(service, () => parseRekorV1Entry(response.body).entry)
}
