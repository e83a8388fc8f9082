/** The HTTP client as `openid-client` wants it: no redirects, no retries of what changes something, bounded answers. */
import type { CustomFetch } from 'openid-client'
import type { HttpResponse, RequestOptions } from '../../http/fetch.ts'

/** Sends a request: `request` of `src/http`, or another for tests. */
export type Send = (url: string | URL, options: RequestOptions) => Promise<HttpResponse>

const maxAnswerBytes = 1024 * 1024
const timeoutMs = 10_000

/** The client as a fetch function. */
export function createUpstreamFetch(send: Send): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await send(url, {
      method,
      headers,
      redirect: 'manual',
      maxBytes: maxAnswerBytes,
      timeoutMs,
      ...(body === undefined || body === null ? {} : { body: new Uint8Array(await new Response(body).arrayBuffer()) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const bodyless = answer.status === 204 || answer.status === 304
    const content = bodyless ? null : new Uint8Array(answer.body)
    return new Response(content, { status: answer.status, headers: answer.headers })
  }
}
