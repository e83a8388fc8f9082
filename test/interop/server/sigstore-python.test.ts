/** Attestations between sigstore-python and our command line, both ways, beyond what the matrix has: its other predicate, several files, digests. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ending } from '../peer.ts'
import type { Rekor } from './clients.ts'
import { beginLogs, signingConfig, sigstorePython } from './clients.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { machineEmail, startSigstore } from './private-sigstore.ts'

let sigstore: StartedSigstore

beforeAll(async () => {
  if (sigstorePython === undefined) return
  sigstore = await startSigstore()
  for (const name of ['one', 'two', 'other']) sigstore.write(name, `the file ${name}`)
  sigstore.write('v0.2.json', JSON.stringify({ builder: { id: 'https://example.com/builder' }, buildType: 'https://example.com/build' }))
  sigstore.write('sbom.json', JSON.stringify({ spdxVersion: 'SPDX-2.3', packages: [] }))
  // It reads no entry with the index 0.
  await beginLogs(sigstore)
})

afterAll(async () => sigstore?.stop())

const digestOf = (name: string): string => createHash('sha256').update(`the file ${name}`).digest('hex')
const who = (identity: string): string[] => ['--certificate-identity', identity, '--certificate-oidc-issuer', sigstore.issuer]

function weVerify(bundle: string, words: readonly string[], identity: string = machineEmail): Promise<Ending> {
  const trust = ['--bundle', bundle, '--trusted-root', sigstore.trust('trusted_root.json')]
  return sigstore.countersign(['verify-blob-attestation', ...trust, ...who(identity), ...words])
}

function theyVerify(bundle: string, about: string, identity: string = machineEmail): Promise<Ending> {
  const trust = ['--trust-config', sigstore.trust('client_trust_config.json'), 'verify', 'identity', '--bundle', bundle]
  return sigstore.run(sigstorePython ?? '', [...trust, '--cert-identity', identity, '--cert-oidc-issuer', sigstore.issuer, about])
}

async function theyAttest(rekor: Rekor, files: readonly string[]): Promise<void> {
  const trust = ['--trust-config', sigstore.trust('client_trust_config.json'), 'attest', '--overwrite']
  const about = ['--predicate', 'v0.2.json', '--predicate-type', 'https://slsa.dev/provenance/v0.2']
  const token = ['--identity-token', await sigstore.token(), '--rekor-version', rekor === 'v1' ? '1' : '2']
  const { exitCode, stderr } = await sigstore.run(sigstorePython ?? '', [...trust, ...about, ...token, ...files])
  expect(exitCode, stderr).toBe(0)
}

async function weAttest(rekor: Rekor, bundle: string, words: readonly string[]): Promise<void> {
  const services = ['--signing-config', signingConfig(sigstore, rekor), '--trusted-root', sigstore.trust('trusted_root.json'), '--yes']
  const env = { SIGSTORE_ID_TOKEN: await sigstore.token() }
  const { exitCode, stderr } = await sigstore.countersign(['attest-blob', ...words, ...services, '--bundle', bundle], { env })
  expect(exitCode, stderr).toBe(0)
}

/** A statement about files, of a type that sigstore-python has no name for. @returns the name of its file */
function statementAbout(...names: readonly string[]): string {
  const subject = names.map((name) => ({ name, digest: { sha256: digestOf(name) } }))
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: 'https://example.com/sbom/v1', predicate: {} }
  return sigstore.write('statement.json', JSON.stringify(statement))
}

interface BundleJson {
  readonly dsseEnvelope: { payload: string; payloadType: string; readonly signatures: readonly { sig: string }[] }
  readonly verificationMaterial: { tlogEntries: unknown }
}
const bundleIn = (name: string): BundleJson => JSON.parse(readFileSync(sigstore.path(name), 'utf8')) as BundleJson

/** Copies of a bundle, each with one thing that is not its own. */
function forgeries(name: string, other: string): Record<string, string> {
  const forge = (what: string, bend: (bundle: BundleJson, theirs: BundleJson) => unknown): [string, string] => {
    const [bundle, theirs] = [bundleIn(name), bundleIn(other)]
    bend(bundle, theirs)
    return [what, sigstore.write(`${what.replaceAll(' ', '-')}.json`, JSON.stringify(bundle))]
  }
  const text = ({ dsseEnvelope }: BundleJson): string => Buffer.from(dsseEnvelope.payload, 'base64').toString()
  return Object.fromEntries([
    forge('another statement', (bundle, theirs) => (bundle.dsseEnvelope.payload = theirs.dsseEnvelope.payload)),
    forge('another subject', (bundle) => {
      bundle.dsseEnvelope.payload = Buffer.from(text(bundle).replaceAll(digestOf('one'), digestOf('other'))).toString('base64')
    }),
    forge('one more space', (bundle) => (bundle.dsseEnvelope.payload = Buffer.from(`${text(bundle)} `).toString('base64'))),
    forge('another type of payload', (bundle) => (bundle.dsseEnvelope.payloadType = 'application/json')),
    forge('the entry of another attestation', (bundle, theirs) => {
      bundle.verificationMaterial.tlogEntries = theirs.verificationMaterial.tlogEntries
    }),
    forge('the signature of another attestation', (bundle, theirs) => {
      Object.assign(bundle.dsseEnvelope, { signatures: theirs.dsseEnvelope.signatures })
    }),
    forge('no log entry', (bundle) => (bundle.verificationMaterial.tlogEntries = [])),
  ])
}

for (const rekor of ['v1', 'v2'] as const) {
  describe.skipIf(sigstorePython === undefined)(`with Rekor ${rekor}`, () => {
    it('what sigstore-python attests of several files we verify, each for its file, type and signer', async () => {
      await theyAttest(rekor, ['one', 'two'])
      const bundle = 'one.sigstore.json'
      const type = ['--type', 'slsaprovenance02']
      expect((await weVerify(bundle, [...type, 'one'])).stderr).toContain('Verified OK\n')
      expect((await weVerify('two.sigstore.json', [...type, 'two'])).stderr).toContain('Verified OK\n')
      expect((await weVerify(bundle, [...type, '--digest', digestOf('one'), '--digestAlg', 'sha256'])).stderr).toContain('Verified OK\n')
      const wrongs: readonly (readonly string[])[] = [
        [...type, 'two'],
        [...type, '--digest', digestOf('two'), '--digestAlg', 'sha256'],
        ['--type', 'slsaprovenance1', 'one'],
      ]
      for (const wrong of wrongs) expect([wrong, (await weVerify(bundle, wrong)).exitCode]).toEqual([wrong, 1])
      expect((await weVerify(bundle, [...type, 'one'], 'eve@example.com')).exitCode).toBe(1)
      for (const [what, forged] of Object.entries(forgeries(bundle, 'two.sigstore.json'))) {
        for (const name of ['one', 'two', 'other']) {
          const { exitCode, stderr } = await weVerify(forged, [...type, name])
          expect([what, name, exitCode, stderr.includes('Verified OK')]).toEqual([what, name, 1, false])
        }
      }
    })

    it('what we attest of several files, of a type of our own, sigstore-python verifies for each of them and no other', async () => {
      await weAttest(rekor, 'both.json', ['--statement', statementAbout('one', 'two')])
      await weAttest(rekor, 'second.json', ['--statement', statementAbout('two')])
      for (const about of ['one', 'two', `sha256:${digestOf('two')}`]) {
        const { exitCode, stderr } = await theyVerify('both.json', about)
        expect(exitCode, stderr).toBe(0)
        expect(stderr).toContain(`OK: ${about.replace('sha256:', 'SHA2_256:')}`)
      }
      expect((await theyVerify('both.json', 'other')).exitCode).toBe(1)
      expect((await theyVerify('both.json', 'one', 'eve@example.com')).exitCode).toBe(1)
      for (const [what, forged] of Object.entries(forgeries('both.json', 'second.json')))
        expect([what, (await theyVerify(forged, 'one')).exitCode]).toEqual([what, 1])
    })

    it('a predicate alone becomes a statement of version 0.1, as with cosign, which sigstore-python does not read', async () => {
      await weAttest(rekor, 'old.json', ['one', '--predicate', 'sbom.json', '--type', 'https://example.com/sbom/v1'])
      expect((await weVerify('old.json', ['--type', 'https://example.com/sbom/v1', 'one'])).exitCode).toBe(0)
      const { exitCode, stderr } = await theyVerify('old.json', 'one')
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('malformed in-toto statement')])
    })
  })
}
