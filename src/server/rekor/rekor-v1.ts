/** The Rekor v1 API over a log and the shards before it. */
import { Hono } from 'hono'
import type { Context } from 'hono'
import { encodeConsistencyAnswer, encodeLogInfo, encodeRekorV1Entry, parseEntryId, rekorV1EntriesPath } from '../../api/rekor-v1.ts'
import type { RekorV1Entry } from '../../api/rekor-v1.ts'
import { parseProposedEntry } from '../../api/rekor-v1-proposal.ts'
import {
  maxRetrievedEntries,
  parseIndexQuery,
  parseRetrieveQuery,
  rekorV1IndexPath,
  rekorV1RetrievePath,
} from '../../api/rekor-v1-query.ts'
import { encodePublicKeyPem } from '../../crypto/public-key.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError, messageOf } from '../../error.ts'
import { leafHash } from '../../merkle/hash.ts'
import { readBody } from '../request/body.ts'
import type { Service } from '../service.ts'
import type { TermIndex } from '../storage/term-index.ts'
import { defaultKeyDetailsV1 } from './algorithm-policy.ts'
import type { RekorV1Shard, Shards } from './shards.ts'
import { createShards, describeEntry, shardInfo } from './shards.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'
import { checkSignature } from '../threads/signature-check.ts'
import { answerEntry, answerFailure, failure, json, readHeaders } from './v1-answers.ts'
import type { EntryRulesV1 } from './v1-entry.ts'
import { checkEntryV1 } from './v1-entry.ts'
import { searchEntryIds } from './v1-search.ts'

export interface RekorV1Options {
  /** The shard that takes entries. */
  readonly active: RekorV1Shard
  /** Those before it, oldest first. */
  readonly inactive?: readonly RekorV1Shard[]
  /** The search index, by the ID of each shard's log. Without it the search answers 501. */
  readonly terms?: TermIndex
  /** What stands before `/api/v1` in its paths; nothing by default. */
  readonly prefix?: string
  /** Names of PublicKeyDetails that may sign hashedrekords; `defaultKeyDetailsV1` by default. */
  readonly keyDetails?: readonly string[]
  /** Default 4 MiB: envelopes and rekord contents are whole in a request. */
  readonly maxRequestBytes?: number
  /** In-toto payloads up to this size are kept; default 100 KiB. */
  readonly maxAttestationBytes?: number
  /** Checks signatures; in this thread by default. */
  readonly checkSignature?: SignatureChecker
  /** Called after an entry was added. */
  readonly onAdded?: () => void
  /** Told what failed behind an answer of status 500. */
  readonly onError?: (error: unknown) => void
}

/**
 * The service.
 * @throws CountersignError CONFIGURATION_INVALID when clients could not verify what such a log signs
 */
export function createRekorV1(options: RekorV1Options): Service {
  const shards = createShards(options.active, options.inactive ?? [])
  const rules: EntryRulesV1 = {
    keyDetails: options.keyDetails ?? defaultKeyDetailsV1,
    maxAttestationBytes: options.maxAttestationBytes ?? 100 * 1024,
    maxRequestBytes: options.maxRequestBytes ?? 4 * 1024 * 1024,
    checkSignature: options.checkSignature ?? checkSignature,
  }
  const prefix = options.prefix ?? ''
  const entriesPath = `${prefix}${rekorV1EntriesPath}`
  const routes = new Hono()
  const on =
    (answer: (context: Context) => Promise<Response>) =>
    async (context: Context): Promise<Response> => {
      try {
        return await answer(context)
      } catch (error) {
        return answerFailure(error, options.onError)
      }
    }

  routes.post(
    entriesPath,
    on(async (context) => {
      const body = await readBody(context.req.raw, rules.maxRequestBytes)
      return addEntry(body, shards.active, rules, entriesPath, options.onAdded)
    }),
  )
  routes.get(
    entriesPath,
    on(async (context) => answerEntry(await shards.at(queryNumber(context, 'logIndex')))),
  )
  routes.post(
    `${prefix}${rekorV1RetrievePath}`,
    on(async (context) => {
      const body = await readBody(context.req.raw, rules.maxRequestBytes)
      return retrieve(body, shards, rules).catch(refuseProposal)
    }),
  )
  routes.get(
    `${entriesPath}/:id`,
    on(async (context) => answerEntry(await shards.find(parseEntryId(context.req.param('id') ?? '')))),
  )
  routes.get(
    `${prefix}/api/v1/log`,
    on(async () => {
      const inactiveShards = await Promise.all(shards.inactive.map(shardInfo))
      return json(200, encodeLogInfo({ ...(await shardInfo(shards.active)), inactiveShards }))
    }),
  )
  routes.get(
    `${prefix}/api/v1/log/publicKey`,
    on(async (context) => {
      const pem = encodePublicKeyPem(shardOf(context, shards).signer.publicKey)
      return new Response(pem, { headers: { ...readHeaders, 'content-type': 'application/x-pem-file' } })
    }),
  )
  routes.get(
    `${prefix}/api/v1/log/proof`,
    on(async (context) => consistency(context, shards)),
  )
  routes.post(
    `${prefix}${rekorV1IndexPath}`,
    on(async (context) => {
      if (options.terms === undefined) return failure(501, 'Search Index API not enabled in this Rekor instance')
      const query = parseIndexQuery(await readBody(context.req.raw, maxIndexQueryBytes))
      return json(200, JSON.stringify(await searchEntryIds(query, shards, options.terms, rules.checkSignature)))
    }),
  )
  routes.get(`${prefix}/ping`, () => new Response(null, { status: 200, headers: readHeaders }))
  return { routes }
}

const maxIndexQueryBytes = 256 * 1024

async function addEntry(
  body: Uint8Array,
  shard: RekorV1Shard,
  rules: EntryRulesV1,
  entriesPath: string,
  onAdded: RekorV1Options['onAdded'],
): Promise<Response> {
  if (shard.log.state !== 'active') throw new CountersignError('LOG_FROZEN', `the log ${shard.log.id} is ${shard.log.state}`)
  const checked = await checkEntryV1(parseProposedEntry(body, rules.maxRequestBytes), rules)
  const added = await shard.log.add({ leaf: checked.body, extra: checked.supplement })
  const entry = describeEntry(shard, added, added.inclusion)
  const headers = { etag: entry.entryId, location: `${entriesPath}/${entry.entryId}` }
  if (added.duplicate) {
    return failure(409, `an equivalent entry already exists in the transparency log with UUID ${entry.entryId}`, headers)
  }
  onAdded?.()
  return json(201, JSON.stringify(encodeRekorV1Entry(entry)), headers)
}

async function retrieve(body: Uint8Array, shards: Shards, rules: EntryRulesV1): Promise<Response> {
  const query = parseRetrieveQuery(body, rules.maxRequestBytes)
  if (query.count > maxRetrievedEntries) return failure(422, `more than max allowed ${maxRetrievedEntries} entries in request`)
  const found: RekorV1Entry[] = []
  const add = (entry: RekorV1Entry | undefined): void => {
    if (entry !== undefined) found.push(entry)
  }
  for (const id of query.entryIds) add(await shards.find(id))
  for (const proposed of query.entries) {
    const { body: leaf } = await checkEntryV1(proposed, rules)
    add(await shards.find({ treeId: undefined, leafHash: leafHash(leaf) }))
  }
  for (const index of query.logIndexes) add(await shards.at(index))
  return json(200, JSON.stringify(found.map(encodeRekorV1Entry)))
}

/** Rekor's words for a question with an entry that it would not log, such as one whose signature is of something else. */
function refuseProposal(error: unknown): Response {
  if (error instanceof CountersignError && error.code === 'SIGNATURE_INVALID') return failure(400, `unmarshalling entry: ${error.message}`)
  throw error
}

async function consistency(context: Context, shards: Shards): Promise<Response> {
  const first = context.req.query('firstSize') === undefined ? 1n : queryNumber(context, 'firstSize')
  const last = queryNumber(context, 'lastSize')
  const { log } = shardOf(context, shards)
  if (first < 1n || last < 1n) throw invalid('firstSize and lastSize are at least 1')
  if (first > last) throw invalid(`firstSize(${first}) must be less than lastSize(${last})`)
  const { size } = await log.head()
  if (last > size) throw invalid(`the tree size requested(${last}) was greater than what is currently observable(${size})`)
  const hashes = await log.proveConsistency(first, last)
  return json(200, encodeConsistencyAnswer(await log.rootHash(last), hashes))
}

function shardOf(context: Context, shards: Shards): RekorV1Shard {
  const text = context.req.query('treeID')
  if (text === undefined || text === '') return shards.active
  if (!/^[0-9]{1,19}$/.test(text)) throw invalid(`invalid tree ID specified: ${excerpt(text, 30)}`)
  try {
    return shards.byTreeId(BigInt(text))
  } catch (error) {
    throw invalid(messageOf(error))
  }
}

/** A decimal number from 0 that a JSON number could hold, as the answers have it. */
function queryNumber(context: Context, name: string): bigint {
  const text = context.req.query(name) ?? ''
  if (/^[0-9]{1,16}$/.test(text)) return BigInt(text)
  throw invalid(`${name} in query should be a number from 0, found ${excerpt(text, 30)}`)
}

function invalid(message: string): CountersignError {
  return new CountersignError('REQUEST_INVALID', message)
}
