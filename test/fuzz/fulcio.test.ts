/** Requests for certificates, tokens, signing requests and configurations with anything in them bent: refused in the API's own words, or meaning the same. */
import { sign } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  parseSigningCertificate,
  parseSigningCertificateRequest,
  parseSigningCertificateRequestV1,
  signingCertificateEncoder,
} from '../../src/api/fulcio.ts'
import { parsePublicKey } from '../../src/crypto/public-key.ts'
import { derBitString, derImplicit, derInteger, derOid, derSequence } from '../../src/encoding/der-writer.ts'
import { CountersignError } from '../../src/error.ts'
import { compileClaimTemplate } from '../../src/server/ca/claim-template.ts'
import { parseIssuerConfiguration } from '../../src/server/ca/issuer-configuration.ts'
import { encodeName } from '../../src/x509/certificate-writer.ts'
import { parseCertificateRequest } from '../../src/x509/certificate-request.ts'
import type { TestCa } from '../support/certificate-authority.ts'
import { emailIssuers, proofRequest, testCa } from '../support/certificate-authority.ts'
import { namedKey } from '../support/universe/keys.ts'

const email = 'dev@example.com'
let ca: TestCa

beforeAll(async () => {
  ca = await testCa()
})

afterAll(() => ca.close())

/** Does nothing but throw our own errors. */
function isTotal(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
  }
}

const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    with: fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('"', '{', '}', '\\', '\0', '.', '=')),
    cut: fc.nat(3),
  }),
  { minLength: 1, maxLength: 3 },
)

function bend(text: string, changes: readonly { readonly at: number; readonly with: string; readonly cut: number }[]): string {
  return changes.reduce((bent, change) => {
    const at = Math.floor(change.at * bent.length)
    return bent.slice(0, at) + change.with + bent.slice(at + change.cut)
  }, text)
}

test('a bent request gets a certificate for the same address and key, or one of the refusals', async () => {
  const good = JSON.stringify(proofRequest(ca.issuer.token({ email, email_verified: true, sub: 's' }), email))
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const response = await ca.post('/api/v2/signingCert', bend(good, changes))
      const body = new Uint8Array(await response.arrayBuffer())
      if (response.status === 200) {
        const { leaf } = parseSigningCertificate(body)
        expect(leaf.subjectAlternativeNames).toEqual([{ kind: 'email', value: email }])
        expect(Buffer.from(leaf.spki)).toEqual(Buffer.from(namedKey('signer').spki))
      } else {
        expect(response.status).toBe(400)
        expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ code: 3, details: [] })
      }
    }),
    { numRuns: 600 },
  )
})

test('any bytes are a request, or refused with an error of ours', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        isTotal(() => parseSigningCertificateRequest(bytes))
        isTotal(() => parseSigningCertificateRequestV1(bytes))
        isTotal(() => parseSigningCertificate(bytes))
        isTotal(() => parseCertificateRequest(bytes))
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a bent signing request is another request of the same key, or refused', () => {
  const { spki, privateKey } = namedKey('signer')
  const info = derSequence(derInteger(0), encodeName({ commonName: 'x' }), spki, derImplicit(0, new Uint8Array(0), true))
  const good = derSequence(info, derSequence(derOid('1.2.840.10045.4.3.2')), derBitString(sign('sha256', info, privateKey)))
  expect(parseCertificateRequest(good).publicKey).toEqual(parsePublicKey(spki))
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const bent = Uint8Array.from(good)
      bent[at] = value
      isTotal(() => parseCertificateRequest(bent))
      isTotal(() => parseCertificateRequest(bent.subarray(0, at)))
    }),
    { numRuns: 2_000 },
  )
})

test('an answer comes back as it was written', async () => {
  const issued = await ca.certify(ca.issuer.token({ email, email_verified: true }), email)
  const encode = signingCertificateEncoder(issued.chain.map(({ bytes }) => bytes))
  const read = parseSigningCertificate(Buffer.from(encode(issued.leaf.bytes)))
  expect([read.leaf, ...read.chain].map(({ bytes }) => Buffer.from(bytes))).toEqual(
    [issued.leaf, ...issued.chain].map(({ bytes }) => Buffer.from(bytes)),
  )
})

test('any text is a template, or refused when the configuration is read', () => {
  const part = fc.constantFrom('{{', '}}', ' .a ', 'if ', 'eq ', 'else', 'end', '"x"', '(', ')', 'index . "a"', 'text', ' ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      isTotal(() => compileClaimTemplate(parts.join(''), {})({ a: 'x' }))
    }),
    { numRuns: 3_000 },
  )
})

test('a bent configuration is refused with an error of ours', () => {
  fc.assert(
    fc.property(edits, (changes) => {
      isTotal(() =>
        parseIssuerConfiguration(
          bend(`${emailIssuers}meta-issuers:\n  https://*.example.com/*:\n    type: kubernetes\n`, changes),
          'issuers.yaml',
        ),
      )
    }),
    { numRuns: 1_000 },
  )
})
