/** The repository over HTTP: every file but the timestamp keeps its contents for ever. */
import { Hono } from 'hono'
import { sha256Hex } from './metadata.ts'

const metadataPattern = /^(?:timestamp|[1-9][0-9]{0,8}\.(?:root|snapshot|targets))\.json$/

/**
 * Routes below a prefix such as `/tuf`.
 * @param find a file by its path below the prefix; undefined when there is none
 */
export function createRoutes(prefix: string, find: (path: string) => Promise<Uint8Array | undefined>): Hono {
  const answer = async (path: string, ifNoneMatch: string | undefined): Promise<Response> => {
    const bytes = await find(path)
    // A client asks for the next root until there is none: that there is none may change at any time.
    if (bytes === undefined) return new Response('not found\n', { status: 404, headers: { 'cache-control': 'no-cache' } })
    const etag = `"${sha256Hex(bytes)}"`
    const headers = {
      'cache-control': path === 'timestamp.json' ? 'no-cache' : 'public, max-age=604800, immutable',
      'content-type': path.endsWith('.json') ? 'application/json' : 'application/x-pem-file',
      etag,
      'x-content-type-options': 'nosniff',
    }
    if (ifNoneMatch === etag) return new Response(null, { status: 304, headers })
    return new Response(Uint8Array.from(bytes), { headers })
  }
  return new Hono()
    .basePath(prefix)
    .get('/targets/:name', (context) => answer(`targets/${context.req.param('name')}`, context.req.header('if-none-match')))
    .get('/:name', (context) => {
      const name = context.req.param('name')
      return metadataPattern.test(name) ? answer(name, context.req.header('if-none-match')) : context.notFound()
    })
}
