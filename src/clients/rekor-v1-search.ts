/** Finds entries in a Rekor v1 log: by the hashes that they would have, or by the terms of its search index. Both are questions, though asked with POST. */
import {
  encodeIndexQuery,
  encodeRetrieveQuery,
  maxRetrievedEntries,
  parseIndexAnswer,
  rekorV1IndexPath,
  rekorV1RetrievePath,
} from '../api/rekor-v1-query.ts'
import type { IndexQuery } from '../api/rekor-v1-query.ts'
import { parseRekorV1Entries } from '../api/rekor-v1.ts'
import type { LogEntry } from '../bundle/signed-entity.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { VerificationError } from '../error.ts'
import { leafHash } from '../merkle/hash.ts'
import { ask, endpoint, jsonRequest, readAnswer, refusal } from './service.ts'
import type { ServiceName, ServiceOptions } from './service.ts'

const timeoutMs = 30_000
/** Ten entries of the largest kind, attestations beside them. */
const maxEntriesBytes = 16 * 1024 * 1024
/** A thousand IDs. */
const maxIndexBytes = 128 * 1024

/**
 * The entries with any of these leaf hashes (UUIDs), where the log has them.
 * @param baseUrl the log, such as `https://rekor.sigstore.dev`
 * @param hashes of 32 bytes, at most 10
 * @returns the entries as the log states them: but for their bodies, which have these hashes, nothing in them is verified
 * @throws CountersignError SERVICE_REFUSED; LOG_ENTRY_INVALID or JSON_INVALID for an answer that holds no entries; VerificationError
 * LOG_ENTRY_MISMATCH for an entry that was not asked for; TransportError as `ask`
 */
export async function findRekorV1Entries(
  baseUrl: string,
  hashes: readonly Uint8Array[],
  options: ServiceOptions = {},
): Promise<LogEntry[]> {
  const found = await retrieve(baseUrl, encodeRetrieveQuery({ entryIds: hashes.map(encodeHex) }), options)
  for (const hash of found.map(({ body }) => leafHash(body))) {
    if (hashes.some((one) => equalBytes(one, hash))) continue
    throw new VerificationError(
      'LOG_ENTRY_MISMATCH',
      `the transparency log ${baseUrl} is not to be believed: it answered the entry ${encodeHex(hash)}, another one than it was asked for`,
    )
  }
  return found
}

/**
 * The entries that the index has for a query, at most so many of those that the log names first. Nothing in them is verified, not even that
 * they match.
 * @throws as `findRekorV1Entries`, but for the mismatch
 */
export async function searchRekorV1(
  baseUrl: string,
  query: IndexQuery,
  maxEntries: number,
  options: ServiceOptions = {},
): Promise<LogEntry[]> {
  const service = nameOf(baseUrl)
  const asked = { ...jsonRequest(encodeIndexQuery(query), timeoutMs), maxBytes: maxIndexBytes }
  const response = await ask(service, endpoint(baseUrl, rekorV1IndexPath), asked, options)
  if (response.status !== 200) throw refusal(service, response)
  const ids = [...new Set(readAnswer(service, () => parseIndexAnswer(response.body)))].slice(0, maxEntries)
  const found: LogEntry[] = []
  for (let at = 0; at < ids.length; at += maxRetrievedEntries) {
    const entryIds = ids.slice(at, at + maxRetrievedEntries)
    found.push(...(await retrieve(baseUrl, encodeRetrieveQuery({ entryIds }), options)))
  }
  return found
}

async function retrieve(baseUrl: string, query: string, options: ServiceOptions): Promise<LogEntry[]> {
  const service = nameOf(baseUrl)
  const asked = { ...jsonRequest(query, timeoutMs), maxBytes: maxEntriesBytes }
  const response = await ask(service, endpoint(baseUrl, rekorV1RetrievePath), asked, options)
  if (response.status !== 200) throw refusal(service, response)
  return readAnswer(service, () => parseRekorV1Entries(response.body)).map(({ entry }) => entry)
}

function nameOf(baseUrl: string): ServiceName {
  return { kind: 'transparency log', url: baseUrl }
}
