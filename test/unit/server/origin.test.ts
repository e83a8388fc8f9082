import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMetrics } from '../../../src/server/metrics.ts'
import type { Origin } from '../../../src/server/origin.ts'
import { createOrigin } from '../../../src/server/origin.ts'
import { silentLog } from '../../../src/server/request-log.ts'
import type { RunningIssuer } from '../../support/issuer.ts'
import { runIssuer } from '../../support/issuer.ts'

let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer()
})
afterAll(() => running.stop())

/** The issuer behind a proxy, with three writes at once for each client and none after that. */
function limitedOrigin(): Origin {
  return createOrigin({
    services: [running.issuer],
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

  test.each(['/oidc/keys', '/oidc/.well-known/openid-configuration', '/oidc/style.css', '/healthz'])(
    'is not for reads that store nothing, such as %s',
    async (path) => {
      expect(await statusesOf(limitedOrigin(), path, '192.0.2.1')).toEqual([200, 200, 200, 200, 200])
    },
  )
})
