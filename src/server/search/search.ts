/** `GET /api/search`: entries of the logs by who signed, with which key, what, and by index, each with its proof. */
import { Hono } from 'hono'
import type { FoundEntry, SearchAnswer, SearchQuery } from '../../api/search.ts'
import { parseSearchQuery, searchPath } from '../../api/search.ts'
import { certificateTerm, digestTerm, keyTerm, subjectTerm } from '../../bundle/log-entry-terms.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { decodeHex } from '../../encoding/hex.ts'
import { CountersignError, DecodingError } from '../../error.ts'
import type { Service } from '../service.ts'
import type { TermIndex } from '../storage/term-index.ts'
import type { LoggedLeaf } from '../tile-log/log.ts'
import type { SearchedLog } from './found-entry.ts'
import { describeFound } from './found-entry.ts'
import { giveWay } from './give-way.ts'

export interface SearchOptions {
  readonly logs: readonly SearchedLog[]
  readonly terms: TermIndex
  /** Told what failed behind an answer of status 500. */
  readonly onError?: (error: unknown) => void
}

export interface SearchService extends Service {
  /** @throws CountersignError REQUEST_INVALID, NOT_FOUND for a log that is not searched */
  search(query: SearchQuery): Promise<SearchAnswer>
}

/** The service. */
export function createSearch(options: SearchOptions): SearchService {
  const search = async (query: SearchQuery): Promise<SearchAnswer> => searchLogs(query, options)
  const routes = new Hono()
  routes.get(searchPath, async (context) => {
    try {
      return json(200, await search(parseSearchQuery(new URL(context.req.url).searchParams)))
    } catch (error) {
      if (error instanceof CountersignError) {
        if (error.code === 'NOT_FOUND') return json(404, { error: error.message })
        if (error.code === 'REQUEST_INVALID' || error instanceof DecodingError) return json(400, { error: error.message })
      }
      options.onError?.(error)
      return json(500, { error: 'the search failed' })
    }
  })
  return { routes, search, limitedReads: [searchPath] }
}

/** Of the bodies in an answer: they are small as a rule, and who makes large ones must not have them answered by the hundred. */
const maxAnsweredBytes = 1024 * 1024

interface Match {
  readonly searched: SearchedLog
  readonly logged: LoggedLeaf
}

async function searchLogs(query: SearchQuery, { logs, terms }: SearchOptions): Promise<SearchAnswer> {
  const asked = query.log === undefined ? logs : logs.filter(({ log }) => log.id === query.log)
  if (asked.length === 0) throw new CountersignError('NOT_FOUND', `there is no log ${excerpt(query.log ?? '')}`)
  const matches: Match[] = []
  for (const searched of asked) {
    for (const index of await indicesOf(query, searched, terms)) {
      const [logged] = await searched.log.leaves(index, 1)
      if (logged !== undefined) matches.push({ searched, logged })
    }
  }
  matches.sort((a, b) => b.logged.timestampMs - a.logged.timestampMs || Number(b.logged.index - a.logged.index))
  const entries: FoundEntry[] = []
  let bytes = 0
  for (const { searched, logged } of matches.slice(0, query.limit)) {
    bytes += logged.leaf.length
    if (bytes > maxAnsweredBytes) break
    entries.push(describeFound(searched, logged, await searched.log.proveInclusion(logged.index)))
    await giveWay()
  }
  return {
    entries,
    truncated: matches.length > entries.length,
    logs: await Promise.all(asked.map(async (searched) => statusOf(searched, terms))),
  }
}

/** One more than is answered, newest first: then it is known whether there are more. */
async function indicesOf(query: SearchQuery, { log, firstIndex }: SearchedLog, terms: TermIndex): Promise<bigint[]> {
  if (query.field === 'index') {
    if (!/^(?:0|[1-9][0-9]{0,18})$/.test(query.value)) throw invalid(`index should be a decimal number, found ${excerpt(query.value, 30)}`)
    const index = BigInt(query.value) - firstIndex
    const { size } = await log.head()
    return index >= 0n && index < size ? [index] : []
  }
  const found = await Promise.all(termsOf(query).map(async (term) => terms.find(log.id, term, query.limit + 1)))
  return [...new Set(found.flat())].toSorted((a, b) => (a < b ? 1 : -1)).slice(0, query.limit + 1)
}

function termsOf({ field, value }: SearchQuery): string[] {
  if (field === 'email' || field === 'subject') return [subjectTerm(value)]
  const [, prefix, digits = ''] = /^(?:([a-zA-Z0-9_-]{1,32}):)?([0-9a-fA-F]{1,128})$/.exec(value) ?? []
  if (field === 'key') {
    if (digits.length !== 64 || (prefix ?? 'sha256') !== 'sha256') throw invalid('key should be a SHA-256 in 64 hexadecimal digits')
    const hash = decodeHex(digits, 'key')
    return [keyTerm(hash), certificateTerm(hash)]
  }
  const algorithm = prefix ?? algorithmsByDigits.get(digits.length)
  if (digits === '' || algorithm === undefined)
    throw invalid('digest should be sha256:<hex>, or the hexadecimal digits of a SHA-1, SHA-256, SHA-384 or SHA-512 digest')
  return [digestTerm(algorithm, digits)]
}

const algorithmsByDigits = new Map([
  [40, 'sha1'],
  [64, 'sha256'],
  [96, 'sha384'],
  [128, 'sha512'],
])

async function statusOf({ log, api }: SearchedLog, terms: TermIndex): Promise<SearchAnswer['logs'][number]> {
  const { size } = await log.head()
  return { id: log.id, origin: log.origin, api, size: String(size), indexed: String(await terms.position(log.id)) }
}

function json(status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  })
}

function invalid(message: string): CountersignError {
  return new CountersignError('REQUEST_INVALID', message)
}
