/** The reads of static logs (C2SP static-ct-api, "Monitoring APIs"): everything but the checkpoint never changes. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Hono } from 'hono'
import { encodeUtf8, excerpt } from '../../encoding/bytes.ts'
import { messageOf } from '../../error.ts'
import type { Tile } from '../../merkle/tile.ts'
import { parseTilePath, tileWidth } from '../../merkle/tile.ts'
import type { LoggedEntry, TileLog } from '../tile-log/log.ts'
import { answerBytes, answerFailure, immutable, notFound } from './answer.ts'
import { encodeDataTile, encodeNamesTile } from './entries.ts'
import type { IssuerStore } from './issuer-store.ts'

export interface StaticReadsOptions {
  readonly log: TileLog
  readonly issuers: IssuerStore
  readonly prefix: string
}

const compress = promisify(gzip)
const octets = { 'content-type': 'application/octet-stream', 'cache-control': immutable }
/** Level 5 has one hash for 2^40 leaves, and the SCT extension holds no larger index. */
const maxLevel = 5

/** The reads, by their paths below the prefix. */
export function staticReads({ log, issuers, prefix }: StaticReadsOptions): Hono {
  const routes = new Hono()
  const add = (path: string, read: (rest: string) => Promise<Response>): void => {
    routes.get(`${prefix}/${path}`, async (c) => {
      try {
        return await read(c.req.path.slice(prefix.length + 1))
      } catch (error) {
        return answerFailure(error)
      }
    })
  }
  add('checkpoint', async () => {
    const { checkpoint } = await log.head()
    return answerBytes(encodeUtf8(checkpoint), { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' })
  })
  add('tile/data/*', async (path) => readDataTile(log, tileOf(path, 'data')))
  add('tile/names/*', async (path) => readNamesTile(log, tileOf(path, 'names')))
  add('tile/*', (path) => readHashTile(log, path))
  add('issuer/*', (path) => readIssuer(issuers, path.slice('issuer/'.length)))
  return routes
}

async function readHashTile(log: TileLog, path: string): Promise<Response> {
  const tile = parsePath(path)
  if (tile.level === 'entries' || tile.level > maxLevel)
    throw notFound(`a CT log has the levels 0 to ${maxLevel}, and data tiles, found ${excerpt(path)}`)
  const bytes = await log.tile(tile)
  if (bytes === undefined) throw notFound(`the tree has no tile ${excerpt(path)}`)
  return answerBytes(bytes, octets)
}

async function readDataTile(log: TileLog, tile: Tile): Promise<Response> {
  const bytes = encodeDataTile(await entriesOf(log, tile))
  return answerBytes(await compress(bytes), { ...octets, 'content-encoding': 'gzip' })
}

async function readNamesTile(log: TileLog, tile: Tile): Promise<Response> {
  const lines = await compress(encodeNamesTile(await entriesOf(log, tile)))
  return answerBytes(lines, { 'content-type': 'application/jsonl; charset=utf-8', 'cache-control': immutable, 'content-encoding': 'gzip' })
}

async function readIssuer(issuers: IssuerStore, fingerprint: string): Promise<Response> {
  const der = /^[0-9a-f]{64}$/.test(fingerprint) ? await issuers.find(fingerprint) : undefined
  if (der === undefined) throw notFound(`there is no issuer ${excerpt(fingerprint)}`)
  return answerBytes(der, { 'content-type': 'application/pkix-cert', 'cache-control': immutable })
}

/** Data and names tiles are the entry bundles of other logs. */
function tileOf(path: string, kind: 'data' | 'names'): Tile {
  return parsePath(`tile/entries/${path.slice(`tile/${kind}/`.length)}`)
}

function parsePath(path: string): Tile {
  try {
    return parseTilePath(path)
  } catch (error) {
    throw notFound(messageOf(error))
  }
}

async function entriesOf(log: TileLog, { index, width }: Tile): Promise<LoggedEntry[]> {
  const start = index * BigInt(tileWidth)
  const { size } = await log.head()
  if (start + BigInt(width) > size) throw notFound(`the tree has no such tile: it has ${size} leaves`)
  return log.entries(start, width)
}
