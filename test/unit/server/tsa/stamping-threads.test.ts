import { afterAll, describe, expect, it } from 'vitest'
import { encodeTimestampJson, encodeTimestampRequest } from '../../../../src/api/timestamp.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { createMaterial } from '../../../../src/server/material.ts'
import { signingSetup } from '../../../../src/server/threads/signing.ts'
import { createThreadPool } from '../../../../src/server/threads/thread-pool.ts'
import { createTimestampAuthority } from '../../../../src/server/tsa/timestamp-authority.ts'
import { parseCertificate } from '../../../../src/x509/certificate.ts'
import { parseTimestampResponse, verifyTimestampSignature } from '../../../../src/x509/timestamp-token.ts'
import { digestOf } from '../../../support/universe/keys.ts'

const now = Date.UTC(2026, 0, 2)
const { tsa } = createMaterial({ hostname: 'localhost', now })
const chain = tsa.chain.map(parseCertificate)
const pool = createThreadPool({ size: 1 })
const stamped = encodeUtf8('what is stamped')
const wanted = { imprint: { algorithm: 'sha256', digest: digestOf('sha256', stamped) }, certReq: false } as const

afterAll(() => pool.close())

function authorityWith(suspicion: () => string | undefined) {
  const threads = { openTask: pool.open, signing: () => signingSetup(tsa.key) }
  const { routes } = createTimestampAuthority({ signer: tsa.key.createSigner(), chain, clock: () => now + 60_000, suspicion, threads })
  return async (body: Uint8Array | string, type: string) =>
    routes.request('/api/v1/timestamp', { method: 'POST', body, headers: { 'content-type': type } })
}

describe('an authority that stamps in other threads', () => {
  it('gives each request its own timestamp', async () => {
    const post = authorityWith(() => undefined)
    const bodies = Array.from({ length: 60 }, (_, at) => encodeTimestampRequest({ ...wanted, nonce: Uint8Array.of(at + 1) }))
    const answers = await Promise.all(bodies.map((body) => post(body, 'application/timestamp-query')))
    const serials = new Set<string>()
    for (const [at, answer] of answers.entries()) {
      const token = parseTimestampResponse(new Uint8Array(await answer.arrayBuffer()))
      verifyTimestampSignature(token, chain[0] ?? parseCertificate(new Uint8Array()), stamped)
      expect(token.nonce).toEqual(Uint8Array.of(at + 1))
      expect(token.genTime).toBe(now + 60_000)
      serials.add(Buffer.from(token.serialNumber).toString('hex'))
    }
    expect(serials.size).toBe(60)
  })

  it('refuses in the words of one that does not', async () => {
    const post = authorityWith(() => undefined)
    const weak = { ...wanted, imprint: { algorithm: 'sha1', digest: new Uint8Array(20) } } as const
    const answers = await Promise.all([
      post(encodeTimestampRequest(weak), 'application/timestamp-query'),
      post('{', 'application/json'),
      post(encodeTimestampJson(wanted), 'application/json'),
    ])
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 200])
    expect(await answers[0]?.json()).toMatchObject({ message: 'Weak hash algorithm in timestamp request' })
  })

  it('gives nothing out while the clock is suspect, nor what was made when it became so', async () => {
    let asked = 0
    const post = authorityWith(() => (++asked > 1 ? 'it went back' : undefined))
    const answers = [
      await post(encodeTimestampJson(wanted), 'application/json'),
      await post(encodeTimestampJson(wanted), 'application/json'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([503, 503])
  })
})
