/** The search index on each storage, as two front ends have it: both follow the same logs into one index. */
import { expect, test } from 'vitest'
import { createFollower } from '../../src/server/search/follower.ts'
import { createSearch } from '../../src/server/search/search.ts'
import { openStorage } from '../../src/server/storage/storage.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { testRekorV2 } from '../support/rekor.ts'
import type { SubjectName } from '../support/universe/certificates.ts'
import { digestOf, keyDetailsOf, namedKey } from '../support/universe/keys.ts'
import { signBlob } from '../support/universe/sign.ts'
import { universeOf } from '../support/universe/services.ts'

const universe = universeOf({ name: 'search-index' })
const people = Array.from({ length: 20 }, (_, number) => `dev${number}@example.com`)
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function requestOf(email: string, subject: SubjectName = { email }): object {
  const signed = signBlob({ universe, key: namedKey(email), subjects: [subject], log: 'none' }, Buffer.from(email))
  const verifier = { x509Certificate: { rawBytes: base64(signed.certificate) }, keyDetails: keyDetailsOf(signed.key.kind) }
  const signature = { content: base64(signed.signature), verifier }
  return { hashedRekordRequestV002: { digest: base64(digestOf('sha256', signed.artifact)), signature } }
}

describeEachStorage((kind) => {
  test('each entry is found once, by either front end, while both index it, and again after the index was made anew', async () => {
    const location = await kind.newLocation()
    const one = await openStorage(location, { clock: Date.now })
    const two = kind.isLasting ? await openStorage(location, { clock: Date.now }) : one
    const errors: unknown[] = []
    const { log, post } = await testRekorV2(universe)
    const followers = [one, two].map(({ terms }) => createFollower({ logs: [log], terms, onError: (error) => errors.push(error) }))
    const searches = [one, two].map(({ terms }) => createSearch({ logs: [{ log, api: 'rekor-v2', firstIndex: 0n }], terms }))
    const expectAll = async (): Promise<void> => {
      for (const search of searches) {
        for (const [at, value] of people.entries()) {
          const { entries, logs } = await search.search({ field: 'email', value, limit: 10 })
          expect([value, entries.map(({ index }) => index), logs[0]?.indexed]).toEqual([value, [String(at)], '20'])
        }
        expect((await search.search({ field: 'email', value: 'nobody@example.com', limit: 10 })).entries).toEqual([])
      }
    }
    for (const follower of followers) follower.start()
    for (const email of people) {
      expect((await post('/api/v2/log/entries', requestOf(email))).status).toBe(201)
      for (const follower of followers) follower.wake()
    }
    await expect.poll(() => one.terms.position(log.id)).toBe(20n)
    await expectAll()
    await followers[1]?.rebuild(log.id)
    await expect.poll(() => two.terms.position(log.id)).toBe(20n)
    await expectAll()
    expect(errors).toEqual([])
    for (const follower of followers) await follower.close()
    await one.close()
    if (two !== one) await two.close()
  })

  test('a name in a certificate that a database cannot hold keeps nobody else from being found', async () => {
    const storage = await openStorage(await kind.newLocation(), { clock: Date.now })
    const { log, post } = await testRekorV2(universe)
    const logs = [log]
    expect((await post('/api/v2/log/entries', requestOf('eve@example.com', { username: 'eve\0!example.com' }))).status).toBe(201)
    expect((await post('/api/v2/log/entries', requestOf('ann@example.com'))).status).toBe(201)
    await createFollower({ logs, terms: storage.terms }).catchUp()
    const search = createSearch({ logs: [{ log, api: 'rekor-v2', firstIndex: 0n }], terms: storage.terms })
    const indices = async (value: string): Promise<readonly string[]> =>
      (await search.search({ field: 'subject', value, limit: 10 })).entries.map(({ index }) => index)
    expect(await indices('ann@example.com')).toEqual(['1'])
    expect(await indices('eve\0!example.com')).toEqual(['0'])
    await storage.close()
  })
})
