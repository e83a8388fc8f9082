import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RequestDigest, TimestampRequest } from '../../../src/api/timestamp.ts'
import {
  encodeTimestampJson,
  encodeTimestampReply,
  encodeTimestampRequest,
  parseTimestampJson,
  parseTimestampReply,
  parseTimestampRequest,
  timestampNonce,
} from '../../../src/api/timestamp.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import {
  derBoolean,
  derExplicit,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derUtf8String,
} from '../../../src/encoding/der-writer.ts'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { createOpenssl, hasOpenssl } from '../../support/openssl.ts'
import { digestOf } from '../../support/universe/keys.ts'
import { failureOf } from '../encoding/failure.ts'

const sha256 = '2.16.840.1.101.3.4.2.1'
const digest = Uint8Array.from(digestOf('sha256', encodeUtf8('what is stamped')))
const imprint = derSequence(derSequence(derOid(sha256), derNull()), derOctetString(digest))
const request = (...parts: Uint8Array[]): Uint8Array => derSequence(derInteger(1), ...parts)
const refusal = (der: Uint8Array): string => failureOf(() => parseTimestampRequest(der))
const jsonRefusal = (json: string): string => failureOf(() => parseTimestampJson(encodeUtf8(json)))

const requests: fc.Arbitrary<TimestampRequest> = fc.record({
  imprint: fc.record({
    algorithm: fc.constantFrom<RequestDigest>('sha256', 'sha384', 'sha512'),
    digest: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  }),
  certReq: fc.boolean(),
  nonce: fc.option(fc.bigInt(0n, 2n ** 256n).map(timestampNonce), { nil: undefined }),
  policy: fc.option(fc.constantFrom('1.3.6.1.4.1.57264.2', '2.999.1.2.3'), { nil: undefined }),
})

describe('a timestamp request in DER', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(requests, (wanted) => {
        expect(parseTimestampRequest(encodeTimestampRequest(wanted))).toEqual({ ...wanted, extensions: [] })
      }),
    )
  })

  it('is taken without the parameters of its digest algorithm', () => {
    const bare = request(derSequence(derSequence(derOid(sha256)), derOctetString(digest)))
    expect(parseTimestampRequest(bare).imprint).toEqual({ algorithm: 'sha256', digest })
  })

  it('gives the extensions by their identifiers', () => {
    const extension = derSequence(derOid('2.999.7'), derBoolean(true), derOctetString(digest))
    expect(parseTimestampRequest(request(imprint, derExplicit(0, extension))).extensions).toEqual(['2.999.7'])
  })

  it('keeps a negative nonce as it came', () => {
    expect(parseTimestampRequest(request(imprint, derInteger(-5))).nonce).toEqual(Uint8Array.of(0xfb))
  })

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'DER_INVALID: the timestamp request is not valid DER: the timestamp request is missing'],
    ['another version', derSequence(derInteger(2), imprint), 'REQUEST_INVALID: the timestamp request has version 2, expected 1'],
    ['no imprint', request(), 'DER_INVALID: the timestamp request is not valid DER: messageImprint is missing'],
    [
      'a digest algorithm that is none',
      request(derSequence(derSequence(derOid('1.2.840.113549.2.5'), derNull()), derOctetString(digest))),
      'REQUEST_INVALID: the timestamp request is of a digest with the algorithm "1.2.840.113549.2.5", expected SHA-256, SHA-384 or SHA-512',
    ],
    [
      'parameters of the digest algorithm',
      request(derSequence(derSequence(derOid(sha256), derInteger(1)), derOctetString(digest))),
      'REQUEST_INVALID: the digest algorithm of the timestamp request has parameters that it should not have',
    ],
    [
      'certReq spelled out as FALSE',
      request(imprint, derBoolean(false)),
      'REQUEST_INVALID: the timestamp request spells out certReq FALSE, which DER leaves out',
    ],
    [
      'a nonce of 129 bytes',
      request(imprint, derInteger(2n ** 1024n)),
      'TOO_LARGE: the nonce is 129 bytes long, more than the limit of 128',
    ],
    [
      'seventeen extensions',
      request(imprint, derExplicit(0, ...Array.from({ length: 17 }, () => derSequence(derOid('2.999'), derOctetString(digest))))),
      'REQUEST_INVALID: the timestamp request has more than 16 extensions',
    ],
    [
      'the fields in another order',
      request(imprint, derBoolean(true), derInteger(7)),
      'DER_INVALID: the timestamp request is not valid DER: 3 bytes stand after the last element',
    ],
    [
      'a policy of a thousand bytes',
      request(imprint, Uint8Array.of(0x06, 0x82, 0x03, 0xe8, ...new Uint8Array(1000).fill(1))),
      'DER_INVALID: reqPolicy is an object identifier of 1000 bytes (1 to 128 are allowed)',
    ],
    [
      'more than 1 MiB',
      new Uint8Array(1024 * 1024 + 1),
      'TOO_LARGE: the timestamp message is 1048577 bytes long, more than the limit of 1048576',
    ],
  ])('is refused with %s', (_, der, expected) => {
    expect(refusal(der)).toBe(`DecodingError ${expected}`)
  })

  it('is refused with anything behind it', () => {
    expect(refusal(Uint8Array.of(...request(imprint), 0))).toContain('1 bytes stand after the last element')
  })
})

describe.skipIf(!hasOpenssl)('openssl and a timestamp request in DER', () => {
  it('read the same fields', () => {
    const openssl = createOpenssl()
    const file = openssl.file(
      'request.tsq',
      encodeTimestampRequest({
        imprint: { algorithm: 'sha256', digest },
        certReq: true,
        nonce: timestampNonce(0xabcdn),
        policy: '2.999.3',
      }),
    )
    const text = openssl.succeed('ts', '-query', '-in', file, '-text').toString()
    expect(text).toContain('Hash Algorithm: sha256')
    expect(text).toContain('Policy OID: 2.999.3')
    expect(text).toContain('Nonce: 0xABCD')
    expect(text).toContain('Certificate required: yes')
    openssl.remove()
  })

  it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)('agree about one that openssl made over %s', (algorithm) => {
    const openssl = createOpenssl()
    const file = openssl.file('data', 'what is stamped')
    const der = Uint8Array.from(openssl.succeed('ts', '-query', '-data', file, `-${algorithm}`, '-tspolicy', '2.999.3', '-cert'))
    const parsed = parseTimestampRequest(der)
    expect(parsed.imprint).toEqual({ algorithm, digest: Uint8Array.from(digestOf(algorithm, encodeUtf8('what is stamped'))) })
    expect(parsed).toMatchObject({ certReq: true, policy: '2.999.3' })
    expect(encodeTimestampRequest(parsed)).toEqual(der)
    openssl.remove()
  })
})

describe('a timestamp request in JSON', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(requests, (wanted) => {
        const parsed = parseTimestampJson(encodeUtf8(encodeTimestampJson(wanted)))
        expect(encodeTimestampRequest(parsed)).toEqual(encodeTimestampRequest(wanted))
      }),
    )
  })

  it('needs no more than digest and algorithm, whose name may be in capitals', () => {
    const json = JSON.stringify({ artifactHash: Buffer.from(digest).toString('base64'), hashAlgorithm: 'SHA256' })
    expect(parseTimestampJson(encodeUtf8(json))).toEqual({
      imprint: { algorithm: 'sha256', digest: Buffer.from(digest) },
      certReq: false,
      nonce: undefined,
      policy: undefined,
      extensions: [],
    })
  })

  it('keeps every digit of a nonce beyond 2^53', () => {
    const json = `{"artifactHash":"AAAA","hashAlgorithm":"sha256","nonce":18446744073709551615}`
    expect(encodeHex(parseTimestampJson(encodeUtf8(json)).nonce ?? new Uint8Array(0))).toBe('00ffffffffffffffff')
  })

  it.each([
    ['{}', 'REQUEST_INVALID: request.hashAlgorithm is missing'],
    ['{"hashAlgorithm":"sha256"}', 'REQUEST_INVALID: request.artifactHash is missing'],
    ['{"hashAlgorithm":"md5","artifactHash":"AAAA"}', 'REQUEST_INVALID: hashAlgorithm should be sha256, sha384 or sha512, found "md5"'],
    ['{"hashAlgorithm":"__proto__","artifactHash":"AAAA"}', 'REQUEST_INVALID: hashAlgorithm should be sha256, sha384 or sha512'],
    ['{"hashAlgorithm":"sha256","artifactHash":"AA=A"}', 'REQUEST_INVALID: artifactHash is not standard base64 with padding'],
    ['{"hashAlgorithm":"sha256","artifactHash":"AAAA","nonce":1.5}', 'REQUEST_INVALID: nonce should be an integer'],
    ['{"hashAlgorithm":"sha256","artifactHash":"AAAA","nonce":"1"}', 'REQUEST_INVALID: nonce should be an integer'],
    [`{"hashAlgorithm":"sha256","artifactHash":"AAAA","nonce":1${'0'.repeat(400)}}`, 'TOO_LARGE: the nonce is'],
    ['{"hashAlgorithm":"sha256","artifactHash":"AAAA","certificates":1}', 'REQUEST_INVALID: request.certificates should be true or false'],
    ['{"hashAlgorithm":"sha256","hashAlgorithm":"sha512","artifactHash":"AAAA"}', 'JSON_INVALID'],
    ['[]', 'REQUEST_INVALID: request should be an object, found an array'],
    ['{"a":[[1]]}', 'JSON_INVALID'],
    ['', 'JSON_INVALID'],
    [
      `{"hashAlgorithm":"sha256","artifactHash":"AAAA","tsaPolicyOID":"1.2${'.1'.repeat(200)}"}`,
      'REQUEST_INVALID: tsaPolicyOID should be an object identifier',
    ],
    [
      '{"hashAlgorithm":"sha256","artifactHash":"AAAA","tsaPolicyOID":"1.2."}',
      'REQUEST_INVALID: tsaPolicyOID should be an object identifier',
    ],
    [`{"hashAlgorithm":"sha256","artifactHash":"${'A'.repeat(1000)}"}`, 'TOO_LARGE: the timestamp message is 1044 bytes long'],
  ])('is refused when it is %.60s', (json, expected) => {
    expect(jsonRefusal(json)).toContain(`DecodingError ${expected}`)
  })

  it('cannot hold a negative nonce', () => {
    const wanted = { imprint: { algorithm: 'sha256', digest }, certReq: false, nonce: timestampNonce(-1n) } as const
    expect(failureOf(() => encodeTimestampJson(wanted))).toBe('DecodingError REQUEST_INVALID: the nonce is negative or empty')
  })
})

describe('a timestamp reply', () => {
  const token = derSequence(derOid('2.999'))

  it('carries a token when it was granted', () => {
    expect(parseTimestampReply(encodeTimestampReply({ status: 'granted', token }))).toEqual({ status: 'granted', token })
  })

  it('carries reasons when it was refused', () => {
    const refused = { status: 'rejected', code: 2, text: 'the clock is not right', failures: [14] } as const
    expect(parseTimestampReply(encodeTimestampReply(refused))).toEqual(refused)
    const bare = { status: 'rejected', code: 2, text: '', failures: [] } as const
    expect(parseTimestampReply(encodeTimestampReply(bare))).toEqual(bare)
  })

  it.each<[string, Uint8Array, string]>([
    [
      'granted without a token',
      derSequence(derSequence(derInteger(0))),
      'TIMESTAMP_INVALID: the timestamp response has status 0 without a token',
    ],
    [
      'refused with a token',
      derSequence(derSequence(derInteger(2)), token),
      'TIMESTAMP_INVALID: the timestamp response has status 2 with a token',
    ],
    [
      'full of texts',
      derSequence(derSequence(derInteger(2), derSequence(...Array.from({ length: 9 }, () => derUtf8String('no'))))),
      'TIMESTAMP_INVALID: statusString has more than 8 texts',
    ],
    ['larger than 128 KiB', new Uint8Array(128 * 1024 + 1), 'TOO_LARGE: the timestamp message is 131073 bytes long'],
  ])('is refused when it is %s', (_, der, expected) => {
    expect(failureOf(() => parseTimestampReply(der))).toContain(expected)
  })

  it.skipIf(!hasOpenssl)('that was refused is read by openssl', () => {
    const openssl = createOpenssl()
    const file = openssl.file('reply', encodeTimestampReply({ status: 'rejected', code: 2, text: 'the clock is off', failures: [14] }))
    const text = openssl.succeed('ts', '-reply', '-in', file, '-text').toString()
    expect(text).toContain('Status: Rejected.')
    expect(text).toContain('the clock is off')
    expect(text).toContain("the TSA's time source is not available")
    openssl.remove()
  })
})
