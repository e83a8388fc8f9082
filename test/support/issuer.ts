/** An issuer on a real port, and a browser without a screen that walks through its pages. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Clock } from '../../src/server/clock.ts'
import { createIssuer } from '../../src/server/issuer/issuer.ts'
import type { Issuer, IssuerOptions } from '../../src/server/issuer/issuer.ts'
import { parseIssuerSettings } from '../../src/server/issuer/settings.ts'
import type { Service } from '../../src/server/service.ts'
import type { DocumentStore } from '../../src/server/storage/document-store.ts'
import { openStorage } from '../../src/server/storage/storage.ts'

/** Hashing that takes no time. */
export const cheapScrypt = { logCost: 4, blockSize: 1, parallelization: 1 }

export interface RunningIssuer {
  readonly issuer: Issuer
  readonly url: string
  readonly documents: DocumentStore
  readonly secret: Uint8Array
  /** What was reported to the administrator. */
  readonly reported: unknown[]
  /** Moves the issuer's clock forward. */
  advance(ms: number): void
  readonly clock: Clock
  stop(): Promise<void>
}

export interface RunOptions extends Partial<Omit<IssuerOptions, 'settings' | 'url'>> {
  readonly settings?: unknown
  /** Where it is mounted. */
  readonly path?: string
  readonly port?: number
  /** What else is on the origin. */
  readonly others?: readonly Service[]
}

/** Starts an issuer; without options it has no users and no connectors. */
export async function runIssuer({
  settings = {},
  path = '/oidc',
  port = 0,
  others = [],
  ...options
}: RunOptions = {}): Promise<RunningIssuer> {
  let ahead = 0
  const clock = options.clock ?? (() => Date.now() + ahead)
  const documents = options.documents ?? (await openStorage({ kind: 'memory' }, { clock })).documents
  const secret = options.secret ?? randomBytes(32)
  const reported: unknown[] = []
  const app = new Hono()
  const server = createServer((incoming, outgoing) => void getRequestListener(app.fetch)(incoming, outgoing))
  await listen(server, port)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const issuer = await createIssuer({
    url,
    documents,
    secret,
    clock,
    // Keys for RS256, the default, take long to make.
    settings: parseIssuerSettings({ algorithm: 'ES256', ...(settings as object) }),
    scrypt: cheapScrypt,
    onError: (error) => void reported.push(error),
    ...options,
  })
  // The first key is made beside whatever else starts; tests look at what is stored.
  await issuer.jwks()
  app.onError((error, c) => {
    reported.push(error)
    return c.text(error.message, 500)
  })
  for (const { routes } of [issuer, ...others]) app.route('/', routes)
  return {
    issuer,
    url,
    documents,
    secret,
    reported,
    clock,
    advance: (ms) => {
      ahead += ms
    },
    stop: async () => {
      await issuer.close?.()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** Keeps cookies as a browser does, follows no redirect by itself, sends forms. */
export interface Browser {
  get(url: string | URL): Promise<Visited>
  /** Follows redirects within the origin; ends at a page, or where it would leave. */
  open(url: string | URL): Promise<Visited>
  /** Sends the form of a page whose action ends so, with these fields beside its hidden ones. */
  submit(page: Visited, fields?: Readonly<Record<string, string>>, actionEnd?: string): Promise<Visited>
  post(url: string | URL, fields: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Visited>
  /** As `submit`, then as `open`. */
  proceed(page: Visited, fields?: Readonly<Record<string, string>>, actionEnd?: string): Promise<Visited>
  readonly cookies: Cookie[]
}

export interface Visited {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Where a redirect leads. */
  readonly location: string | undefined
}

/** A browser with no cookies. @param always headers of each of its requests, such as those of a proxy */
export function openBrowser(always: Readonly<Record<string, string>> = {}): Browser {
  const cookies: Cookie[] = []
  const send = async (url: string | URL, init: RequestInit = {}): Promise<Visited> => {
    const { pathname } = new URL(url)
    const sent = cookies.filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
    const headers = new Headers({ accept: 'text/html,*/*', ...always, ...(init.headers as Record<string, string> | undefined) })
    if (sent.length > 0) headers.set('cookie', sent.map(({ name, value }) => `${name}=${value}`).join('; '))
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) keepCookie(cookies, line)
    const location = answer.headers.get('location')
    return {
      url: String(url),
      status: answer.status,
      headers: answer.headers,
      text: await answer.text(),
      location: location === null ? undefined : new URL(location, url).href,
    }
  }
  const browser: Browser = {
    cookies,
    get: (url) => send(url),
    open: (url) => follow(browser, () => send(url), new URL(url).origin),
    post: (url, fields, headers = {}) =>
      send(url, {
        method: 'POST',
        body: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      }),
    submit: (page, fields = {}, actionEnd = '') => {
      const { action, hidden } = formOf(page, actionEnd)
      return browser.post(action, { ...hidden, ...fields }, { origin: new URL(page.url).origin })
    },
    proceed: (page, fields, actionEnd) => follow(browser, () => browser.submit(page, fields, actionEnd), new URL(page.url).origin),
  }
  return browser
}

async function follow(browser: Browser, begin: () => Promise<Visited>, origin: string): Promise<Visited> {
  let visited = await begin()
  for (let redirects = 0; redirects < 10; redirects++) {
    if (visited.location === undefined || new URL(visited.location).origin !== origin) return visited
    visited = await browser.get(visited.location)
  }
  throw new Error('too many redirects')
}

function keepCookie(cookies: Cookie[], line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const name = pair.slice(0, pair.indexOf('='))
  const value = pair.slice(pair.indexOf('=') + 1)
  const path = attributes.find((attribute) => attribute.toLowerCase().startsWith('path='))?.slice(5) ?? '/'
  const at = cookies.findIndex((cookie) => cookie.name === name && cookie.path === path)
  if (at !== -1) cookies.splice(at, 1)
  if (value !== '' && !line.includes('1970')) cookies.push({ name, value, path })
}

/** The form of a page whose action ends so, and its hidden fields. */
export function formOf(page: Visited, actionEnd = ''): { readonly action: string; readonly hidden: Record<string, string> } {
  for (const [form = '', action = ''] of page.text.matchAll(/<form method="post" action="([^"]*)">[\s\S]*?<\/form>/g)) {
    if (!action.endsWith(actionEnd)) continue
    const fields = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ])
    return { action: new URL(action, page.url).href, hidden: Object.fromEntries(fields) as Record<string, string> }
  }
  throw new Error(`there is no such form on ${page.url} (${page.status}): ${page.text.slice(0, 300)}`)
}
