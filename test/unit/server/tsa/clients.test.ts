/** The timestamp authority before programs and libraries that others wrote: openssl, pkijs and sigstore-js. */
import { webcrypto } from 'node:crypto'
import { TSAWitness } from '@sigstore/sign'
import * as pkijs from 'pkijs'
import { describe, expect, it } from 'vitest'
import { openListener } from '../../../../src/server/listener.ts'
import { createTimestampAuthority } from '../../../../src/server/tsa/timestamp-authority.ts'
import type { TimestampRequest } from '../../../../src/api/timestamp.ts'
import { timestampNonce } from '../../../../src/api/timestamp.ts'
import { parseTimestampResponse, verifyTimestampSignature } from '../../../../src/x509/timestamp-token.ts'
import { timestampAuthorityOf } from '../../../support/authority.ts'
import type { Openssl } from '../../../support/openssl.ts'
import { createOpenssl, hasOpenssl } from '../../../support/openssl.ts'
import { verifyWithSigstoreJs } from '../../../support/sigstore-js.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { digestOf } from '../../../support/universe/keys.ts'
import type { UniverseOptions } from '../../../support/universe/services.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { signBlob } from '../../../support/universe/sign.ts'
import { verifySigned } from '../../../support/universe/verification.ts'

const stamped = Buffer.from('what is stamped')
const kinds: readonly (readonly [string, UniverseOptions])[] = [
  ['P-256', { timestampKey: 'p256' }],
  ['P-384', { timestampKey: 'p384' }],
]
const authorityOf = (options: UniverseOptions = {}) =>
  createTimestampAuthority({ ...timestampAuthorityOf(options), clock: () => universeOf(options).time, suspicion: () => undefined })

describe.skipIf(!hasOpenssl).each(kinds)('openssl, with an authority on %s', (_, options) => {
  const { timestampLeaf, timestampRoot } = universeOf(options)
  const authority = authorityOf(options)
  const trust = (openssl: Openssl): string[] => [
    '-CAfile',
    openssl.file('root.pem', pemOf(timestampRoot.der)),
    '-untrusted',
    openssl.file('leaf.pem', pemOf(timestampLeaf.der)),
  ]
  const postQuery = async (body: Uint8Array): Promise<Uint8Array> => {
    const headers = { 'content-type': 'application/timestamp-query' }
    const response = await authority.routes.request('/api/v1/timestamp', { method: 'POST', body, headers })
    expect(response.status).toBe(200)
    return new Uint8Array(await response.arrayBuffer())
  }

  it.each([
    ['sha256', []],
    ['sha384', []],
    ['sha512', []],
    ['sha256', ['-no_nonce']],
    ['sha512', ['-cert']],
    ['sha256', ['-cert', '-no_nonce', '-tspolicy', '1.3.6.1.4.1.57264.2']],
  ])('verifies what it asked for with %s %j, and refuses it for other data', async (algorithm, words) => {
    const openssl = createOpenssl()
    const data = openssl.file('data', stamped)
    const query = openssl.succeed('ts', '-query', '-data', data, `-${algorithm}`, ...words)
    const queryFile = openssl.file('query.tsq', query)
    const reply = openssl.file('reply.tsr', await postQuery(query))
    expect(openssl.succeed('ts', '-verify', '-queryfile', queryFile, '-in', reply, ...trust(openssl)).toString()).toContain(
      'Verification: OK',
    )
    expect(openssl.succeed('ts', '-verify', '-data', data, '-in', reply, ...trust(openssl)).toString()).toContain('Verification: OK')
    const other = openssl.run('ts', '-verify', '-data', openssl.file('other', 'something else'), '-in', reply, ...trust(openssl))
    expect(other.status).not.toBe(0)
    const stranger = openssl.file('stranger.pem', pemOf(universeOf({ name: 'stranger' }).timestampRoot.der))
    expect(openssl.run('ts', '-verify', '-data', data, '-in', reply, '-CAfile', stranger).status).not.toBe(0)
    openssl.remove()
  })

  it('refuses the answer to another question', async () => {
    const openssl = createOpenssl()
    const data = openssl.file('data', stamped)
    const [asked, other] = [0, 1].map(() => openssl.succeed('ts', '-query', '-data', data, '-sha256'))
    const reply = openssl.file('reply.tsr', await postQuery(other ?? new Uint8Array(0)))
    const { status, output } = openssl.run('ts', '-verify', '-queryfile', openssl.file('q', asked ?? ''), '-in', reply, ...trust(openssl))
    expect(status).not.toBe(0)
    expect(output).toContain('nonce mismatch')
    openssl.remove()
  })

  it('reads every field of the answer', async () => {
    const openssl = createOpenssl()
    const nonce = timestampNonce(0x1234567890abcdefn)
    const request: TimestampRequest = { imprint: { algorithm: 'sha256', digest: digestOf('sha256', stamped) }, certReq: true, nonce }
    const text = openssl.succeed('ts', '-reply', '-in', openssl.file('reply.tsr', authority.stamp(request)), '-text').toString()
    const time = new Date(universeOf(options).time)
    expect(text).toContain('Status: Granted.')
    expect(text).toContain('Policy OID: 1.3.6.1.4.1.57264.2')
    expect(text).toContain('Hash Algorithm: sha256')
    expect(text).toContain(
      `Time stamp: ${time.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' })} ${time.getUTCDate()} 12:00:00 2026 GMT`,
    )
    expect(text).toContain('Accuracy: 0x01 seconds, unspecified millis, unspecified micros')
    expect(text).toContain('Ordering: no')
    expect(text).toContain('Nonce: 0x1234567890ABCDEF')
    expect(text).toContain('TSA: DirName:/O=universe.test/CN=tsa')
    expect(text).toMatch(/Serial number: 0x[4-7][0-9A-F]{39}/)
    openssl.remove()
  })

  it('verifies the SignedData by itself, as CMS', async () => {
    const openssl = createOpenssl()
    const request: TimestampRequest = { imprint: { algorithm: 'sha256', digest: digestOf('sha256', stamped) }, certReq: true }
    const reply = openssl.file('reply.tsr', authority.stamp(request))
    const token = openssl.file('token.der', openssl.succeed('ts', '-reply', '-in', reply, '-token_out'))
    const root = openssl.file('root.pem', pemOf(timestampRoot.der))
    const content = openssl.succeed('cms', '-verify', '-inform', 'DER', '-in', token, '-CAfile', root, '-purpose', 'timestampsign')
    const { tstInfo } = parseTimestampResponse(authority.stamp(request))
    expect(content.length).toBe(tstInfo.length)
    openssl.remove()
  })
})

describe.each(kinds)('pkijs, with an authority on %s', (_, options) => {
  it('verifies a timestamp against its root, and not against another', async () => {
    pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto }))
    const request: TimestampRequest = {
      imprint: { algorithm: 'sha256', digest: digestOf('sha256', stamped) },
      certReq: true,
      nonce: timestampNonce(7n),
    }
    const response = pkijs.TimeStampResp.fromBER(Uint8Array.from(authorityOf(options).stamp(request)))
    const data = Uint8Array.from(stamped).buffer
    const { timestampRoot } = universeOf(options)
    const stranger = universeOf({ name: 'stranger' }).timestampRoot
    const signedData = new pkijs.SignedData({ schema: response.timeStampToken?.content })
    const verifyWith = (der: Uint8Array) =>
      signedData.verify({ signer: 0, data, trustedCerts: [pkijs.Certificate.fromBER(Uint8Array.from(der))], checkChain: true })
    await expect(verifyWith(timestampRoot.der)).resolves.toBe(true)
    await expect(verifyWith(stranger.der)).rejects.toMatchObject({ signatureVerified: null })
    const info = pkijs.TSTInfo.fromBER(signedData.encapContentInfo.eContent?.valueBlock.valueHexView ?? new Uint8Array(0))
    await expect(info.verify({ data })).resolves.toBe(true)
    expect(info.genTime.getTime()).toBe(universeOf(options).time)
    expect(info.nonce?.valueBlock.valueDec).toBe(7)
    expect(info.accuracy?.seconds).toBe(1)
  })
})

describe.each(kinds)('sigstore-js, with an authority on %s', (_, options) => {
  it.each([
    ['the origin', ''],
    ['the full path', '/api/v1/timestamp'],
  ])('asks at %s for a timestamp that makes its bundles verify', async (__, path) => {
    const universe = universeOf(options)
    const authority = authorityOf(options)
    const listener = await openListener({ host: '127.0.0.1', port: 0, tls: undefined, behindProxy: false })
    listener.answer(authority.routes.fetch)
    // A bundle of Rekor v2, whose only time is the timestamp's.
    const signed = signBlob({ universe, log: 'v2' })
    const witness = new TSAWitness({ tsaBaseURL: `http://127.0.0.1:${listener.port}${path}`, retry: false, timeout: 5000 })
    const messageSignature = { messageDigest: { algorithm: 1, digest: Buffer.alloc(0) }, signature: Buffer.from(signed.signature) }
    const { rfc3161Timestamps } = await witness.testify({ $case: 'messageSignature', messageSignature })
    await listener.close()
    const [token] = rfc3161Timestamps ?? []
    const { verificationMaterial } = signed.bundle as { verificationMaterial: object }
    const timestamps = [{ signedTimestamp: Buffer.from(token?.signedTimestamp ?? '').toString('base64') }]
    const bundle = {
      ...signed.bundle,
      verificationMaterial: { ...verificationMaterial, timestampVerificationData: { rfc3161Timestamps: timestamps } },
    }
    verifyWithSigstoreJs(signed, { bundle })
    verifySigned(signed, { bundle })
    const parsed = parseTimestampResponse(Buffer.from(token?.signedTimestamp ?? ''))
    verifyTimestampSignature(parsed, timestampAuthorityOf(options).chain[0], signed.signature)
  })
})
