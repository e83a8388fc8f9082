import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMetrics } from '../../../src/server/metrics.ts'
import type { Origin } from '../../../src/server/origin.ts'
import { createOrigin } from '../../../src/server/origin.ts'
import { silentLog } from '../../../src/server/request-log.ts'
import { createSearch } from '../../../src/server/search/search.ts'
import { createWeb } from '../../../src/server/web/web.ts'
import type { TileLog } from '../../../src/server/tile-log/log.ts'
import type { RunningIssuer } from '../../support/issuer.ts'
import { runIssuer } from '../../support/issuer.ts'
import { createNaiveTerms } from '../../support/naive-terms.ts'
import { testRekorV2 } from '../../support/rekor.ts'
import { universeOf } from '../../support/universe/services.ts'

let running: RunningIssuer
let log: TileLog

beforeAll(async () => {
  running = await runIssuer()
  log = (await testRekorV2(universeOf({ name: 'origin' }))).log
})
afterAll(() => running.stop())

/** The issuer and the search behind a proxy, with three writes at once for each client and none after that. */
function limitedOrigin(): Origin {
  const search = createSearch({ logs: [{ log, api: 'rekor-v2', firstIndex: 0n }], terms: createNaiveTerms() })
  const pages = createWeb({
    server: { origin: 'https://sigstore.test', endpoints: [], steps: [] },
    search: (query) => search.search(query),
  })
  return createOrigin({
    services: [running.issuer, search, pages],
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

  test.each(['/', '/oidc/keys', '/oidc/.well-known/openid-configuration', '/oidc/style.css', '/healthz'])(
    'is not for other reads, such as %s',
    async (path) => {
      expect(await statusesOf(limitedOrigin(), path, '192.0.2.1')).toEqual([200, 200, 200, 200, 200])
    },
  )
})
