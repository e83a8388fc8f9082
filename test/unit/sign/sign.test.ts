/** Signing as a library, against a whole private Sigstore in this process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSigningSession, createVerifier, generateSigner, loadTrustMaterial, sign } from '../../../src/index.ts'
import type { SignOptions } from '../../../src/index.ts'
import type { PrivateSigstore } from '../../../src/server/index.ts'
import { createServer } from '../../../src/server/index.ts'

const email = 'dev@example.com'
const artifact = new TextEncoder().encode('an artifact')

let server: PrivateSigstore
beforeAll(async () => {
  server = await createServer()
})
afterAll(() => server.close())

const options = async (more: SignOptions = {}): Promise<SignOptions> => ({
  signingConfig: server.signingConfig,
  trustedRoot: server.trustedRoot,
  identityToken: await server.identityToken(email),
  env: {},
  ...more,
})

const verifier = () =>
  createVerifier({
    trust: loadTrustMaterial(server.trustedRoot),
    identities: [{ subjectAlternativeName: email, issuer: `${server.url}/oidc` }],
  })

it('gives a bundle, and the evidence of its verification', async () => {
  const { bundle, evidence } = await sign(artifact, await options())
  expect(evidence).toMatchObject({
    signer: { kind: 'certificate', identity: { value: email } },
    logEntries: [{ kind: 'hashedrekord', version: '0.0.2' }],
  })
  expect(verifier().verify(bundle, artifact).logEntries).toHaveLength(1)
})

it('is refused with several trusted roots: a signature is made with the services of one', async () => {
  const one = JSON.stringify(
    JSON.parse(typeof server.trustedRoot === 'string' ? server.trustedRoot : new TextDecoder().decode(server.trustedRoot)),
  )
  await expect(sign(artifact, await options({ trustedRoot: `${one}\n${one}\n` }))).rejects.toThrow(
    'the trusted root has 2 roots, one a line, and a signature is made with the services of one: give one with that line alone',
  )
})

it('takes a stream', async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    // The same memory again and again, as file streams may do.
    const piece = new Uint8Array(4)
    for (const [at, byte] of artifact.entries()) {
      piece[0] = byte
      yield piece.subarray(0, 1)
      if (at === 3) await Promise.resolve()
    }
  }
  const { bundle } = await sign(pieces(), await options())
  expect(() => verifier().verify(bundle, artifact)).not.toThrow()
})

it('fails with the failure of the stream, and logs nothing then', async () => {
  const before = await fetch(`${server.url}/api/v2/checkpoint`).then((answer) => answer.text())
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield artifact
    await Promise.resolve()
    throw new Error('the disk is gone')
  }
  await expect(sign(broken(), await options())).rejects.toThrow('the disk is gone')
  expect(await fetch(`${server.url}/api/v2/checkpoint`).then((answer) => answer.text())).toBe(before)
})

it('signs statements', async () => {
  const session = await createSigningSession(await options())
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'app', digest: { sha256: '0'.repeat(64) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {},
  }
  const { entity } = await session.signStatement(Buffer.from(JSON.stringify(statement)))
  expect(entity.content).toMatchObject({ kind: 'dsse-envelope', payloadType: 'application/vnd.in-toto+json' })
  await expect(session.signStatement(Buffer.from('{}'))).rejects.toMatchObject({ code: 'STATEMENT_INVALID' })
})

describe('a session', () => {
  it('signs many artifacts with one token, and gets a new certificate when the old one is about to end', async () => {
    let asked = 0
    let ahead = 0
    const session = await createSigningSession(
      await options({
        identityToken: () => {
          asked++
          return server.identityToken(email)
        },
        now: () => Date.now() + ahead,
      }),
    )
    await Promise.all([session.sign(artifact), session.sign(artifact), session.sign(artifact)])
    expect(asked).toBe(1)
    server.advance(9.5 * 60_000)
    ahead = 9.5 * 60_000
    await session.sign(artifact)
    expect(asked).toBe(2)
  })

  it('asks again after a failure', async () => {
    const tokens = ['nonsense', await server.identityToken(email)]
    const session = await createSigningSession(
      await options({ identityToken: () => Promise.resolve(tokens.shift() ?? ''), now: () => server.now() }),
    )
    await expect(session.sign(artifact)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    await expect(session.sign(artifact)).resolves.toBeDefined()
  })
})

describe('with a key', () => {
  it('and no witnesses, nobody is asked', async () => {
    const signer = generateSigner('ecdsa-p256')
    const { entity } = await sign(artifact, { signer, witnesses: 'none', env: {} })
    expect(entity).toMatchObject({ keyMaterial: { kind: 'public-key' }, logEntries: [], timestamps: [] })
  })

  it('and witnesses, it is logged and timestamped', async () => {
    const { entity } = await sign(artifact, await options({ signer: generateSigner('ecdsa-p384') }))
    expect(entity.logEntries).toHaveLength(1)
    expect(entity.timestamps).toHaveLength(1)
  })

  it('a signer that is three lines of its own is enough', async () => {
    const inner = generateSigner('ecdsa-p256')
    const signer = { publicKey: inner.publicKey, algorithm: inner.algorithm, sign: (data: Uint8Array) => inner.sign(data) }
    await expect(sign(artifact, { signer, witnesses: 'none', env: {} })).resolves.toBeDefined()
  })

  it('a signer that signs wrongly is found out before anybody gets its signature', async () => {
    const signer = { ...generateSigner('ecdsa-p256'), sign: (data: Uint8Array) => generateSigner('ecdsa-p256').sign(data) }
    await expect(sign(artifact, { signer, witnesses: 'none', env: {} })).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
  })
})

it('without a token says what is missing, and starts no sign-in', async () => {
  const { identityToken: _, ...rest } = await options()
  await expect(sign(artifact, rest)).rejects.toMatchObject({
    code: 'SIGN_IN_FAILED',
    message: expect.stringContaining('give one as identityToken, or a key as signer'),
  })
  await expect(sign(artifact, { ...rest, env: { GITHUB_ACTIONS: 'true' } })).rejects.toMatchObject({
    message: expect.stringContaining('id-token: write'),
  })
})

it('finds services and trust through TUF', async () => {
  const cacheDirectory = mkdtempSync(path.join(tmpdir(), 'countersign-tuf-'))
  try {
    const { signingConfig: _, trustedRoot: __, ...rest } = await options()
    const tuf = { mirror: server.tuf?.url ?? '', initialRoot: server.tuf?.root ?? new Uint8Array(0), cacheDirectory }
    const { bundle } = await sign(artifact, { ...rest, tuf, identityToken: await server.identityToken(email), now: () => server.now() })
    expect(() => verifier().verify(bundle, artifact)).not.toThrow()
  } finally {
    rmSync(cacheDirectory, { recursive: true, force: true })
  }
})
