import { X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parsePrivateKeyPem } from '../../../../src/crypto/private-key.ts'
import { requestCertificate } from '../../../../src/clients/fulcio.ts'
import { parsePublicKey } from '../../../../src/crypto/public-key.ts'
import { CountersignError, TransportError } from '../../../../src/error.ts'
import { createCertificateAuthority } from '../../../../src/server/ca/certificate-authority.ts'
import { parseIssuerConfiguration } from '../../../../src/server/ca/issuer-configuration.ts'
import { parseCertificate } from '../../../../src/x509/certificate.ts'
import { privateKeyOf } from '../../../support/authority.ts'
import type { SignedEntry } from '../../../../src/server/ca/precertificate-log.ts'
import type { TestCa, TestCaOptions } from '../../../support/certificate-authority.ts'
import { emailIssuers, proofRequest, testCa } from '../../../support/certificate-authority.ts'
import { createOpenssl, hasOpenssl } from '../../../support/openssl.ts'
import { namedKey, signWith } from '../../../support/universe/keys.ts'
import { universeOf } from '../../../support/universe/services.ts'

const email = 'dev@example.com'
const key = namedKey('signer')
const badToken = { code: 3, message: 'There was an error processing the identity token', details: [] }
const v2 = '/api/v2/signingCert'
const v1 = '/api/v1/signingCert'

let ca: TestCa
let token: string

beforeAll(async () => {
  ca = await testCa()
  token = ca.issuer.token({ email, email_verified: true, sub: 'user-1' })
})

beforeEach(() => void ca.refused.splice(0))

afterAll(() => ca.close())

const proof = (text = email): string => Buffer.from(signWith(key, Buffer.from(text))).toString('base64')
const keyRequest = (): object => ({ publicKey: { algorithm: 'ECDSA', content: key.pem }, proofOfPossession: proof() })
const bearer = (): Record<string, string> => ({ authorization: `Bearer ${token}` })

async function certificatesOf(response: Response): Promise<X509Certificate[]> {
  const text = await response.text()
  expect(response.status, text).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  const answer = JSON.parse(text) as { signedCertificateEmbeddedSct: { chain: { certificates: string[] } } }
  expect(Object.keys(answer)).toEqual(['signedCertificateEmbeddedSct'])
  return answer.signedCertificateEmbeddedSct.chain.certificates.map((pem) => new X509Certificate(pem))
}

async function refusalOf(response: Response, status = 400): Promise<{ readonly code: number; readonly message: string }> {
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.status).toBe(status)
  const body = (await response.json()) as { code: number; message: string }
  expect(Object.keys(body)).toEqual(['code', 'message', 'details'])
  return body
}

describe('a request of version 2', () => {
  it('has its token in the body', async () => {
    const [leaf, ...chain] = await certificatesOf(await ca.post(v2, proofRequest(token, email)))
    expect(leaf?.subjectAltName).toBe(`email:${email}`)
    expect(chain).toHaveLength(2)
  })

  it.each(['Bearer', 'bearer', 'BEARER'])('has its token in the header, after %s', async (scheme) => {
    const certificates = await certificatesOf(
      await ca.post(v2, { publicKeyRequest: keyRequest() }, { authorization: `${scheme} ${token}` }),
    )
    expect(certificates).toHaveLength(3)
  })

  it('goes by the token in the body when there are two', async () => {
    await certificatesOf(await ca.post(v2, proofRequest(token, email), { authorization: 'Bearer nonsense' }))
    const empty = { credentials: { oidcIdentityToken: '' }, publicKeyRequest: keyRequest() }
    await certificatesOf(await ca.post(v2, empty, bearer()))
    expect(await refusalOf(await ca.post(v2, proofRequest('nonsense', email), bearer()))).toEqual(badToken)
  })

  it('may be spelled in snake_case, and with fields that nobody knows', async () => {
    const request = {
      credentials: { oidc_identity_token: token, new: 1 },
      public_key_request: { public_key: { content: key.pem, algorithm: 'ED25519' }, proof_of_possession: proof() },
      certificate_signing_request: null,
      somethingNew: { a: [1] },
    }
    expect(await certificatesOf(await ca.post(v2, request))).toHaveLength(3)
  })

  it('may have base64 of the URL alphabet, without padding, in lines', async () => {
    const text = proof()
    for (const spelled of [Buffer.from(text, 'base64').toString('base64url'), `${text.slice(0, 20)}\r\n${text.slice(20)}`]) {
      const request = { publicKeyRequest: { ...keyRequest(), proofOfPossession: spelled } }
      await certificatesOf(await ca.post(v2, request, bearer()))
    }
  })

  it.skipIf(!hasOpenssl)('may have a certificate signing request', async () => {
    const openssl = createOpenssl()
    const file = openssl.file('key.pem', key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    for (const form of ['PEM', 'DER']) {
      const csr = Buffer.from(openssl.succeed('req', '-new', '-key', file, '-subj', '/CN=x', '-outform', form)).toString('base64')
      for (const name of ['certificateSigningRequest', 'certificate_signing_request']) {
        const [leaf] = await certificatesOf(await ca.post(v2, { [name]: csr }, bearer()))
        expect([leaf?.subject, leaf?.subjectAltName]).toEqual([undefined, `email:${email}`])
      }
    }
    const both = { certificateSigningRequest: 'AAAA', publicKeyRequest: keyRequest() }
    expect(await refusalOf(await ca.post(v2, both, bearer()))).toMatchObject({
      code: 3,
      message: expect.stringContaining('both') as string,
    })
    openssl.remove()
  })
})

describe('a request of version 1', () => {
  const request = (): object => ({
    publicKey: { algorithm: 'ecdsa', content: Buffer.from(key.spki).toString('base64') },
    signedEmailAddress: proof(),
  })

  it('is answered 201 with a chain in PEM, and no SCT beside it', async () => {
    const response = await ca.post(v1, request(), bearer())
    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toBe('application/pem-certificate-chain')
    expect(response.headers.get('sct')).toBeNull()
    const blocks = (await response.text()).match(/-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n/g) ?? []
    expect(blocks).toHaveLength(3)
    expect(new X509Certificate(blocks[0] ?? '').subjectAltName).toBe(`email:${email}`)
    expect(new X509Certificate(blocks[2] ?? '').raw).toEqual(Buffer.from(ca.universe.root.der))
  })

  it.skipIf(!hasOpenssl)('may have a certificate signing request', async () => {
    const openssl = createOpenssl()
    const file = openssl.file('key.pem', key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    const csr = Buffer.from(openssl.succeed('req', '-new', '-key', file, '-subj', '/CN=x')).toString('base64')
    expect((await ca.post(v1, { certificateSigningRequest: csr }, bearer())).status).toBe(201)
    openssl.remove()
  })

  it('takes no token from the body', async () => {
    expect(await refusalOf(await ca.post(v1, { ...request(), credentials: { oidcIdentityToken: token } }))).toEqual(badToken)
  })

  it('is refused as one of version 2', async () => {
    expect(await refusalOf(await ca.post(v1, { ...request(), signedEmailAddress: proof('x') }, bearer()))).toMatchObject({
      code: 3,
      message: 'The signature supplied in the request could not be verified',
    })
  })
})

describe('a refusal', () => {
  const refused = async (body: unknown, headers = bearer()) => refusalOf(await ca.post(v2, body, headers))

  it('is of the token, whatever is wrong with it, and says no more', async () => {
    const tokens = [
      '',
      'x',
      '.'.repeat(1_000_000),
      ca.issuer.token({ email }),
      ca.issuer.token({ email, email_verified: false }),
      ca.issuer.token({ email: `${email}, other@example.com`, email_verified: true }),
      ca.issuer.token({ email: 'dév@example.com', email_verified: true }),
      ca.issuer.token({ email, email_verified: true, aud: 'npm' }),
      ca.issuer.token({ email, email_verified: true, exp: 1 }),
      ca.issuer.token({ email, email_verified: true, iss: 'https://evil.test' }),
      `${token.slice(0, -4)}AAAA`,
    ]
    for (const bad of tokens) expect(await refused(proofRequest(bad, email), {})).toEqual(badToken)
    expect(await refused({ publicKeyRequest: keyRequest() }, {})).toEqual(badToken)
    expect(await refused({ publicKeyRequest: keyRequest() }, { authorization: `Basic ${token}` })).toEqual(badToken)
    expect(await refused({ publicKeyRequest: keyRequest() }, { authorization: `Bearer ${token} ${token}` })).toEqual(badToken)
    expect(ca.refused.length).toBe(tokens.length + 3)
    for (const error of ca.refused) expect(JSON.stringify([error, (error as Error).message])).not.toContain(token.slice(-20))
  })

  it('of the token comes before everything about the key', async () => {
    expect(await refused({ publicKeyRequest: {} }, {})).toEqual(badToken)
    expect(await refused({}, {})).toEqual(badToken)
  })

  it.each([
    ['no key', {}],
    ['an empty key request', { publicKeyRequest: {} }],
    ['a key without content', { publicKeyRequest: { publicKey: {}, proofOfPossession: '' } }],
    ['a key that is none', { publicKeyRequest: { publicKey: { content: 'x' }, proofOfPossession: '' } }],
  ])('of %s', async (_, body) => {
    expect(await refused(body)).toMatchObject({ code: 3, message: 'The public key supplied in the request could not be parsed' })
  })

  it.each([
    ['proof', { proofOfPossession: '' }, 'The signature supplied in the request could not be verified'],
    [
      'proof of another text',
      { proofOfPossession: Buffer.from(signWith(key, Buffer.from('x'))).toString('base64') },
      'The signature supplied in the request could not be verified',
    ],
  ])('of a missing or wrong %s', async (_, change, message) => {
    expect(await refused({ publicKeyRequest: { ...keyRequest(), ...change } })).toMatchObject({ code: 3, message })
  })

  it.each(['', Buffer.from('x').toString('base64')])('of the signing request %j', async (certificateSigningRequest) => {
    expect(await refused({ certificateSigningRequest })).toMatchObject({
      code: 3,
      message: 'The certificate signing request could not be parsed',
    })
  })

  it.each([
    ['no JSON', '{'],
    ['no body', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a name twice', '{"credentials":{},"credentials":{}}'],
    ['a name in both spellings', '{"publicKeyRequest":{},"public_key_request":{}}'],
    ['a name in both spellings, inside', '{"publicKeyRequest":{"publicKey":{},"public_key":{}}}'],
    ['deep JSON', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['very deep JSON', '['.repeat(1_000_000)],
    ['many values', `{"a":[${'0,'.repeat(10_000)}0]}`],
    ['a token that is a number', '{"credentials":{"oidcIdentityToken":1}}'],
    ['credentials that are a text', '{"credentials":"x"}'],
    ['base64 that is none', '{"publicKeyRequest":{"publicKey":{"content":"x"},"proofOfPossession":"*"}}'],
    ['both forms', '{"publicKeyRequest":{},"certificateSigningRequest":"AAAA"}'],
    ['4 MiB and more', JSON.stringify({ padding: 'x'.repeat(4 * 1024 * 1024) })],
  ])('of a body that is %s', async (_, body) => {
    expect(await refused(body)).toMatchObject({ code: 3 })
  })

  it('of a large body without a length comes when the limit is reached', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536))
      },
    })
    const init = { method: 'POST', body, duplex: 'half', headers: bearer() } as RequestInit
    expect(await refusalOf(await ca.request(v2, init))).toMatchObject({ code: 3, message: expect.stringContaining('4194304') as string })
    expect(sent).toBeLessThan(5 * 1024 * 1024)
  })
})

describe('while the clock is suspect', () => {
  const suspicion = 'it went back by 10.0 s at once'
  const refusal = { code: 14, message: `no certificates are issued while the clock is suspect: ${suspicion}`, details: [] }

  /** @param good how many times the clock is found to be fine before it is suspect */
  async function suspectCa(good: number, options: TestCaOptions = {}): Promise<TestCa> {
    let asked = 0
    return testCa({ ...options, suspicion: () => (asked++ < good ? undefined : suspicion) })
  }

  it.each([v2, v1])('%s gives no certificate and logs none, says why, and asks to come again', async (path) => {
    const other = await suspectCa(0)
    const request =
      path === v2
        ? proofRequest(token, email)
        : { publicKey: { content: Buffer.from(key.spki).toString('base64') }, signedEmailAddress: proof() }
    const response = await other.post(path, request, bearer())
    expect(response.headers.get('retry-after')).toBe('30')
    expect(await refusalOf(response, 503)).toEqual(refusal)
    expect(other.submitted).toEqual([])
    expect(other.refused).toMatchObject([{ code: 'CLOCK_SUSPECT' }])
    expect(other.service.unreadiness()).toBe(suspicion)
    await other.close()
  })

  it('a token is not judged: it may have expired only by this clock', async () => {
    const other = await suspectCa(0)
    expect(await refusalOf(await other.post(v2, proofRequest('nonsense', email)), 503)).toEqual(refusal)
    await other.close()
  })

  it('nothing is logged when that begins while the issuer is asked for its keys', async () => {
    const other = await suspectCa(1)
    expect(await refusalOf(await other.post(v2, proofRequest(token, email)), 503)).toEqual(refusal)
    expect(other.submitted).toEqual([])
    await other.close()
  })

  it('a certificate that was made as it began does not leave', async () => {
    const other = await suspectCa(2)
    expect(await refusalOf(await other.post(v2, proofRequest(token, email)), 503)).toEqual(refusal)
    expect(other.submitted).toHaveLength(1)
    await other.close()
  })

  it('what is public may be read, and certificates are given again afterwards', async () => {
    let suspect: string | undefined = suspicion
    const other = await testCa({ suspicion: () => suspect })
    for (const path of ['/api/v2/trustBundle', '/api/v2/configuration', '/api/v1/rootCert'])
      expect((await other.request(path)).status).toBe(200)
    suspect = undefined
    await certificatesOf(await other.post(v2, proofRequest(token, email)))
    expect(other.service.unreadiness()).toBeUndefined()
    await other.close()
  })
})

describe('when something is broken behind it', () => {
  const unlogged = { code: 13, message: 'Error entering certificate in CTL', details: [] }
  const broken = { code: 13, message: 'error communicating with CA backend', details: [] }

  async function answerOf(options: TestCaOptions, ahead = 0): Promise<{ readonly body: unknown; readonly refused: unknown[] }> {
    const other = await testCa(options)
    other.advance(ahead)
    const seconds = Math.floor(other.clock() / 1000)
    const late = other.issuer.token({ email, email_verified: true, iat: seconds, exp: seconds + 60 })
    const body = await refusalOf(await other.post(v2, proofRequest(late, email)), 500)
    await other.close()
    return { body, refused: other.refused }
  }

  it.each([
    ['is frozen', new CountersignError('LOG_FROZEN', 'the log takes no certificates')],
    ['is out of reach', new TransportError('NETWORK_FAILED', 'no route')],
    ['breaks', new TypeError('undefined is not a function')],
    ['answers too much', new CountersignError('TOO_LARGE', 'too large')],
  ])('a log that %s gives no certificate, and the administrator hears why', async (_, error) => {
    const { body, refused } = await answerOf({ log: { addPreChain: () => Promise.reject(error) } })
    expect(body).toEqual(unlogged)
    expect(refused).toMatchObject([{ message: `the certificate could not be logged: ${error.message}`, cause: error }])
  })

  it.each(['logId', 'timestamp', 'extensions', 'signature', 'hashAlgorithm', 'signatureKind'] as const)(
    'an SCT with another %s than the log signed is never embedded',
    async (field) => {
      const real = await testCa()
      const changes = {
        logId: new Uint8Array(32),
        timestamp: 1,
        extensions: Uint8Array.of(0),
        signature: new Uint8Array(70),
        hashAlgorithm: 'sha512',
        signatureKind: 'rsa',
      }
      const addPreChain = async (chain: readonly Uint8Array[]) => ({
        ...(await real.ct.service.addPreChain(chain)),
        [field]: changes[field],
      })
      expect((await answerOf({ log: { addPreChain } })).body).toEqual(unlogged)
      await real.close()
    },
  )

  it('an SCT for another certificate is never embedded', async () => {
    const real = await testCa()
    await real.certify(token, email)
    const [first = []] = real.submitted
    expect((await answerOf({ log: { addPreChain: () => real.ct.service.addPreChain(first) } })).body).toEqual(unlogged)
    await real.close()
  })

  describe('a log of this process', () => {
    /** Issues as often as there are answers of the log, and says which of the requests were refused. */
    async function refusals(...answers: ((entry: SignedEntry) => SignedEntry)[]): Promise<boolean[]> {
      const real = await testCa()
      const left = [...answers]
      const addOwnPreChain = async (chain: readonly Uint8Array[]): Promise<SignedEntry> => {
        const entry = await real.ct.service.addOwnPreChain(chain)
        return left.shift()?.(entry) ?? entry
      }
      const other = await testCa({ log: { addOwnPreChain } })
      const isRefused: boolean[] = []
      for (const _ of answers) isRefused.push((await other.post(v2, proofRequest(token, email))).status === 500)
      await other.close()
      await real.close()
      return isRefused
    }
    const honest = (entry: SignedEntry): SignedEntry => entry
    const badSignature = ({ sct, signedBytes }: SignedEntry): SignedEntry => ({
      sct: { ...sct, signature: new Uint8Array(70) },
      signedBytes,
    })

    it('that signs with another key is found out by its first SCT, and by every one until one verifies', async () => {
      expect(await refusals(badSignature, badSignature, honest, honest)).toEqual([true, true, false, false])
    })

    it('that gives the SCT of another certificate or another log is found out each time', async () => {
      let first: SignedEntry | undefined
      const keepsFirst = (entry: SignedEntry): SignedEntry => (first ??= entry)
      const otherLog = ({ sct, signedBytes }: SignedEntry): SignedEntry => ({ sct: { ...sct, logId: new Uint8Array(32) }, signedBytes })
      const otherTime = ({ sct, signedBytes }: SignedEntry): SignedEntry => ({ sct: { ...sct, timestamp: sct.timestamp + 1 }, signedBytes })
      const otherPlace = ({ sct, signedBytes }: SignedEntry): SignedEntry => ({
        sct: { ...sct, extensions: Uint8Array.of(...sct.extensions, 0) },
        signedBytes,
      })
      expect(await refusals(keepsFirst, keepsFirst, otherLog, otherTime, otherPlace, honest)).toEqual([
        false,
        true,
        true,
        true,
        true,
        false,
      ])
    })
  })

  it('a log that does not accept the authority gives no certificate', async () => {
    const strange = universeOf({ name: 'strange', rootKey: 'p256', issuingKey: 'p256' })
    const options = {
      signer: privateKeyOf(strange.intermediate.key).createSigner(),
      chain: strange.chain.map(({ der }) => parseCertificate(der)),
    }
    expect((await answerOf(options)).body).toEqual(unlogged)
  })

  it('a key that cannot sign is said in general words', async () => {
    const signer = { ...privateKeyOf(universeOf({ name: 'ca', rootKey: 'p256', issuingKey: 'p256' }).intermediate.key).createSigner() }
    const failing = {
      ...signer,
      sign: () => {
        throw new Error('the HSM at 10.0.0.1 is gone')
      },
    }
    expect((await answerOf({ signer: failing })).body).toEqual(broken)
  })

  it("no certificate outlives the authority's own", async () => {
    const { body, refused } = await answerOf({}, 9 * 365 * 86_400_000 - 599_000)
    expect(body).toEqual(broken)
    expect(refused).toMatchObject([{ code: 'CERTIFICATE_EXPIRED' }])
  })
})

describe('an authority', () => {
  it.each([
    ['without a chain', () => []],
    ['with the certificate of another key', () => [parseCertificate(ca.universe.root.der)]],
    ['with a certificate that may not issue', () => [parseCertificate(ca.universe.timestampLeaf.der)], 'timestamp'],
  ])('%s is refused from the start', (_, chain, signer?: string) => {
    const { intermediate, timestampLeaf } = ca.universe
    expect(() =>
      createCertificateAuthority({
        signer: privateKeyOf(signer === undefined ? intermediate.key : timestampLeaf.key).createSigner(),
        chain: chain(),
        log: { addPreChain: () => Promise.reject(new Error('never')) },
        logKey: parsePublicKey(ca.universe.ctLog.spki),
        issuers: parseIssuerConfiguration('', 'issuers.yaml'),
        localKeys: new Map(),
        clock: () => 0,
        suspicion: () => undefined,
        send: ca.web.send,
      }),
    ).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }) as Error)
  })

  it('takes another configuration of issuers at once', async () => {
    const other = await testCa()
    other.service.useIssuers(parseIssuerConfiguration('', 'issuers.yaml'))
    expect(await refusalOf(await other.post(v2, proofRequest(token, email)))).toEqual(badToken)
    expect(await (await other.request('/api/v2/configuration')).json()).toEqual({ issuers: [] })
    other.service.useIssuers(parseIssuerConfiguration(emailIssuers, 'issuers.yaml'))
    await certificatesOf(await other.post(v2, proofRequest(token, email)))
    other.service.useIssuers(parseIssuerConfiguration(emailIssuers.replace('client-id: sigstore', 'client-id: other'), 'issuers.yaml'))
    expect(await refusalOf(await other.post(v2, proofRequest(token, email)))).toEqual(badToken)
    await other.close()
  })

  it('gives certificates to the end when its configuration changes in the middle of a request', async () => {
    const other = await testCa()
    const answer = other.post(v2, proofRequest(token, email))
    other.service.useIssuers(parseIssuerConfiguration(emailIssuers.replace('type: email', 'type: chainguard-identity'), 'issuers.yaml'))
    const [leaf] = await certificatesOf(await answer)
    expect(leaf?.subjectAltName).toMatch(/^(email:dev@example\.com|URI:https:\/\/accounts\.universe\.test\/user-1)$/)
    await other.close()
  })
})

describe('what anybody may read', () => {
  it('is the trust bundle', async () => {
    const response = await ca.request('/api/v2/trustBundle')
    const { chains } = (await response.json()) as { chains: { certificates: string[] }[] }
    expect(chains).toHaveLength(1)
    expect(chains[0]?.certificates.map((pem) => new X509Certificate(pem).raw)).toEqual(ca.universe.chain.map(({ der }) => Buffer.from(der)))
  })

  it('is the chains of before too, after the one in use', async () => {
    const before = universeOf({ name: 'before', rootKey: 'p256', issuingKey: 'p256' }).chain
    const other = await testCa({ earlierChains: [before.map(({ der }) => parseCertificate(der))] })
    const { chains } = (await (await other.request('/api/v2/trustBundle')).json()) as { chains: { certificates: string[] }[] }
    expect(chains.map(({ certificates }) => certificates.map((pem) => new X509Certificate(pem).raw))).toEqual(
      [other.universe.chain, before].map((chain) => chain.map(({ der }) => Buffer.from(der))),
    )
    expect((await (await other.request('/api/v1/rootCert')).text()).match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    await other.close()
  })

  it('is the chain in PEM', async () => {
    const response = await ca.request('/api/v1/rootCert')
    expect(response.headers.get('content-type')).toBe('application/pem-certificate-chain')
    expect((await response.text()).match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  })

  it('is the configuration', async () => {
    const yaml = [
      'oidc-issuers:',
      '  https://a.test: {type: email, client-id: us, skip-email-verification: true}',
      '  https://b.test: {type: spiffe, spiffe-trust-domain: td.test}',
      '  https://c.test: {type: uri, subject-domain: "https://c.test"}',
      'meta-issuers:',
      '  https://*.ci.test: {type: github-workflow}',
    ].join('\n')
    const other = await testCa({ issuers: yaml })
    const common = { audience: 'sigstore', challengeClaim: 'sub', spiffeTrustDomain: '', subjectDomain: '', skipEmailVerification: false }
    expect(await (await other.request('/api/v2/configuration')).json()).toEqual({
      issuers: [
        {
          ...common,
          issuerUrl: 'https://a.test',
          audience: 'us',
          challengeClaim: 'email',
          issuerType: 'email',
          skipEmailVerification: true,
        },
        { ...common, issuerUrl: 'https://b.test', spiffeTrustDomain: 'td.test', issuerType: 'spiffe' },
        { ...common, issuerUrl: 'https://c.test', subjectDomain: 'https://c.test', issuerType: 'uri' },
        { ...common, wildcardIssuerUrl: 'https://*.ci.test', issuerType: 'github-workflow' },
      ],
    })
    await other.close()
  })

  it('may be read by pages of any origin, and no other service of the origin is concerned', async () => {
    for (const path of ['/api/v2/trustBundle', '/api/v2/configuration', '/api/v1/rootCert']) {
      const response = await ca.request(path, { headers: { origin: 'https://page.test' } })
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
    }
    const preflight = await ca.request(v2, {
      method: 'OPTIONS',
      headers: { origin: 'https://page.test', 'access-control-request-method': 'POST' },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    const origin = new Hono().route('/', ca.service.routes).get('/api/v2/log/entries', (c) => c.text('rekor'))
    expect((await origin.request('/api/v2/log/entries')).headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('over a real port', () => {
  let url: string
  let server: ReturnType<typeof serve>

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server = serve({ fetch: ca.service.routes.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve())
    })
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterAll(() => void server.close())

  it('our own client gets a certificate', async () => {
    const publicKey = parsePublicKey(key.spki)
    const { leaf, chain } = await requestCertificate(url, { token, publicKey, proofOfPossession: Buffer.from(proof(), 'base64') })
    expect(leaf.subjectAlternativeNames).toEqual([{ kind: 'email', value: email }])
    expect(chain).toHaveLength(2)
  })

  it("our own client says what was refused, in the authority's words", async () => {
    const publicKey = parsePrivateKeyPem(key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()).publicKey
    const request = { token, publicKey, proofOfPossession: new Uint8Array(64) }
    await expect(requestCertificate(url, request)).rejects.toThrow('The signature supplied in the request could not be verified')
  })

  it("sigstore-js's signer gets a certificate with our SCT", async () => {
    const { FulcioSigner } = await import('@sigstore/sign')
    const signer = new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: () => Promise.resolve(token) } })
    const { key: material } = await signer.sign(Buffer.from('artifact'))
    if (material.$case !== 'x509Certificate') throw new Error('it has no certificate')
    const leaf = new X509Certificate(material.certificate)
    expect(leaf.subjectAltName).toBe(`email:${email}`)
    expect(leaf.verify(new X509Certificate(ca.universe.intermediate.der).publicKey)).toBe(true)
  })

  it('sigstore-js reports a token that is refused', async () => {
    const { FulcioSigner } = await import('@sigstore/sign')
    const bad = ca.issuer.token({ email, email_verified: true, aud: 'npm' })
    const signer = new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: () => Promise.resolve(bad) }, retry: 0 })
    await expect(signer.sign(Buffer.from('artifact'))).rejects.toMatchObject({ code: 'CA_CREATE_SIGNING_CERTIFICATE_ERROR' })
  })
})
