/** Lists that a registry gives page by page: bounded in pages, and in time for all of them together. */
import { TransportError } from '../error.ts'
import { startDeadline } from '../http/deadline.ts'
import type { HttpResponse } from '../http/fetch.ts'
import type { RegistrySession } from './registry-session.ts'

/** A list, and how much of it is read. */
export interface ListRequest {
  /** Of the first page. */
  readonly path: string
  readonly repository: string
  readonly headers?: Readonly<Record<string, string>>
  readonly maxBytes?: number
  /** For messages: `the list of the referrers of …`. */
  readonly what: string
  readonly maxPages: number
}

/**
 * The pages of a list, whatever their status: after one without a next page there is no other.
 * @throws TransportError NETWORK_FAILED when all of them together take too long, TOO_LARGE when there are more than `maxPages`; as
 *   `RegistrySession.request`
 */
export async function* listPages(session: RegistrySession, list: ListRequest): AsyncGenerator<HttpResponse, void, undefined> {
  const { path, repository, headers = {}, maxBytes, what, maxPages } = list
  const deadline = startDeadline(what, session.listTimeoutMs, session.signal)
  const asked = { repository, action: 'pull', headers, signal: deadline.signal, ...(maxBytes === undefined ? {} : { maxBytes }) } as const
  try {
    let next: string | undefined = path
    for (let pages = 0; next !== undefined; pages++) {
      if (pages >= maxPages) throw new TransportError('TOO_LARGE', `${what} has more than ${maxPages} pages`)
      const response: HttpResponse = await session.request(next, asked)
      yield response
      next = nextPage(response)
    }
  } catch (error) {
    throw deadline.failure ?? error
  } finally {
    deadline.stop()
  }
}

/** Where the next page is (RFC 8288). Only this registry is asked, whatever host it calls itself by: proxies change that. */
function nextPage({ headers, url }: HttpResponse): string | undefined {
  const link = /<([^<>]{1,4096})>\s*;[^,<]*\brel\s*=\s*"?next\b/i.exec(headers['link'] ?? '')?.[1]
  if (link === undefined) return undefined
  if (!URL.canParse(link, url)) throw new TransportError('NETWORK_FAILED', `${new URL(url).host} names a next page that cannot be read`)
  const { pathname, search } = new URL(link, url)
  return `${pathname}${search}`
}
