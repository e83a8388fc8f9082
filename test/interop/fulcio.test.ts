/**
 * The real fulcio beside our certificate authority: the same issuers, tokens and keys go to both. What one certifies the other does,
 * with the same names and extensions to the byte, and what one refuses the other refuses in the same words, unless a test
 * says why not.
 */
import { serve } from '@hono/node-server'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { request } from '../../src/http/fetch.ts'
import { ciProviders } from '../../src/server/ca/ci-providers.ts'
import { parseCertificatePem } from '../../src/x509/certificate.ts'
import * as oid from '../../src/x509/object-identifiers.ts'
import type { TestCa } from '../support/certificate-authority.ts'
import { proofRequest, testCa } from '../support/certificate-authority.ts'
import type { Claims, TestIssuer } from '../support/foreign-issuer.ts'
import { signToken, testIssuer } from '../support/foreign-issuer.ts'
import { hasOpenssl } from '../support/openssl.ts'
import type { TestKey } from '../support/universe/keys.ts'
import { namedKey, signWith } from '../support/universe/keys.ts'
import { universeOf } from '../support/universe/services.ts'
import type { Case } from './fulcio-cases.ts'
import { certifiedAlike, github, person, refusedAlike, refusedOtherwise, stricter } from './fulcio-cases.ts'
import { makeSigningRequest, startFulcio } from './fulcio-process.ts'
import { findPeer } from './peer.ts'

const fulcio = findPeer('fulcio') ?? ''
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-fulcio-'))
const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]

let origin = ''
let theirs = ''
let ours: TestCa

beforeAll(async () => {
  if (fulcio === '' || !hasOpenssl) return
  origin = await serveIssuers()
  const issuers = configuration()
  ours = await testCa({
    universe: universeOf({ name: 'fulcio interop', time: Date.now(), rootKey: 'p256', issuingKey: 'p256' }),
    issuers,
    send: request,
  })
  closing.push(() => ours.close())
  const process = await startFulcio(fulcio, folder, issuers)
  closing.push(() => process.stop())
  theirs = process.url
})

afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

interface Answer {
  readonly status: number
  /** Of a certificate. */
  readonly certified?: {
    readonly subject: string
    readonly lifetimeMs: number
    readonly spki: string
    readonly extensions: readonly string[]
  }
  /** Of a refusal. */
  readonly refused?: { readonly code: number; readonly message: string; readonly details: readonly unknown[] }
}

/** Those of one certificate that cannot be the same in another. */
const ownExtensions: ReadonlySet<string> = new Set([oid.subjectKeyIdentifier, oid.authorityKeyIdentifier])

function summarise(status: number, body: string, isPem: boolean): Answer {
  if (status !== 200 && status !== 201) return { status, refused: JSON.parse(body) as NonNullable<Answer['refused']> }
  const pem = isPem ? body : certificatesOf(body).join('\n')
  const [leaf] = parseCertificatePem(pem, 'the answer')
  if (leaf === undefined) throw new Error('there is no certificate')
  const extensions = leaf.extensions
    // Fulcio was given no log.
    .filter((extension) => extension.oid !== oid.embeddedScts)
    .map(
      ({ oid: id, critical, value }) =>
        `${id}${critical ? ' critical' : ''} ${ownExtensions.has(id) ? '' : Buffer.from(value).toString('hex')}`,
    )
  const spki = Buffer.from(leaf.spki).toString('hex')
  return {
    status,
    certified: { subject: Buffer.from(leaf.subject).toString('hex'), lifetimeMs: leaf.notAfter - leaf.notBefore, spki, extensions },
  }
}

function certificatesOf(body: string): readonly string[] {
  type Chain = { readonly chain: { readonly certificates: readonly string[] } }
  const answer = JSON.parse(body) as { readonly signedCertificateEmbeddedSct?: Chain; readonly signedCertificateDetachedSct?: Chain }
  return (answer.signedCertificateEmbeddedSct ?? answer.signedCertificateDetachedSct)?.chain.certificates ?? []
}

async function both(
  body: unknown,
  where = '/api/v2/signingCert',
  headers: Readonly<Record<string, string>> = {},
): Promise<{ ours: Answer; theirs: Answer }> {
  const init = {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  }
  const [a, b] = [await ours.request(where, init), await fetch(`${theirs}${where}`, init)]
  const isPem = where === '/api/v1/signingCert'
  return { ours: summarise(a.status, await a.text(), isPem), theirs: summarise(b.status, await b.text(), isPem) }
}

const issuerAt = (place: string): TestIssuer => testIssuer(`${origin}/${place}`, Date.now(), namedKey('fulcio interop issuer'))

function subjectOf({ sub }: Claims): string {
  return typeof sub === 'string' ? sub : ''
}

/** Asks both for a certificate with a token of the issuer at this path. */
function certify(place: string, claims: Claims, challenge = subjectOf(claims), key: TestKey = namedKey('signer')) {
  return both(proofRequest(issuerAt(place).token(claims), challenge, key))
}

describe.skipIf(fulcio === '' || !hasOpenssl)('our certificate authority beside fulcio', () => {
  const named = ([name, place, claims, challenge]: Case) => ({ name, place, claims, challenge })

  test.each(certifiedAlike.map(named))('both certify $name in the same way', async ({ place, claims, challenge }) => {
    const answers = await certify(place, claims, challenge)
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.status).toBe(200)
  })

  test.each(refusedAlike.map(named))('both refuse $name in the same words', async ({ place, claims, challenge }) => {
    const answers = await certify(place, claims, challenge)
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.status).toBe(400)
  })

  test.each(refusedOtherwise.map(named))('both refuse $name, fulcio in words of its own', async ({ place, claims }) => {
    const answers = await certify(place, claims)
    expect(answers.theirs.status).toBe(400)
    expect(answers.ours.refused).toEqual({ code: 3, message: 'There was an error processing the identity token', details: [] })
  })

  test.each(stricter)('only fulcio certifies %s: %s', async (_, __, place, claims) => {
    const answers = await certify(place, claims)
    expect(answers.theirs.status).toBe(200)
    expect(answers.ours.refused?.message).toBe('There was an error processing the identity token')
  })

  test('only we take a proof over the address of a token that is for a subject, as clients make it', async () => {
    const answers = await certify('github', { ...github, email: 'ada@example.com' }, 'ada@example.com')
    expect(answers.theirs.refused?.message).toBe('The signature supplied in the request could not be verified')
    expect(answers.ours.status).toBe(200)
  })

  test.each(['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const)('both certify a key of the kind %s', async (kind) => {
    const answers = await certify('email', person, 'ada@example.com', namedKey('signer', kind))
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.status).toBe(200)
  })

  test.each([
    ['no PEM', 'not a key'],
    ['nothing', ''],
    ['a private key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    [
      'an RSA key of 1024 bits',
      generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ],
    [
      'an RSA key with the exponent 3',
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ],
    ['a key on P-224', generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ])('both refuse %s as a key in the same words', async (_, content) => {
    const publicKeyRequest = { publicKey: { algorithm: 'ECDSA', content }, proofOfPossession: 'AAAA' }
    const answers = await both({ credentials: { oidcIdentityToken: issuerAt('email').token(person) }, publicKeyRequest })
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.status).toBe(400)
  })

  test.each([
    ['good', true],
    ['signed by another key', false],
  ])('both take or refuse a signing request that is %s', async (_, isGood) => {
    const certificateSigningRequest = Buffer.from(makeSigningRequest(folder, isGood)).toString('base64')
    const authorization = `Bearer ${issuerAt('email').token(person)}`
    const answers = await both({ certificateSigningRequest }, undefined, { authorization })
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.status).toBe(isGood ? 200 : 400)
    const legacy = await both({ certificateSigningRequest }, '/api/v1/signingCert', { authorization })
    expect(legacy.ours).toEqual(legacy.theirs)
    expect(legacy.ours.status).toBe(isGood ? 201 : 400)
  })

  test('both take the request of version 1', async () => {
    const key = namedKey('signer')
    const signedEmailAddress = Buffer.from(signWith(key, Buffer.from('ada@example.com'))).toString('base64')
    const body = { publicKey: { algorithm: 'ecdsa', content: Buffer.from(key.spki).toString('base64') }, signedEmailAddress }
    const answers = await both(body, '/api/v1/signingCert', { authorization: `Bearer ${issuerAt('email').token(person)}` })
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.status).toBe(201)
  })

  test('both take snake_case, unknown fields and base64url', async () => {
    const key = namedKey('signer')
    const proof = Buffer.from(signWith(key, Buffer.from('ada@example.com'))).toString('base64url')
    const answers = await both({
      credentials: { oidc_identity_token: issuerAt('email').token(person) },
      public_key_request: { public_key: { content: key.pem }, proof_of_possession: proof, other: 1 },
    })
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.status).toBe(200)
  })

  test.each<readonly [string, (token: string) => string]>([
    ['no token', () => ''],
    ['a token of one part', () => 'x'],
    ['a token of many dots', () => '.'.repeat(10_000)],
    ['a token with a fourth part', (token) => `${token}.x`],
    [
      'a token whose signature is of another key',
      () => signToken({ alg: 'ES256' }, { ...person, iss: issuerAt('email').url, aud: 'sigstore', exp: 4e9 }, namedKey('eve')),
    ],
    ['a token without a signature', (token) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1] ?? ''}.`],
  ])('both refuse %s in the same words', async (_, bend) => {
    const answers = await both(proofRequest(bend(issuerAt('email').token(person)), 'ada@example.com'))
    expect(answers.ours).toEqual(answers.theirs)
    expect(answers.ours.refused?.message).toBe('There was an error processing the identity token')
  })

  test('both describe the same issuers', async () => {
    const of = (text: string): unknown[] => {
      const { issuers } = JSON.parse(text) as { readonly issuers: readonly { readonly issuerUrl?: string }[] }
      return issuers.toSorted((a, b) => (a.issuerUrl ?? '').localeCompare(b.issuerUrl ?? ''))
    }
    const described = await (await ours.request('/api/v2/configuration')).text()
    expect(of(described)).toEqual(of(await (await fetch(`${theirs}/api/v2/configuration`)).text()))
  })
})

/** One issuer at each path. */
async function serveIssuers(): Promise<string> {
  return new Promise((resolve) => {
    const answer = ({ url }: Request): Response => {
      if (url.endsWith('/keys')) return Response.json(issuerAt(new URL(url).pathname.slice(1, -'/keys'.length)).keys)
      const issuer = url.replace('/.well-known/openid-configuration', '')
      return Response.json({ issuer, jwks_uri: `${issuer}/keys`, id_token_signing_alg_values_supported: ['ES256'] })
    }
    const server = serve({ fetch: answer, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) => resolve(`http://127.0.0.1:${port}`))
    closing.push(() => server.close())
  })
}

/** For both: YAML with Fulcio's keys, our templates included. */
function configuration(): string {
  const issuer = (place: string, settings: object): [string, object] => [
    `${origin}/${place}`,
    { 'issuer-url': `${origin}/${place}`, 'client-id': 'sigstore', ...settings },
  ]
  const ci = (place: string, provider: string): [string, object] => issuer(place, { type: 'ci-provider', 'ci-provider': provider })
  return stringify({
    'oidc-issuers': Object.fromEntries([
      issuer('email', { type: 'email' }),
      issuer('unverified', { type: 'email', 'skip-email-verification': true }),
      issuer('federated', { type: 'email', 'issuer-claim': '$.federated_claims.connector_id' }),
      issuer('uri', { type: 'uri', 'subject-domain': 'http://127.0.0.1' }),
      issuer('username', { type: 'username', 'subject-domain': '127.0.0.1' }),
      issuer('spiffe', { type: 'spiffe', 'spiffe-trust-domain': 'universe.test' }),
      issuer('kubernetes', { type: 'kubernetes' }),
      issuer('chainguard', { type: 'chainguard-identity' }),
      ci('github', 'github-workflow'),
      ci('gitlab', 'gitlab-pipeline'),
      ci('buildkite', 'buildkite-job'),
      ci('codefresh', 'codefresh-workflow'),
      ci('circleci', 'circleci-job'),
      ci('buddy', 'buddy-pipeline'),
    ]),
    'meta-issuers': { [`${origin}/family/*`]: { 'client-id': 'sigstore', type: 'ci-provider', 'ci-provider': 'github-workflow' } },
    'ci-issuer-metadata': Object.fromEntries(
      Object.entries(ciProviders).map(([name, { defaults, extensions, subjectAlternativeName }]) => [
        name,
        {
          'default-template-values': defaults,
          'extension-templates': extensions,
          'subject-alternative-name-template': subjectAlternativeName,
        },
      ]),
    ),
  })
}
