/** Files of the real cosign verified here, and bundles of the universe verified by the real cosign, with tampered ones refused by both. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SigningOptions } from '../support/universe/universe.ts'
import {
  identity,
  issuer,
  legacyBundle,
  namedKey,
  predicateType,
  signBlob,
  signStatement,
  universeOf,
} from '../support/universe/universe.ts'
import type { Outcome } from '../unit/cli/captured-context.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import { findPeer } from './peers.ts'

const cosign = findPeer('cosign')
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-cosign-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function put(name: string, contents: string | Uint8Array): string {
  writeFileSync(path.join(folder, name), contents)
  return name
}

function theirs(...words: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  const env = { HOME: folder, COSIGN_PASSWORD: 'pässwörd', PATH: '' }
  const { status, stderr } = spawnSync(cosign ?? '', words, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 })
  return { status, stderr }
}

const ours = (...words: readonly string[]): Promise<Outcome> => runCaptured(words, { cwd: folder })
const offline = ['--tlog-upload=false', '--use-signing-config=false', '--yes']
const legacy = '--new-bundle-format=false'
const ignoring = '--insecure-ignore-tlog'

/** Both give the same verdict on the same command line. */
async function agree(verified: boolean, ...words: readonly string[]): Promise<void> {
  const their = theirs(...words)
  const our = await ours(...words)
  expect({ cosign: their.status, stderr: their.stderr }).toMatchObject({ cosign: verified ? 0 : 1 })
  expect({ ours: our.exitCode, stderr: our.stderr }).toMatchObject({ ours: verified ? 0 : 1 })
  if (verified) expect(our.stderr).toContain('Verified OK\n')
}

describe.skipIf(cosign === undefined)('what the real cosign signs', () => {
  beforeAll(() => {
    put('file', 'a file\n')
    put('tampered', 'a fils\n')
    put('predicate', '{"a":1}')
    expect(theirs('generate-key-pair').status).toBe(0)
    expect(theirs('sign-blob', 'file', '--key', 'cosign.key', '--bundle', 'new.json', ...offline).status).toBe(0)
    expect(
      theirs('sign-blob', 'file', '--key', 'cosign.key', '--bundle', 'old.json', '--output-signature', 'old.sig', legacy, ...offline)
        .status,
    ).toBe(0)
    const attest = ['attest-blob', 'file', '--key', 'cosign.key', '--predicate', 'predicate', '--type', 'custom']
    expect(theirs(...attest, '--bundle', 'attestation.json', ...offline).status).toBe(0)
    expect(theirs(...attest, '--output-signature', 'attestation.sig', legacy, ...offline).status).toBe(0)
  })

  for (const words of [
    ['--bundle', 'new.json'],
    ['--bundle', 'old.json'],
    ['--signature', 'old.sig'],
  ]) {
    it(`as a signature in ${words.join(' ')} verifies here as it does there`, async () => {
      await agree(true, 'verify-blob', 'file', ...words, '--key', 'cosign.pub', ignoring)
      await agree(false, 'verify-blob', 'tampered', ...words, '--key', 'cosign.pub', ignoring)
    })
  }

  it('by digest too', async () => {
    const { stdout } = spawnSync('sha256sum', ['file'], { cwd: folder, encoding: 'utf8' })
    const digest = `sha256:${stdout.slice(0, 64)}`
    await agree(true, 'verify-blob', digest, '--bundle', 'new.json', '--key', 'cosign.pub', ignoring)
    await agree(false, 'verify-blob', `sha256:${'0'.repeat(64)}`, '--bundle', 'new.json', '--key', 'cosign.pub', ignoring)
  })

  for (const words of [
    ['--bundle', 'attestation.json'],
    ['--signature', 'attestation.sig'],
  ]) {
    it(`as an attestation in ${words.join(' ')} verifies here as it does there`, async () => {
      await agree(true, 'verify-blob-attestation', 'file', ...words, '--key', 'cosign.pub', ignoring)
      await agree(false, 'verify-blob-attestation', 'tampered', ...words, '--key', 'cosign.pub', ignoring)
      await agree(false, 'verify-blob-attestation', 'file', ...words, '--key', 'cosign.pub', ignoring, '--type', 'slsaprovenance')
    })
  }

  it('is refused with another key', async () => {
    put('stranger.pub', namedKey('stranger').pem)
    for (const words of [
      ['--bundle', 'new.json'],
      ['--bundle', 'old.json'],
      ['--signature', 'old.sig'],
    ]) {
      await agree(false, 'verify-blob', 'file', ...words, '--key', 'stranger.pub', ignoring)
    }
  })

  for (const kind of ['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const) {
    it(`with an imported ${kind} key verifies here`, async () => {
      const { privateKey } = namedKey('imported', kind)
      put(`${kind}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }))
      expect(theirs('import-key-pair', '--key', `${kind}.pem`, '--output-key-prefix', kind).status).toBe(0)
      expect(readFileSync(path.join(folder, `${kind}.pub`), 'utf8')).toBe(namedKey('imported', kind).pem)
      expect(theirs('sign-blob', 'file', '--key', `${kind}.key`, '--bundle', `${kind}.json`, ...offline).status).toBe(0)
      const words = ['--bundle', `${kind}.json`, '--key', `${kind}.pub`, ignoring]
      expect((await ours('verify-blob', 'file', ...words)).stderr).toContain('Verified OK')
      expect((await ours('verify-blob', 'tampered', ...words)).exitCode).toBe(1)
    })
  }
})

describe.skipIf(cosign === undefined)('what the universe signs', () => {
  const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
  const shapes: readonly (readonly [string, SigningOptions])[] = [
    ['a certificate', {}],
    ['a certificate, version 0.1', { version: '0.1', oldMediaType: true }],
    ['a Rekor v2 entry', { log: 'v2' }],
    ['a P-384 key in the certificate', { key: namedKey('signer', 'p384') }],
  ]

  beforeAll(() => {
    put('root.json', universeOf().trustedRoot())
    put('other', 'another artifact')
  })

  for (const [what, options] of shapes) {
    it(`with ${what} verifies with both, and tampered with neither`, async () => {
      const signed = signBlob(options)
      put('artifact', signed.artifact)
      put('bundle.json', signed.json)
      const words = ['--bundle', 'bundle.json', '--trusted-root', 'root.json']
      await agree(true, 'verify-blob', 'artifact', ...words, ...who)
      await agree(false, 'verify-blob', 'other', ...words, ...who)
      await agree(false, 'verify-blob', 'artifact', ...words, '--certificate-identity', 'someone', '--certificate-oidc-issuer', issuer)
      await agree(
        false,
        'verify-blob',
        'artifact',
        ...words,
        '--certificate-identity',
        identity,
        '--certificate-oidc-issuer',
        'https://other.test',
      )
      await agree(false, 'verify-blob', 'artifact', ...words)
    })

    it(`as an attestation with ${what} verifies with both, and tampered with neither`, async () => {
      const signed = signStatement(options)
      put('artifact', signed.artifact)
      put('attestation.json', signed.json)
      const words = ['--bundle', 'attestation.json', '--trusted-root', 'root.json', ...who]
      await agree(true, 'verify-blob-attestation', 'artifact', ...words, '--type', predicateType)
      await agree(false, 'verify-blob-attestation', 'other', ...words, '--type', predicateType)
      await agree(false, 'verify-blob-attestation', 'artifact', ...words, '--type', 'spdx')
    })
  }

  it("into a local bundle with a public key in the certificate's place does not lend that key its trust", async () => {
    const attacker = signBlob({ managed: true, key: namedKey('attacker') })
    put('artifact', attacker.artifact)
    put('poisoned.json', JSON.stringify(legacyBundle(attacker, Buffer.from(attacker.key.pem).toString('base64'))))
    put('trusted.pub', namedKey('trusted').pem)
    await agree(false, 'verify-blob', 'artifact', '--bundle', 'poisoned.json', '--key', 'trusted.pub', ignoring)
    await agree(false, 'verify-blob', 'artifact', '--bundle', 'poisoned.json', ...who, ignoring)
  })
})
