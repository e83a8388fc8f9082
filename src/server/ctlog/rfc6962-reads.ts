/** The reads of RFC 6962 sections 4.3 to 4.8. */
import type { Context } from 'hono'
import { Hono } from 'hono'
import {
  ctPath,
  encodeConsistencyAnswer,
  encodeEntriesAnswer,
  encodeEntryAndProofAnswer,
  encodeProofAnswer,
  encodeRootsAnswer,
  encodeTreeHeadAnswer,
} from '../../api/certificate-transparency.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { decodeBase64 } from '../../encoding/base64.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError } from '../../error.ts'
import { parseSignedNote } from '../../merkle/signed-note.ts'
import { tileWidth } from '../../merkle/tile.ts'
import type { SignedTreeHead } from '../../merkle/tree-head.ts'
import { verifyTreeHead } from '../../merkle/tree-head.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { LogHead, LoggedEntry, TileLog } from '../tile-log/log.ts'
import { answerFailure, answerJson, badRequest, notFound } from './answer.ts'
import { ctEntryOf } from './entries.ts'
import type { IssuerStore } from './issuer-store.ts'

export interface ReadsOptions {
  readonly log: TileLog
  readonly key: PublicKey
  readonly acceptedRoots: readonly Certificate[]
  readonly issuers: IssuerStore
  readonly prefix: string
}

type Reader = (log: TileLog, query: Query) => Promise<string>

/** The reads, by their paths below the prefix. */
export function rfc6962Reads({ log, key, acceptedRoots, issuers, prefix }: ReadsOptions): Hono {
  const routes = new Hono()
  const treeHead = createTreeHeadReader(key)
  const add = (name: string, read: Reader): void => {
    routes.get(`${prefix}${ctPath}/${name}`, (c) => answer(c, log, read))
  }
  add('get-sth', async () => encodeTreeHeadAnswer(treeHead(await log.head())))
  add('get-sth-consistency', getConsistency)
  add('get-proof-by-hash', getProofByHash)
  add('get-entries', (_, query) => getEntries(log, query, issuers))
  add('get-entry-and-proof', (_, query) => getEntryAndProof(log, query, issuers))
  add('get-roots', async () => encodeRootsAnswer(acceptedRoots.map((root) => root.bytes)))
  return routes
}

async function answer(c: Context, log: TileLog, read: Reader): Promise<Response> {
  try {
    return answerJson(await read(log, new Query(c)))
  } catch (error) {
    return answerFailure(error)
  }
}

/** Section 4.4. */
async function getConsistency(log: TileLog, query: Query): Promise<string> {
  const first = query.number('first')
  const second = query.number('second')
  const { size } = await log.head()
  if (first > second || second > size) throw badRequest(`the sizes should be in order and up to ${size}, found ${first} and ${second}`)
  return encodeConsistencyAnswer(await log.proveConsistency(first, second))
}

/** Section 4.5. */
async function getProofByHash(log: TileLog, query: Query): Promise<string> {
  const hash = query.hash('hash')
  const treeSize = treeSizeIn(query, await log.head())
  const index = await log.indexOfLeafHash(hash)
  if (index === undefined || index >= treeSize) throw notFound(`there is no leaf with this hash in the tree of ${treeSize} leaves`)
  const { hashes } = await log.proveInclusion(index, treeSize)
  return encodeProofAnswer(index, hashes)
}

/** Section 4.6: fewer entries than were asked for are an answer, none are not. */
async function getEntries(log: TileLog, query: Query, issuers: IssuerStore): Promise<string> {
  const start = query.number('start')
  const end = query.number('end')
  const { size } = await log.head()
  if (start > end || start >= size) throw badRequest(`the tree has the entries 0 to ${size - 1n}, found start ${start} and end ${end}`)
  const wanted = end - start + 1n
  const entries = await log.entries(start, wanted > BigInt(tileWidth) ? tileWidth : Number(wanted))
  return encodeEntriesAnswer(await Promise.all(entries.map((entry) => ctEntryOf(entry, issuers))))
}

/** Section 4.8. */
async function getEntryAndProof(log: TileLog, query: Query, issuers: IssuerStore): Promise<string> {
  const index = query.number('leaf_index')
  const treeSize = treeSizeIn(query, await log.head())
  if (index >= treeSize) throw badRequest(`leaf_index should be below the tree size ${treeSize}, found ${index}`)
  const { hashes } = await log.proveInclusion(index, treeSize)
  return encodeEntryAndProofAnswer(await ctEntryOf(await entryAt(log, index), issuers), hashes)
}

async function entryAt(log: TileLog, index: bigint): Promise<LoggedEntry> {
  const [entry] = await log.entries(index, 1)
  if (entry === undefined) throw new CountersignError('LOG_CORRUPT', `the log ${log.id} does not give its entry ${index}`)
  return entry
}

function treeSizeIn(query: Query, { size }: LogHead): bigint {
  const treeSize = query.number('tree_size')
  if (treeSize < 1n || treeSize > size) throw badRequest(`tree_size should lie between 1 and ${size}, found ${treeSize}`)
  return treeSize
}

/** Takes the tree head out of the newest checkpoint, once for each. */
function createTreeHeadReader(key: PublicKey): (head: LogHead) => SignedTreeHead {
  let last: { readonly checkpoint: string; readonly treeHead: SignedTreeHead } | undefined
  return ({ checkpoint }) => {
    if (last?.checkpoint === checkpoint) return last.treeHead
    const treeHead = verifyTreeHead(parseSignedNote(checkpoint), key)
    if (treeHead === undefined)
      throw new CountersignError('CONFIGURATION_INVALID', "the log's checkpoint is not signed with the key of this CT log as a tree head")
    last = { checkpoint, treeHead }
    return treeHead
  }
}

/** The query of a request. Every read fails with REQUEST_INVALID. */
class Query {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  number(name: string): bigint {
    const text = this.#text(name)
    if (!/^(?:0|[1-9][0-9]{0,17})$/.test(text)) throw badRequest(`${name} should be a decimal number, found ${excerpt(text)}`)
    return BigInt(text)
  }

  hash(name: string): Uint8Array {
    const text = this.#text(name)
    // A plus sign that was not escaped arrives as a blank, and is no base64 any more.
    if (!/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text))
      throw badRequest(`${name} should be base64 of 32 bytes, found ${excerpt(text)}`)
    return decodeBase64(text, name)
  }

  #text(name: string): string {
    const text = this.#context.req.query(name)
    if (text === undefined) throw badRequest(`${name} is missing`)
    return text
  }
}
