/** The reads of a tile log (C2SP tlog-tiles) over HTTP, for clients, mirrors and caches in front. */
import { digest } from '../../crypto/digest.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError } from '../../error.ts'
import { parseTilePath } from '../../merkle/tile.ts'
import type { TileLog } from '../tile-log/log.ts'

/** A tile never changes: neither a full one, nor one of this width at the edge of the tree. */
const immutable = 'max-age=604800, immutable'

/** The newest checkpoint. */
export async function answerCheckpoint(request: Request, log: TileLog): Promise<Response> {
  const { checkpoint } = await log.head()
  return answer(request, encodeUtf8(checkpoint), { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' })
}

/**
 * A tile of hashes or an entry bundle.
 * @param path such as `tile/0/x001/067.p/12`
 * @throws CountersignError NOT_FOUND when it is none of the newest tree's; DecodingError TILE_INVALID
 */
export async function answerTile(request: Request, log: TileLog, path: string): Promise<Response> {
  const bytes = await log.tile(parseTilePath(path))
  if (bytes === undefined) throw new CountersignError('NOT_FOUND', `the log has no ${path} yet`)
  return answer(request, bytes, { 'content-type': 'application/octet-stream', 'cache-control': immutable })
}

function answer(request: Request, body: Uint8Array, headers: Record<string, string>): Response {
  const etag = `"${encodeHex(digest('sha256', body).subarray(0, 16))}"`
  const all = { ...headers, etag, 'access-control-allow-origin': '*' }
  const known = request.headers.get('if-none-match')
  if (known?.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag) === true) {
    return new Response(null, { status: 304, headers: all })
  }
  return new Response(Uint8Array.from(body), { status: 200, headers: all })
}
