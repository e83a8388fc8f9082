import { describe, expect, it } from 'vitest'
import type { TimestampRequest } from '../../../../src/api/timestamp.ts'
import { encodeTimestampJson, encodeTimestampRequest, timestampNonce } from '../../../../src/api/timestamp.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { derElement, derExplicit, derInteger, derNull, derOctetString, derOid, derSequence } from '../../../../src/encoding/der-writer.ts'
import { parseCertificatePem } from '../../../../src/x509/certificate.ts'
import { parseTimestampResponse, verifyTimestampSignature } from '../../../../src/x509/timestamp-token.ts'
import type { TimestampAuthority, TimestampAuthorityOptions } from '../../../../src/server/tsa/timestamp-authority.ts'
import { createTimestampAuthority } from '../../../../src/server/tsa/timestamp-authority.ts'
import { privateKeyOf, timestampAuthorityOf } from '../../../support/authority.ts'
import { codeSigning, issue, timeStamping } from '../../../support/universe/certificates.ts'
import type { CertificateOptions } from '../../../support/universe/certificates.ts'
import { digestOf, namedKey } from '../../../support/universe/keys.ts'
import { epoch, universeOf } from '../../../support/universe/services.ts'
import { parseCertificate } from '../../../../src/x509/certificate.ts'
import { failureOf } from '../../encoding/failure.ts'

const path = '/api/v1/timestamp'
const query = 'application/timestamp-query'
const stamped = encodeUtf8('what is stamped')
const wanted: TimestampRequest = { imprint: { algorithm: 'sha256', digest: digestOf('sha256', stamped) }, certReq: false }

function authorityWith(options: Partial<TimestampAuthorityOptions> = {}): TimestampAuthority {
  return createTimestampAuthority({ ...timestampAuthorityOf(), clock: () => epoch + 250, suspicion: () => undefined, ...options })
}

async function post(body: Uint8Array | string, contentType: string, options: Partial<TimestampAuthorityOptions> = {}): Promise<Response> {
  return await authorityWith(options).routes.request(path, { method: 'POST', body, headers: { 'content-type': contentType } })
}

const ask = (request: TimestampRequest, options?: Partial<TimestampAuthorityOptions>): Promise<Response> =>
  post(encodeTimestampRequest(request), query, options)
const tokenOf = async (response: Response) => parseTimestampResponse(new Uint8Array(await response.arrayBuffer()))

describe('a granted timestamp', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)('is of the %s digest that was sent, in DER or in JSON', async (algorithm) => {
    const request: TimestampRequest = { imprint: { algorithm, digest: digestOf(algorithm, stamped) }, certReq: false }
    const [leaf] = timestampAuthorityOf().chain
    for (const response of [await ask(request), await post(encodeTimestampJson(request), 'application/json')]) {
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/timestamp-reply')
      const token = await tokenOf(response)
      verifyTimestampSignature(token, leaf, stamped)
      expect(token).toMatchObject({ genTime: epoch, policy: '1.3.6.1.4.1.57264.2', nonce: undefined, certificates: [] })
    }
  })

  it.each([0n, 1n, 128n, 2n ** 64n - 1n, 2n ** 200n])('repeats the nonce %d', async (value) => {
    const nonce = timestampNonce(value)
    expect((await tokenOf(await ask({ ...wanted, nonce }))).nonce).toEqual(nonce)
    expect((await tokenOf(await post(encodeTimestampJson({ ...wanted, nonce }), 'application/json'))).nonce).toEqual(nonce)
  })

  it('repeats a negative nonce', async () => {
    expect((await tokenOf(await ask({ ...wanted, nonce: timestampNonce(-300n) }))).nonce).toEqual(timestampNonce(-300n))
  })

  it('brings the certificate along if and only if it is asked for', async () => {
    const [leaf, root] = timestampAuthorityOf().chain
    expect((await tokenOf(await ask({ ...wanted, certReq: true }))).certificates).toEqual([leaf.bytes])
    expect((await tokenOf(await post(encodeTimestampJson({ ...wanted, certReq: true }), 'application/json'))).certificates).toEqual([
      leaf.bytes,
    ])
    expect((await tokenOf(await ask({ ...wanted, certReq: true }, { includeChain: true }))).certificates).toEqual([leaf.bytes, root.bytes])
    expect((await tokenOf(await ask(wanted, { includeChain: true }))).certificates).toEqual([])
  })

  it('has a serial number of its own, positive and 20 bytes long', async () => {
    const authority = authorityWith()
    const serials = Array.from({ length: 500 }, () => parseTimestampResponse(authority.stamp(wanted)).serialNumber)
    expect(new Set(serials.map((serial) => Buffer.from(serial).toString('hex'))).size).toBe(500)
    expect(serials.every((serial) => serial.length === 20 && (serial[0] ?? 0xff) < 0x80)).toBe(true)
  })

  it('is issued under the policy that was asked for, if that is accepted', async () => {
    const request = { ...wanted, policy: '2.999.5' }
    expect((await tokenOf(await ask(request, { acceptedPolicies: ['2.999.5'] }))).policy).toBe('2.999.5')
    expect((await tokenOf(await ask(wanted, { acceptedPolicies: ['2.999.5'], policy: '2.999.4' }))).policy).toBe('2.999.4')
  })

  it('takes parameters and capitals of the media type', async () => {
    expect((await post(encodeTimestampRequest(wanted), 'Application/Timestamp-Query')).status).toBe(200)
    expect((await post(encodeTimestampJson(wanted), 'application/json; charset=utf-8')).status).toBe(200)
  })
})

describe('a refused timestamp', () => {
  const sha1 = { ...wanted, imprint: { algorithm: 'sha1', digest: digestOf('sha1', stamped) } } as const
  const short = { ...wanted, imprint: { algorithm: 'sha512', digest: digestOf('sha256', stamped) } } as const
  const otherPolicy = { ...wanted, policy: '2.999.1' }
  const imprint = derSequence(derSequence(derOid('2.16.840.1.101.3.4.2.1'), derNull()), derOctetString(wanted.imprint.digest))
  const extended = derSequence(derInteger(1), imprint, derExplicit(0, derSequence(derOid('2.999.7'), derOctetString(stamped))))

  it.each<[string, Uint8Array | string, string, string]>([
    ['SHA-1', encodeTimestampRequest(sha1), query, 'Weak hash algorithm in timestamp request'],
    ['SHA-1 in JSON', encodeTimestampJson(sha1), 'application/json', 'Weak hash algorithm in timestamp request'],
    ['a digest of another length', encodeTimestampRequest(short), query, 'Message digest has incorrect length for specified algorithm'],
    ['that in JSON', encodeTimestampJson(short), 'application/json', 'Message digest has incorrect length for specified algorithm'],
    ['another policy', encodeTimestampRequest(otherPolicy), query, 'unaccepted policy: requested TSA policy is not supported by the TSA'],
    [
      'that in JSON',
      encodeTimestampJson(otherPolicy),
      'application/json',
      'unaccepted policy: requested TSA policy is not supported by the TSA',
    ],
    ['an extension', extended, query, 'unaccepted extension: requested extensions are not supported by the TSA'],
    ['JSON of 1,025 bytes', encodeTimestampJson(wanted).padEnd(1025), 'application/json', 'timestamp request is too large'],
    ['a body of more than 1 MiB', new Uint8Array(1024 * 1024 + 1), query, 'timestamp request is too large'],
    [
      'a nonce of 1 MB',
      derSequence(derInteger(1), imprint, derInteger(new Uint8Array(1_000_000).fill(1))),
      query,
      'timestamp request is too large',
    ],
    ['JSON that is none', '{"artifactHash"', 'application/json', 'Error generating timestamp response'],
    ['DER that is none', Uint8Array.of(0x30, 0x80), query, 'Error generating timestamp response'],
    ['nothing', '', query, 'Error generating timestamp response'],
    ['DER as JSON', encodeTimestampRequest(wanted), 'application/json', 'Error generating timestamp response'],
    ['JSON as DER', encodeTimestampJson(wanted), query, 'Error generating timestamp response'],
  ])('is answered with 400 for %s', async (_, body, contentType, message) => {
    const response = await post(body, contentType)
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(await response.json()).toMatchObject({ code: 400, message })
  })

  it('says what is malformed beside the fixed message', async () => {
    expect(await (await post('{}', 'application/json')).json()).toEqual({
      code: 400,
      message: 'Error generating timestamp response',
      detail: 'request.hashAlgorithm is missing',
    })
  })

  // GHSA-4qg8-fj49-pxjh.
  it('is refused for an object identifier with as many dots as fit, or more', async () => {
    const json = JSON.stringify({ artifactHash: '', hashAlgorithm: 'sha256', tsaPolicyOID: '' })
    const policy = `1${'.'.repeat(1024 - json.length - 1)}`
    const response = await post(json.replace('"tsaPolicyOID":""', `"tsaPolicyOID":"${policy}"`), 'application/json')
    expect(response.status).toBe(400)
    const million = await post(
      JSON.stringify({ artifactHash: 'AAAA', hashAlgorithm: 'sha256', tsaPolicyOID: '.'.repeat(1_000_000) }),
      'application/json',
    )
    expect(await million.json()).toEqual({ code: 400, message: 'timestamp request is too large' })
    const arcs = derSequence(derInteger(1), imprint, derElement(0x06, new Uint8Array(0x0f0000).fill(1)))
    expect((await post(arcs, query)).status).toBe(400)
  })

  it.each(['text/plain', 'application/timestamp-reply', 'multipart/form-data; boundary=application/json', 'application/jsonx', ''])(
    'is answered with 415 for the media type "%s"',
    async (contentType) => {
      const response = await post(encodeTimestampRequest(wanted), contentType)
      expect(response.status).toBe(415)
      expect(await response.json()).toEqual({
        code: 415,
        message: `unsupported media type "${contentType}", only [application/json application/timestamp-query] are allowed`,
      })
    },
  )

  it('is answered with 503 while the clock is suspect, and granted again when it is not', async () => {
    let suspect: string | undefined = 'it went back by 10.0 s at once'
    const authority = authorityWith({ suspicion: () => suspect })
    const init = { method: 'POST', body: encodeTimestampRequest(wanted), headers: { 'content-type': query } }
    const response = await authority.routes.request(path, init)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('30')
    expect(await response.json()).toEqual({
      code: 503,
      message: 'no timestamps are issued while the clock is suspect: it went back by 10.0 s at once',
    })
    expect(authority.unreadiness()).toBe('it went back by 10.0 s at once')
    suspect = undefined
    expect((await authority.routes.request(path, init)).status).toBe(200)
    expect(authority.unreadiness()).toBeUndefined()
  })

  it.each([
    [-2, 'is valid from'],
    [20, 'has expired at'],
  ])('is answered with 503 %d years from when the certificate was made', async (years, words) => {
    const clock = (): number => epoch + years * 365 * 24 * 3_600_000
    const response = await ask(wanted, { clock })
    expect(response.status).toBe(503)
    expect((await response.json()) as { message: string }).toMatchObject({ code: 503, message: expect.stringContaining(words) as string })
    expect(authorityWith({ clock }).unreadiness()).toContain(words)
  })

  it('throws on what is no refusal', () => {
    const authority = authorityWith({
      clock: () => {
        throw new Error('no clock')
      },
    })
    expect(() => authority.stamp(wanted)).toThrow('no clock')
  })
})

describe("the authority's certificate chain", () => {
  it('is given as PEM, the leaf first, to be kept for a day', async () => {
    const { chain } = timestampAuthorityOf()
    const response = await authorityWith().routes.request(`${path}/certchain`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/pem-certificate-chain')
    expect(response.headers.get('cache-control')).toBe('max-age=86400, immutable')
    const certificates = parseCertificatePem(await response.text(), 'the chain')
    expect(certificates.map(({ bytes }) => Buffer.from(bytes))).toEqual(chain.map(({ bytes }) => Buffer.from(bytes)))
  })

  it('may stand below a prefix', async () => {
    expect((await authorityWith({ prefix: '/tsa' }).routes.request(`/tsa${path}/certchain`)).status).toBe(200)
  })

  it('is served beside an answer to pings', async () => {
    expect((await authorityWith().routes.request('/ping')).status).toBe(200)
  })

  const { timestampRoot } = universeOf()
  const leafWith = (options: Partial<CertificateOptions>): Partial<TimestampAuthorityOptions> => {
    const key = options.key ?? namedKey('other leaf')
    const window = { notBefore: epoch, notAfter: epoch + 1000 }
    const usual = { key, name: 'tsa', extendedKeyUsage: [timeStamping], extendedKeyUsageCritical: true, ...window }
    const leaf = issue({ ...usual, ...options }, timestampRoot)
    return { signer: privateKeyOf(key).createSigner(), chain: [leaf.der, timestampRoot.der].map(parseCertificate) }
  }
  const [leaf, root] = timestampAuthorityOf().chain
  const stranger = universeOf({ name: 'stranger' }).timestampRoot

  it.each<[string, Partial<TimestampAuthorityOptions>, string]>([
    ['one certificate only', { chain: [leaf] }, 'has 1 certificates, expected 2 to 8: its own first, the root last'],
    ['no certificate', { chain: [] }, 'has 0 certificates'],
    ['the root first', { chain: [root, leaf] }, 'begins with a certificate that is not of the signing key'],
    ['another root', { chain: [leaf, parseCertificate(stranger.der)] }, 'is not a path to its root'],
    ['an RSA key', leafWith({ key: namedKey('rsa leaf', 'rsa') }), 'does not end in an ECDSA key on P-256 or P-384'],
    ['a P-521 key', leafWith({ key: namedKey('p521 leaf', 'p521') }), 'does not end in an ECDSA key on P-256 or P-384'],
    ['an Ed25519 key', leafWith({ key: namedKey('ed25519 leaf', 'ed25519') }), 'does not end in an ECDSA key on P-256 or P-384'],
    ['a purpose that is not critical', leafWith({ extendedKeyUsageCritical: false }), 'is not timeStamping, alone and critical'],
    ['a second purpose', leafWith({ extendedKeyUsage: [timeStamping, codeSigning] }), 'is not timeStamping, alone and critical'],
    ['no purpose', leafWith({ extendedKeyUsage: 'none' }), 'is not timeStamping, alone and critical'],
    [
      'a leaf that is an authority',
      leafWith({ ca: true, keyUsage: [0, 5], basicConstraints: 'critical' }),
      'begins with the certificate of a certificate authority',
    ],
    ['a leaf that may not sign', leafWith({ keyUsage: [6] }), 'is not for digital signatures (key usage)'],
  ])('is refused with %s', (_, options, reason) => {
    const failure = failureOf(() => authorityWith(options))
    expect(failure).toContain('CONFIGURATION_INVALID: the certificate chain of the timestamp authority ')
    expect(failure).toContain(reason)
  })
})
