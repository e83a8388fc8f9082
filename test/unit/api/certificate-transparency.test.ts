import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeSctAnswer,
  encodeSubmission,
  encodeTreeHeadAnswer,
  parseSctAnswer,
  parseSubmission,
} from '../../../src/api/certificate-transparency.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { SignedCertificateTimestamp } from '../../../src/x509/sct.ts'
import { failureOf } from '../encoding/failure.ts'

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength }).map((found) => Uint8Array.from(found))
const scts: fc.Arbitrary<SignedCertificateTimestamp> = fc.record({
  logId: bytes(32, 32),
  timestamp: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  extensions: bytes(0, 40),
  hashAlgorithm: fc.constantFrom('sha256', 'sha384', 'sha512'),
  signatureKind: fc.constantFrom('rsa', 'ecdsa'),
  signature: bytes(0, 300),
})

describe('a submission to a CT log', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(bytes(0, 100), { minLength: 1, maxLength: 10 }), (chain) => {
        expect(parseSubmission(encodeUtf8(encodeSubmission(chain))).map((der) => [...der])).toEqual(chain.map((der) => [...der]))
      }),
    )
  })

  it.each([
    ['{}', 'REQUEST_INVALID: submission.chain is empty'],
    ['{"chain":null}', 'REQUEST_INVALID: submission.chain is empty'],
    ['{"chain":"AAAA"}', 'REQUEST_INVALID: submission.chain should be an array, found the string "AAAA"'],
    ['{"chain":[null]}', 'REQUEST_INVALID: submission.chain[0] should be a string'],
    ['{"chain":["AAAA","A"]}', 'REQUEST_INVALID: submission.chain[1] is not standard base64 with padding, found "A"'],
    [
      JSON.stringify({ chain: Array.from({ length: 11 }, () => '') }),
      'REQUEST_INVALID: submission.chain has 11 elements, more than the limit of 10',
    ],
    ['{"chain":[[[[1]]]]}', 'JSON_INVALID'],
    [' '.repeat(131_073), 'TOO_LARGE: the submission is 131073 bytes long, more than the limit of 131072'],
  ])('is refused when it is %.40s', (json, expected) => {
    expect(failureOf(() => parseSubmission(encodeUtf8(json)))).toContain(`DecodingError ${expected}`)
  })
})

describe("a CT log's answer", () => {
  const answer = { sct_version: 0, id: Buffer.alloc(32).toString('base64'), timestamp: 5, extensions: '', signature: 'BAMAAQE=' }

  it('is read as it was written', () => {
    fc.assert(
      fc.property(scts, (sct) => {
        const read = parseSctAnswer(encodeUtf8(encodeSctAnswer(sct)))
        expect({ ...read, logId: [...read.logId], extensions: [...read.extensions], signature: [...read.signature] }).toEqual({
          ...sct,
          logId: [...sct.logId],
          extensions: [...sct.extensions],
          signature: [...sct.signature],
        })
      }),
    )
  })

  it.each([
    [{}, 'sct.sct_version is missing'],
    [{ ...answer, sct_version: 1 }, 'sct.sct_version should be 0, found 1'],
    [{ ...answer, id: 'AAAA' }, 'sct.id should have 32 bytes, found 3'],
    [{ ...answer, timestamp: -1 }, 'sct.timestamp is negative'],
    [{ ...answer, timestamp: '9223372036854775807' }, 'the time of the SCT is out of range'],
    [{ ...answer, timestamp: 1.5 }, 'sct.timestamp should be a 64-bit integer, found 1.5'],
    [{ ...answer, extensions: 7 }, 'sct.extensions should be a string'],
    [{ ...answer, signature: '' }, 'sct.signature is missing'],
    [{ ...answer, signature: 'BAMAAg==' }, 'the SCT ends early'],
    [{ ...answer, signature: 'BAMAAQEB' }, 'the SCT has 1 bytes after its end'],
    [{ ...answer, signature: 'AQMAAQE=' }, 'the SCT is signed with an unknown algorithm (hash 1, signature 3)'],
  ])('is refused when it is wrong (%#)', (wrong, message) => {
    expect(failureOf(() => parseSctAnswer(encodeUtf8(JSON.stringify(wrong))))).toContain(`DecodingError SCT_INVALID: ${message}`)
  })

  it('holds no size that a JSON number cannot', () => {
    const head = { size: 2n ** 60n, rootHash: new Uint8Array(32), timestamp: 1, signature: new Uint8Array(1) }
    expect(failureOf(() => encodeTreeHeadAnswer(head))).toContain('is too large for a JSON number')
  })
})
