/** What strangers send to the timestamp authority and to the CT log: whatever it is, it is answered. */
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeSctAnswer, encodeSubmission, parseSctAnswer, parseSubmission } from '../../src/api/certificate-transparency.ts'
import type { TimestampRequest } from '../../src/api/timestamp.ts'
import {
  encodeTimestampJson,
  encodeTimestampReply,
  encodeTimestampRequest,
  parseTimestampJson,
  parseTimestampReply,
  parseTimestampRequest,
  timestampNonce,
} from '../../src/api/timestamp.ts'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import { CountersignError } from '../../src/error.ts'
import { encodeExtra, parseExtra } from '../../src/server/ctlog/extra.ts'
import { createTimestampAuthority } from '../../src/server/tsa/timestamp-authority.ts'
import { timestampAuthorityOf } from '../support/authority.ts'
import { preChain, testCtLog } from '../support/ct.ts'
import { digestOf } from '../support/universe/keys.ts'
import { epoch, universeOf } from '../support/universe/services.ts'

const request: TimestampRequest = {
  imprint: { algorithm: 'sha256', digest: digestOf('sha256', encodeUtf8('what is stamped')) },
  certReq: true,
  nonce: timestampNonce(2n ** 63n),
  policy: '1.3.6.1.4.1.57264.2',
}
const universe = universeOf({ name: 'ct fuzz', rootKey: 'p256', issuingKey: 'p256' })
const chain = preChain(universe, 1)
const authority = createTimestampAuthority({ ...timestampAuthorityOf(), clock: () => epoch, suspicion: () => undefined })
const ct = await testCtLog(universe)
const sct = await ct.service.addPreChain(chain)

afterAll(() => ct.close())

/** Bytes of the example set, cut out and put in. */
const changesOf = (good: Uint8Array) =>
  fc
    .array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'cut', 'insert')), { minLength: 1, maxLength: 5 })
    .map((changes) => {
      const bytes = [...good]
      for (const [at, byte, change] of changes) {
        bytes.splice(at % (bytes.length + 1), change === 'insert' ? 0 : 1, ...(change === 'cut' ? [] : [byte]))
      }
      return Uint8Array.from(bytes)
    })

const decoders: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => unknown])[] = [
  ['a timestamp request', encodeTimestampRequest(request), parseTimestampRequest],
  ['a timestamp request in JSON', encodeUtf8(encodeTimestampJson(request)), parseTimestampJson],
  ['a timestamp reply', authority.stamp(request), parseTimestampReply],
  ['a refusal of a timestamp', encodeTimestampReply({ status: 'rejected', code: 2, text: 'no', failures: [0, 14] }), parseTimestampReply],
  ['a submission to a CT log', encodeUtf8(encodeSubmission(chain)), parseSubmission],
  ['an SCT in JSON', encodeUtf8(encodeSctAnswer(sct)), parseSctAnswer],
  [
    'what a CT log keeps beside a leaf',
    encodeExtra({ precertificate: chain[0], fingerprints: [digestOf('sha256')] }),
    (bytes) => parseExtra(bytes, 'precertificate'),
  ],
]

describe.each(decoders)('the decoder of %s', (_, good, decode) => {
  it('takes what is right, and gives an error of ours for everything else', () => {
    decode(good)
    fc.assert(
      fc.property(fc.oneof(changesOf(good), fc.uint8Array({ maxLength: 300 })), (bytes) => {
        try {
          decode(bytes)
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error
          expect(error.message.length).toBeLessThan(1000)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('the timestamp authority', () => {
  it.each([
    ['application/timestamp-query', encodeTimestampRequest(request)],
    ['application/json', encodeUtf8(encodeTimestampJson(request))],
  ])('answers every body of %s with a timestamp or a refusal', async (contentType, good) => {
    await fc.assert(
      fc.asyncProperty(changesOf(good), async (body) => {
        const init = { method: 'POST', body, headers: { 'content-type': contentType } }
        const response = await authority.routes.request('/api/v1/timestamp', init)
        expect([200, 400]).toContain(response.status)
        await response.arrayBuffer()
      }),
      { numRuns: 200 },
    )
  })
})

describe('the CT log', () => {
  it('logs no precertificate with a bit that its authority did not sign', async () => {
    const before = (await ct.log.head()).size
    const [precertificate = new Uint8Array(0), ...issuers] = chain
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: precertificate.length * 8 - 1 }), async (bit) => {
        const flipped = Uint8Array.from(precertificate)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect((await ct.submit('add-pre-chain', [flipped, ...issuers])).status).toBe(400)
      }),
      { numRuns: 500 },
    )
    expect((await ct.log.head()).size).toBe(before)
  })

  it('answers every read with JSON or a refusal', async () => {
    const value = fc.oneof(fc.string(), fc.integer().map(String), fc.bigInt().map(String), fc.constant(Buffer.alloc(32).toString('base64')))
    const query = fc.record({ first: value, second: value, hash: value, tree_size: value, start: value, end: value, leaf_index: value })
    const name = fc.constantFrom('get-sth-consistency', 'get-proof-by-hash', 'get-entries', 'get-entry-and-proof')
    await fc.assert(
      fc.asyncProperty(name, query, async (read, words) => {
        const response = await ct.get(`/ct/v1/${read}?${new URLSearchParams(words).toString()}`)
        expect([200, 400, 404]).toContain(response.status)
      }),
      { numRuns: 300 },
    )
  })

  it('has a tile or nothing at every path', async () => {
    const part = fc.constantFrom(
      'tile',
      'data',
      'names',
      'entries',
      '0',
      '1',
      '000',
      'x000',
      '001',
      '000.p',
      '1',
      '255',
      '-1',
      '%00',
      'é',
      '..',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        expect([200, 404]).toContain((await ct.get(`/tile/${parts.join('/')}`)).status)
      }),
      { numRuns: 300 },
    )
  })
})
