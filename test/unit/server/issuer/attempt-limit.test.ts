import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { AttemptLimit } from '../../../../src/server/issuer/attempt-limit.ts'
import { createAttemptLimit } from '../../../../src/server/issuer/attempt-limit.ts'
import { createSealing } from '../../../../src/server/issuer/sealing.ts'
import { openStorage } from '../../../../src/server/storage/storage.ts'

async function newLimit(): Promise<{ limit: AttemptLimit; clock: { now: number } }> {
  const clock = { now: 1_000_000 }
  const { documents } = await openStorage({ kind: 'memory' }, { clock: () => clock.now })
  return { limit: createAttemptLimit({ documents, sealing: createSealing(randomBytes(32)), clock: () => clock.now }), clock }
}

test('the window of a limit ends a quarter of an hour after it began, however often it is tried', async () => {
  const { limit, clock } = await newLimit()
  for (let attempt = 0; attempt < 100; attempt++) expect(await limit.begin('account', 'a')).toBe(0)
  clock.now += 60_000
  for (let attempt = 0; attempt < 30; attempt++) expect(await limit.begin('account', 'a')).toBe(14 * 60_000)
  clock.now += 14 * 60_000
  expect(await limit.begin('account', 'a')).toBe(0)
})

test('an account that was let in starts anew, an address gets one attempt back', async () => {
  const { limit } = await newLimit()
  for (const [kind, allowed] of [
    ['account', 100],
    ['account-at-address', 10],
  ] as const) {
    for (let attempt = 1; attempt < allowed; attempt++) await limit.begin(kind, 'a')
    await limit.succeed(kind, 'a')
    for (let attempt = 0; attempt < allowed; attempt++) expect(await limit.begin(kind, 'a')).toBe(0)
    expect(await limit.begin(kind, 'a')).toBeGreaterThan(0)
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    expect(await limit.begin('address', '192.0.2.1')).toBe(0)
    await limit.succeed('address', '192.0.2.1')
  }
})
