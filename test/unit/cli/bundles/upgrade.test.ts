/** `bundle upgrade`: old bundles as ones of version 0.3. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { SignedBundle, SigningOptions } from '../../../support/universe/universe.ts'
import { identity, issuer, legacyBundle, namedKey, signBlob, signStatement, universeOf } from '../../../support/universe/universe.ts'
import type { BundleWorkspace, RekorAnswer } from './bundle-workspace.ts'
import { createBundleWorkspace, startLog, withoutProofs } from './bundle-workspace.ts'

const universe = universeOf()
const v01: SigningOptions = { version: '0.1', oldMediaType: true, chain: universe.chain.map(({ der }) => der) }
const v02: SigningOptions = { ...v01, version: '0.2' }
const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer, '--trusted-root', 'root.json']

let workspace: BundleWorkspace
beforeEach(() => {
  workspace = createBundleWorkspace()
})

const material = (name: string) => workspace.json(name)['verificationMaterial'] as Record<string, unknown>

describe('a bundle', () => {
  it('of version 0.2 keeps everything but the certificates of the authorities, and no log is asked', async () => {
    const signed = signBlob({ ...v02, timestamps: [{}] })
    workspace.write('old.json', signed.bundle)
    const { exitCode, stdout, stderr } = await workspace.run(
      'bundle',
      'upgrade',
      'old.json',
      '--out',
      'new.json',
      '--rekor-url',
      'http://127.0.0.1:9',
    )
    expect([exitCode, stdout]).toEqual([0, ''])
    expect(stderr.split('\n')).toEqual([
      'Upgrading from v0.2 to v0.3...',
      'Truncating certificate chain to only the leaf certificate...',
      `  Certificate 0 Identity: ${identity}`,
      ...universe.chain.map(({ name }, index) => `  Certificate ${index + 1} Identity: O=universe.test, CN=${name}`),
      'Successfully upgraded bundle written to new.json',
      '',
    ])
    const { mediaType, verificationMaterial, ...content } = workspace.json('new.json')
    expect(mediaType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json')
    expect(verificationMaterial).toEqual({
      certificate: { rawBytes: Buffer.from(signed.certificate).toString('base64') },
      tlogEntries: signed.entries,
      timestampVerificationData: {
        rfc3161Timestamps: signed.tokens.map((der) => ({ signedTimestamp: Buffer.from(der).toString('base64') })),
      },
    })
    expect(content).toEqual({ messageSignature: signed.bundle['messageSignature'] })
    expect(workspace.modeOf('new.json')).toBe(0o600)
    expect(await workspace.run('verify-blob', 'artifact', '--bundle', 'new.json', ...who)).toMatchObject({ exitCode: 0 })
  })

  it.each(['proof', 'checkpoint'] as const)('of version 0.1 without a %s gets one from the log', async (what) => {
    const signed = signBlob(v01)
    const log = await startLog([signed])
    workspace.write('old.json', withoutProofs(signed, what))
    const { exitCode, stdout, stderr } = await workspace.run('bundle', 'upgrade', 'old.json', '--rekor-url', `${log.origin}/`)
    expect(exitCode, stderr).toBe(0)
    const [entry] = signed.entries
    expect(stderr).toContain('Upgrading from v0.1 to v0.3...\n')
    expect(stderr).toContain(`Fetching missing inclusion proof from Rekor for log index ${entry?.logIndex}...\n`)
    expect(log.requests).toEqual([`GET /api/v1/log/entries?logIndex=${entry?.logIndex}`])
    expect(stdout).toMatch(/^\{.*\}\n$/)
    workspace.write('new.json', stdout)
    expect(material('new.json')['tlogEntries']).toEqual(signed.entries)
    expect(await workspace.run('verify-blob', 'artifact', '--bundle', 'new.json', ...who)).toMatchObject({ exitCode: 0 })
  })

  it('of an attestation, and one with a key, is upgraded too', async () => {
    const key = namedKey('managed')
    for (const signed of [signStatement({ ...v01, keyid: 'a key' }), signBlob({ ...v01, managed: true, key })]) {
      const log = await startLog([signed])
      workspace.write('old.json', withoutProofs(signed))
      const { exitCode, stderr } = await workspace.run('bundle', 'upgrade', 'old.json', '--out', 'new.json', '--rekor-url', log.origin)
      expect(exitCode, stderr).toBe(0)
      const { mediaType, verificationMaterial, ...content } = signed.bundle
      expect(mediaType).toContain('0.1')
      expect(workspace.json('new.json')).toMatchObject(content)
      expect(Object.keys(verificationMaterial as object).includes('publicKey')).toBe('publicKey' in material('new.json'))
    }
    workspace.write('managed.pub', key.pem)
    const words = ['--bundle', 'new.json', '--key', 'managed.pub', '--trusted-root', 'root.json']
    expect(await workspace.run('verify-blob', 'artifact', ...words)).toMatchObject({ exitCode: 0 })
  })

  it.each([
    ['new', {}],
    ['old', { oldMediaType: true }],
  ])('of version 0.3 stays as it is, byte for byte (%s media type)', async (_, options) => {
    const text = JSON.stringify(signBlob(options).bundle, undefined, 3)
    workspace.write('now.json', text)
    const printed = await workspace.run('bundle', 'upgrade', 'now.json')
    expect(printed).toEqual({ exitCode: 0, stdout: `${text}\n`, stderr: 'Bundle is already at v0.3, no upgrade needed.\n' })
    expect(await workspace.run('bundle', 'upgrade', 'now.json', '--out', 'copy.json')).toMatchObject({ exitCode: 0 })
    expect(workspace.read('copy.json')).toBe(text)
  })

  it('may be replaced by itself', async () => {
    workspace.write('old.json', signBlob(v02).bundle)
    expect(await workspace.run('bundle', 'upgrade', 'old.json', '--out', 'old.json')).toMatchObject({ exitCode: 0 })
    expect(workspace.json('old.json')['mediaType']).toBe('application/vnd.dev.sigstore.bundle.v0.3+json')
  })
})

describe('an answer of the log is not believed', () => {
  const signed: SignedBundle = signBlob(v01)
  const other = signBlob({ ...v01, entry: { logIndex: Number(signed.entries[0]?.logIndex) } }, Buffer.from('other'))

  it.each<readonly [string, (answer: RekorAnswer) => void, string]>([
    [
      'with another body',
      (answer) => (answer.body = other.entries[0]?.canonicalizedBody ?? ''),
      'than the bundle: its body is another one',
    ],
    ['with another index', (answer) => answer.logIndex++, 'is not to be believed: asked for the entry'],
    ['of another log', (answer) => (answer.logID = '00'.repeat(32)), `it is of the log ${'00'.repeat(32)}, expected`],
    ['of another time', (answer) => answer.integratedTime++, 'it was made at'],
    ['without a proof', (answer) => delete answer.verification.inclusionProof, 'answered no inclusion proof with a checkpoint'],
    [
      'without a checkpoint',
      (answer) => delete answer.verification.inclusionProof?.checkpoint,
      'answered no inclusion proof with a checkpoint',
    ],
    [
      'with the proof of another entry',
      (answer) => {
        if (answer.verification.inclusionProof !== undefined) answer.verification.inclusionProof.hashes[0] = 'ab'.repeat(32)
      },
      'upgrading bundle: the inclusion proof',
    ],
    [
      'with the checkpoint of another tree',
      (answer) => {
        const checkpoint = other.entries[0]?.inclusionProof?.checkpoint?.envelope ?? ''
        if (answer.verification.inclusionProof !== undefined) answer.verification.inclusionProof.checkpoint = checkpoint
      },
      'with another root than its checkpoint',
    ],
    [
      'with a checkpoint that is none',
      (answer) => {
        if (answer.verification.inclusionProof !== undefined) answer.verification.inclusionProof.checkpoint = 'hello'
      },
      'upgrading bundle: ',
    ],
    ['with a body that is none', (answer) => (answer.body = 'e30='), 'answered what cannot be used'],
  ])('%s', async (_, bend, message) => {
    const log = await startLog([signed], bend)
    workspace.write('old.json', withoutProofs(signed))
    workspace.write('kept.json', 'what was there')
    const { exitCode, stdout, stderr } = await workspace.run(
      'bundle',
      'upgrade',
      'old.json',
      '--out',
      'kept.json',
      '--rekor-url',
      log.origin,
    )
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('bug in countersign')
    expect(workspace.read('kept.json')).toBe('what was there')
  })

  it('that it has no such entry, or nothing at all', async () => {
    workspace.write('old.json', withoutProofs(signed))
    const empty = await startLog([])
    const index = signed.entries[0]?.logIndex
    expect((await workspace.run('bundle', 'upgrade', 'old.json', '--rekor-url', empty.origin)).stderr).toContain(
      `Error: upgrading bundle: the transparency log ${empty.origin} has no entry ${index}`,
    )
    const gone = await workspace.run('bundle', 'upgrade', 'old.json', '--rekor-url', 'http://127.0.0.1:9')
    expect([gone.exitCode, gone.stdout]).toEqual([1, ''])
    expect(gone.stderr).toContain('Error: upgrading bundle: the transparency log 127.0.0.1:9 cannot be used')
  })
})

describe('is refused', () => {
  it.each<readonly [string, readonly string[], string]>([
    ['no bundle', [], 'accepts 1 arg(s), received 0'],
    ['two bundles', ['old.json', 'old.json'], 'accepts 1 arg(s), received 2'],
    ['a file that is not there', ['no.json'], 'the bundle no.json cannot be read: no such file or directory'],
    ['an empty file', ['empty'], 'the bundle empty is empty'],
    ['a file that is no JSON', ['artifact'], 'upgrading bundle: the bundle'],
    ['JSON that is no bundle', ['root.json'], 'upgrading bundle: it is no Sigstore bundle (it has no mediaType of one)'],
    ['a local bundle', ['local.json'], 'it is a local bundle of cosign 1 or 2: "bundle create --bundle" makes a Sigstore bundle of it'],
    [
      'a bundle of a version to come',
      ['future.json'],
      'upgrading bundle: bundle.mediaType should be that of a Sigstore bundle of version 0.1, 0.2 or 0.3',
    ],
    ['a bundle without a key', ['keyless.json'], 'has no key: certificate, x509CertificateChain or publicKey was expected'],
    ['a log that is no address', ['old.json', '--rekor-url', 'rekor'], '--rekor-url should be an http or https URL, found "rekor"'],
    [
      'an output in no folder',
      ['old.json', '--out', 'no/new.json'],
      'create bundle file: no/new.json cannot be written: no such file or directory',
    ],
  ])('%s', async (_, words, message) => {
    const signed = signBlob(v02)
    workspace.write('old.json', signed.bundle)
    workspace.write('empty', '')
    workspace.write('local.json', legacyBundle(signed))
    workspace.write('future.json', { ...signed.bundle, mediaType: 'application/vnd.dev.sigstore.bundle.v0.4+json' })
    workspace.write('keyless.json', { ...signed.bundle, verificationMaterial: { tlogEntries: signed.entries } })
    const { exitCode, stdout, stderr } = await workspace.run('bundle', 'upgrade', ...words)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('bug in countersign')
  })
})
