/** Attestations as a library, against a whole private Sigstore in this process. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { attest, createSigningSession, createStatement, createVerifier, generateSigner, loadTrustMaterial } from '../../../src/index.ts'
import type { SignOptions } from '../../../src/index.ts'
import type { PrivateSigstore } from '../../../src/server/index.ts'
import { createServer } from '../../../src/server/index.ts'
import { slsaProvenance1 } from '../../support/predicates.ts'

const email = 'dev@example.com'
const artifact = new TextEncoder().encode('an artifact')
const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', artifact))

let server: PrivateSigstore
beforeAll(async () => {
  server = await createServer()
})
afterAll(() => server.close())

const options = async (): Promise<SignOptions> => ({
  signingConfig: server.signingConfig,
  trustedRoot: server.trustedRoot,
  identityToken: await server.identityToken(email),
  env: {},
})

const verifier = () =>
  createVerifier({
    trust: loadTrustMaterial(server.trustedRoot),
    identities: [{ subjectAlternativeName: email, issuer: `${server.url}/oidc` }],
  })

const statement = () =>
  createStatement({ subjects: [{ name: 'app', digests: { sha256 } }], predicateType: 'slsaprovenance1', predicate: slsaProvenance1 })

it('signs a statement that was made, and gives the evidence of its verification', async () => {
  const { bundle, evidence } = await attest(statement(), await options())
  expect(evidence.statement).toMatchObject({ predicateType: 'https://slsa.dev/provenance/v1', subjects: [{ name: 'app' }] })
  expect(verifier().verify(bundle, artifact).statement?.predicate).toEqual(JSON.parse(slsaProvenance1))
  expect(() => verifier().verify(bundle, new Uint8Array(3))).toThrow('does not match any digest in statement')
})

it('signs a statement as text byte for byte, and an object as its JSON', async () => {
  const withKey = { signer: generateSigner('ecdsa-p256'), witnesses: 'none' } as const
  const text = ` ${Buffer.from(statement()).toString()} `
  const payloadOf = async (given: Parameters<typeof attest>[0]): Promise<string> => {
    const { entity } = await attest(given, withKey)
    return entity.content.kind === 'dsse-envelope' ? Buffer.from(entity.content.payload).toString() : ''
  }
  expect(await payloadOf(text)).toBe(text)
  const object = { ...(JSON.parse(text) as object), predicate: { size: 2n ** 70n } }
  expect(await payloadOf(object)).toContain('"predicate":{"size":1180591620717411303424}')
})

it('signs many statements with one session', async () => {
  const session = await createSigningSession(await options())
  const bundles = await Promise.all([
    session.signStatement(statement()),
    session.signStatement(JSON.parse(Buffer.from(statement()).toString()) as object),
  ])
  for (const { bundle } of bundles) expect(verifier().verify(bundle, artifact).logEntries).toHaveLength(1)
})

it.each([
  ['{}', 'STATEMENT_INVALID'],
  ['nonsense', 'JSON_INVALID'],
  [new Uint8Array(0), 'JSON_INVALID'],
  [{ _type: 'https://in-toto.io/Statement/v1', subject: [] }, 'STATEMENT_INVALID'],
])('signs nothing that is no statement (%#)', async (given, code) => {
  await expect(attest(given, { signer: generateSigner('ecdsa-p256'), witnesses: 'none' })).rejects.toMatchObject({ code })
})

it('makes no statement of a predicate that is wrong', () => {
  const parts = { subjects: [{ name: 'app', digests: { sha256 } }], predicateType: 'slsaprovenance1' }
  expect(() => createStatement({ ...parts, predicate: { buildDefinition: { buildType: 5 } } })).toThrow(
    'predicate.buildDefinition.buildType should be a string, found 5',
  )
})

it('states the time of a custom predicate', () => {
  const made = createStatement({ subjects: [{ name: 'app', digests: { sha256 } }], predicateType: 'custom', predicate: 'tested' })
  const { predicate } = JSON.parse(Buffer.from(made).toString()) as { readonly predicate: { readonly Timestamp: string } }
  expect(predicate.Timestamp).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
})
