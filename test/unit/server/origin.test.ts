import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMetrics } from '../../../src/server/metrics.ts'
import type { Origin } from '../../../src/server/origin.ts'
import { createOrigin } from '../../../src/server/origin.ts'
import { openListener } from '../../../src/server/listener.ts'
import { silentLog } from '../../../src/server/request-log.ts'
import { createSearch } from '../../../src/server/search/search.ts'
import { createWeb } from '../../../src/server/web/web.ts'
import type { RunningIssuer } from '../../support/issuer.ts'
import { runIssuer } from '../../support/issuer.ts'
import { createNaiveTerms } from '../../support/naive-terms.ts'
import type { TestRekor } from '../../support/rekor.ts'
import { testRekorV2 } from '../../support/rekor.ts'
import { universeOf } from '../../support/universe/services.ts'

let running: RunningIssuer
let rekor: TestRekor

beforeAll(async () => {
  running = await runIssuer()
  rekor = await testRekorV2(universeOf({ name: 'origin' }))
})
afterAll(() => running.stop())

/** The issuer and the search behind a proxy, with three writes at once for each client and none after that. */
function limitedOrigin(): Origin {
  const search = createSearch({ logs: [{ log: rekor.log, api: 'rekor-v2', firstIndex: 0n }], terms: createNaiveTerms() })
  const pages = createWeb({
    server: { origin: 'https://sigstore.test', endpoints: [], steps: [] },
    search: (query) => search.search(query),
  })
  return createOrigin({
    services: [running.issuer, search, pages, rekor.service],
    readiness: [],
    log: silentLog,
    metrics: createMetrics(),
    serveMetrics: false,
    clock: () => 0,
    behindProxy: true,
    rateLimit: { perSecond: 1, burst: 3 },
  })
}

async function statusesOf(origin: Origin, path: string, client: string): Promise<number[]> {
  const statuses: number[] = []
  for (let sent = 0; sent < 5; sent++) {
    const request = new Request(`http://127.0.0.1${path}`, { headers: { 'x-forwarded-for': client } })
    statuses.push((await origin.fetch(request, {})).status)
  }
  return statuses
}

describe('the limit of requests that a client may make', () => {
  test.each(['/oidc/auth', '/oidc//auth', '/oidc/%61uth', '/oidc/device', '/oidc/sign-out', '/oidc/sign-in/x/with/y'])(
    'is for reads too that store something, such as %s',
    async (path) => {
      const origin = limitedOrigin()
      const statuses = await statusesOf(origin, path, '192.0.2.1')
      expect(statuses.slice(3)).toEqual([429, 429])
      expect(statuses.slice(0, 3)).not.toContain(429)
      expect((await statusesOf(origin, path, '192.0.2.2'))[0]).not.toBe(429)
    },
  )

  test.each(['/api/search?subject=a', '/search?q=a', '/api//search?index=0'])('is for reads that cost much, such as %s', async (path) => {
    const statuses = await statusesOf(limitedOrigin(), path, '192.0.2.1')
    expect(statuses.slice(3)).toEqual([429, 429])
    expect(statuses.slice(0, 3)).not.toContain(429)
  })

  test.each([
    ['65535', [400, 400, 400, 429]],
    ['65536', [400, 429]],
    ['131072', [400, 429]],
    ['9'.repeat(30), [413, 429]],
    ['x', [400, 400, 400, 429]],
  ])('counts a body of %s bytes by its size', async (length, expected) => {
    const origin = limitedOrigin()
    const statuses: number[] = []
    while (statuses.at(-1) !== 429) {
      const headers = { 'x-forwarded-for': '192.0.2.1', 'content-length': length }
      const request = new Request('http://127.0.0.1/api/v2/log/entries', { method: 'POST', headers, body: '{}' })
      statuses.push((await origin.fetch(request, {})).status)
    }
    expect(statuses).toEqual(expected)
  })

  test('counts a body whose size nobody announced once it is there', async () => {
    const listener = await openListener({ host: '127.0.0.1', port: 0, tls: undefined, behindProxy: true })
    listener.answer(limitedOrigin())
    const send = async (body: ReadableStream | string): Promise<number> => {
      const init = { method: 'POST', headers: { 'x-forwarded-for': '192.0.2.1' }, body, duplex: 'half' as const }
      return (await fetch(`http://127.0.0.1:${listener.port}/api/v2/log/entries`, init)).status
    }
    try {
      expect(await send(new Blob([new Uint8Array(4_000_000)]).stream())).toBe(400)
      expect(await send('{}')).toBe(429)
    } finally {
      await listener.close(0)
    }
  })

  test.each(['/', '/oidc/keys', '/oidc/.well-known/openid-configuration', '/oidc/style.css', '/healthz'])(
    'is not for other reads, such as %s',
    async (path) => {
      expect(await statusesOf(limitedOrigin(), path, '192.0.2.1')).toEqual([200, 200, 200, 200, 200])
    },
  )
})
