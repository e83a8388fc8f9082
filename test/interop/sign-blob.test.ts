/**
 * What `sign-blob` writes, verified offline by the real cosign, by sigstore-go and by sigstore-js: keyless and with keys that
 * cosign made, with either Rekor and with none, in the formats of today and of cosign 1 and 2. And a tampered copy of each,
 * refused by all.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'
import type { PrivateSigstore } from '../../src/server/index.ts'
import { createServer } from '../../src/server/index.ts'
import { issue, pemOf } from '../support/universe/certificates.ts'
import { namedKey } from '../support/universe/keys.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import { findPeer, runPeer } from './peer.ts'
import { withLogsOf, writeOldTrust } from './service-files.ts'

const cosign = findPeer('cosign') ?? ''
const sigstoreGo = findPeer('sigstore-go-conformance', 'conformance') ?? ''
const email = 'dev@example.com'
const password = 'a pässword'

let server: PrivateSigstore
let folder = ''

beforeAll(async () => {
  server = await createServer()
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-signed-'))
  write('artifact', 'an artifact')
  write('other', 'another artifact')
  write('root.json', server.trustedRoot)
  write('token', await server.identityToken(email))
  for (const version of [1, 2]) write(`config-v${version}.json`, withLogsOf(server.signingConfig, version))
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.close()
})

const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')

async function sign(...words: readonly string[]): Promise<void> {
  const env = { HOME: folder, COSIGN_PASSWORD: password }
  const { exitCode, stderr } = await runCaptured(['sign-blob', 'artifact', ...words], { cwd: folder, env, now: server.now() })
  expect(exitCode, stderr).toBe(0)
}

/** cosign accepts the artifact, and refuses another one. */
function expectCosignVerifies(words: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const right = runPeer(cosign, ['verify-blob', 'artifact', ...words], folder, env)
  expect(right.stderr, words.join(' ')).toContain('Verified OK\n')
  expect(runPeer(cosign, ['verify-blob', 'other', ...words], folder, env).exitCode).toBe(1)
}

const oldTrust = (): Record<string, string> => writeOldTrust(folder, server.trustedRoot)

/** cosign 3.1.3 takes SHA-256 for every key unless it is told otherwise (sigstore/cosign#5092). */
const digestFor = (kind: string) => (kind === 'ecdsa-p384' ? ['--signature-digest-algorithm', 'sha384'] : [])
const logged = (version: number) => ['--signing-config', `config-v${version}.json`, '--trusted-root', 'root.json']
const identity = () => ['--certificate-identity', email, '--certificate-oidc-issuer', `${server.url}/oidc`]

describe.each([1, 2])('keyless, with Rekor v%i', (version) => {
  const bundle = `keyless-v${version}.json`
  beforeAll(() =>
    sign('--bundle', bundle, '--identity-token', 'token', '--signing-config', `config-v${version}.json`, '--trusted-root', 'root.json'),
  )

  it.skipIf(cosign === '')('is verified by cosign', () => {
    expectCosignVerifies(['--bundle', bundle, '--trusted-root', 'root.json', '--use-signed-timestamps', ...identity()])
  })

  it.skipIf(cosign === '')('is refused by cosign for another identity', () => {
    const words = [
      'verify-blob',
      'artifact',
      '--bundle',
      bundle,
      '--trusted-root',
      'root.json',
      ...identity().map((word) => word.replace('dev@', 'eve@')),
    ]
    expect(runPeer(cosign, words, folder).exitCode).toBe(1)
  })

  it.skipIf(sigstoreGo === '')('is verified by sigstore-go', () => {
    const words = ['verify-bundle', '--bundle', bundle, ...identity(), '--trusted-root', 'root.json']
    expect(runPeer(sigstoreGo, [...words, 'artifact'], folder)).toMatchObject({ exitCode: 0 })
    expect(runPeer(sigstoreGo, [...words, 'other'], folder).exitCode).not.toBe(0)
  })

  it('is verified by sigstore-js', () => {
    const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(server.trustedRoot)))
    const verifier = new Verifier(trust, { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 })
    const entity = (artifact: string) => toSignedEntity(bundleFromJSON(JSON.parse(read(bundle))), Buffer.from(artifact))
    expect(verifier.verify(entity('an artifact'), { subjectAlternativeName: email })).toBeDefined()
    expect(() => verifier.verify(entity('another artifact'))).toThrow()
  })
})

describe.skipIf(cosign === '')('with a key that cosign made', () => {
  const cosignEnv = { COSIGN_PASSWORD: password }
  beforeAll(() => {
    expect(runPeer(cosign, ['generate-key-pair', '--output-key-prefix', 'ecdsa-p256'], folder, cosignEnv)).toMatchObject({ exitCode: 0 })
    for (const kind of ['ecdsa-p384', 'rsa-2048', 'ed25519'] as const) {
      write(`${kind}.pem`, generatePrivateKey(kind).encodePem())
      const words = ['import-key-pair', '--key', `${kind}.pem`, '--output-key-prefix', kind, '--yes']
      expect(runPeer(cosign, words, folder, cosignEnv)).toMatchObject({ exitCode: 0 })
    }
  })

  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'])('%s, recorded nowhere', async (kind) => {
    await sign('--key', `${kind}.key`, '--tlog-upload=false', '--bundle', `${kind}.json`)
    expectCosignVerifies(['--key', `${kind}.pub`, '--bundle', `${kind}.json`, '--insecure-ignore-tlog', ...digestFor(kind)])
  })

  // Not Ed25519: a log takes Ed25519ph only, which neither cosign 3.1.3 nor sigstore-go 1.3 verifies, not even what they have signed.
  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'])('%s, in both Rekors', async (kind) => {
    for (const version of [1, 2]) {
      const bundle = `${kind}-v${version}.json`
      await sign('--key', `${kind}.key`, '--bundle', bundle, ...logged(version))
      expectCosignVerifies(['--key', `${kind}.pub`, '--bundle', bundle, '--trusted-root', 'root.json', ...digestFor(kind)])
    }
  })

  it('as a signature in a file of its own', async () => {
    await sign('--key', 'ecdsa-p256.key', '--tlog-upload=false', '--output-signature', 'a.sig')
    expectCosignVerifies(['--key', 'ecdsa-p256.pub', '--signature', 'a.sig', '--insecure-ignore-tlog'])
  })

  it('as the local bundle of cosign 1 and 2', async () => {
    const words = ['--key', 'ecdsa-p256.key', '--rekor-url', server.url, '--trusted-root', 'root.json', '--yes']
    await sign(...words, '--new-bundle-format=false', '--bundle', 'local.json', '--output-signature', 'local.sig')
    expectCosignVerifies(['--key', 'ecdsa-p256.pub', '--bundle', 'local.json'], oldTrust())
  })
})

describe.skipIf(cosign === '')('keyless, as cosign 1 and 2 wrote it', () => {
  const urls = () => [
    '--fulcio-url',
    server.url,
    '--rekor-url',
    server.url,
    '--identity-token',
    'token',
    '--trusted-root',
    'root.json',
    '--yes',
  ]

  it('signature and certificate in files of their own', async () => {
    await sign(...urls(), '--output-signature', 'k.sig', '--output-certificate', 'k.pem')
    expectCosignVerifies(['--signature', 'k.sig', '--certificate', 'k.pem', '--insecure-ignore-tlog', ...identity()], oldTrust())
  })

  it('the local bundle', async () => {
    await sign(...urls(), '--new-bundle-format=false', '--bundle', 'k.json')
    expectCosignVerifies(['--bundle', 'k.json', ...identity()], oldTrust())
  })
})

describe.skipIf(cosign === '')('with a certificate of an authority of its own', () => {
  const day = 86_400_000
  const validity = { notBefore: Date.now() - day, notAfter: Date.now() + 365 * day }
  const root = issue({ key: namedKey('own root'), name: 'own root', ca: true, ...validity })
  const intermediate = issue({ key: namedKey('own intermediate'), name: 'own intermediate', ca: true, ...validity }, root)
  const leaf = issue({ key: namedKey('own leaf'), name: 'me', subjects: [{ email }], ...validity }, intermediate)

  it('the bundle has its intermediates, and cosign verifies it', async () => {
    write('own.key', namedKey('own leaf').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    write('own.pem', pemOf(leaf.der))
    write('own-chain.pem', pemOf(intermediate.der) + pemOf(root.der))
    const trusted = JSON.parse(server.trustedRoot) as { certificateAuthorities: object[] }
    const start = new Date(validity.notBefore).toISOString()
    const certificates = [intermediate, root].map(({ der }) => ({ rawBytes: Buffer.from(der).toString('base64') }))
    trusted.certificateAuthorities.push({ uri: 'https://ca.example.com', certChain: { certificates }, validFor: { start } })
    write('own-root.json', JSON.stringify(trusted))
    await sign('--key', 'own.key', '--certificate', 'own.pem', '--certificate-chain', 'own-chain.pem', '--bundle', 'own.json', ...logged(1))
    const who = ['--certificate-identity', email, '--certificate-oidc-issuer-regexp', '.*', '--insecure-ignore-sct']
    expectCosignVerifies(['--bundle', 'own.json', '--trusted-root', 'own-root.json', '--allow-certificate-chain', ...who])
  })
})
