/** `bundle create`: bundles of what cosign 1 and 2 wrote. */
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { pemOf } from '../../../support/universe/certificates.ts'
import { timestamp } from '../../../support/universe/timestamps.ts'
import type { SignedBundle } from '../../../support/universe/universe.ts'
import {
  identity,
  issuer,
  legacyBundle,
  legacyFiles,
  namedKey,
  predicateType,
  signBlob,
  signStatement,
  statementAbout,
  universeOf,
} from '../../../support/universe/universe.ts'
import type { BundleWorkspace, RekorAnswer } from './bundle-workspace.ts'
import { createBundleWorkspace, startLog } from './bundle-workspace.ts'

const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const tokenFile = (der: Uint8Array): string => JSON.stringify({ SignedRFC3161Timestamp: base64(der) })

let workspace: BundleWorkspace
beforeEach(() => {
  workspace = createBundleWorkspace()
})

const create = (...words: readonly string[]) => workspace.run('bundle', 'create', '--artifact', 'artifact', ...words)

async function expectCreated(...words: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await create('--out', 'new.json', ...words)
  expect(exitCode, stderr).toBe(0)
  expect(stdout).toBe('')
  expect(workspace.json('new.json')['mediaType']).toBe('application/vnd.dev.sigstore.bundle.v0.3+json')
}

const verify = async (...words: readonly string[]) =>
  expect(await workspace.run('verify-blob', 'artifact', '--bundle', 'new.json', '--trusted-root', 'root.json', ...words)).toMatchObject({
    exitCode: 0,
  })

/** The signature and certificate in files of their own. */
function writeFiles(signed: SignedBundle): void {
  const { signature, certificate } = legacyFiles(signed)
  workspace.write('a.sig', signature)
  workspace.write('a.pem', certificate)
}

describe('a signature', () => {
  it('and its certificate become what was signed, with the entry that the log has', async () => {
    const signed = signBlob()
    const log = await startLog([signBlob({}, Buffer.from('another')), signed])
    writeFiles(signed)
    await expectCreated('--signature', 'a.sig', '--certificate', 'a.pem', '--rekor-url', log.origin)
    expect(workspace.json('new.json')).toEqual(signed.bundle)
    expect(workspace.modeOf('new.json')).toBe(0o600)
    await verify(...who)
  })

  it('and its certificate are read in every encoding that cosign wrote', async () => {
    const signed = signBlob()
    const log = await startLog([signed])
    workspace.write('raw.sig', signed.signature)
    workspace.write('chain.pem', pemOf(signed.certificate) + signed.universe.chain.map(({ der }) => pemOf(der)).join(''))
    workspace.write('b64.pem', base64(pemOf(signed.certificate)))
    for (const certificate of ['chain.pem', 'b64.pem']) {
      await expectCreated('--signature', 'raw.sig', '--certificate', certificate, '--rekor-url', log.origin)
      expect(workspace.json('new.json')).toEqual(signed.bundle)
    }
  })

  it('and its certificate are read as editors of Windows leave them', async () => {
    const signed = signBlob()
    const log = await startLog([signed])
    workspace.write('bom.sig', `\ufeff${base64(signed.signature)}\r\n`)
    workspace.write('bom.pem', `\ufeff${pemOf(signed.certificate).replaceAll('\n', '\r\n')}`)
    workspace.write('latin.pem', Buffer.from(`Schlüssel\n${pemOf(signed.certificate)}`, 'latin1'))
    for (const certificate of ['bom.pem', 'latin.pem']) {
      await expectCreated('--signature', 'bom.sig', '--certificate', certificate, '--rekor-url', log.origin)
      expect(workspace.json('new.json')).toEqual(signed.bundle)
    }
  })

  it('with a timestamp has it in the bundle', async () => {
    const signed = signBlob({ timestamps: [{}] })
    const log = await startLog([signed])
    writeFiles(signed)
    workspace.write('a.tsr', tokenFile(signed.tokens[0] ?? new Uint8Array(0)))
    await expectCreated('--signature', 'a.sig', '--certificate', 'a.pem', '--rfc3161-timestamp', 'a.tsr', '--rekor-url', log.origin)
    expect(workspace.json('new.json')).toEqual(signed.bundle)
    await verify(...who, '--use-signed-timestamps')
  })

  it.each(['p256', 'p384', 'rsa'] as const)('with a key (%s) has its hint in the bundle', async (kind) => {
    const signed = signBlob({ managed: true, key: namedKey('managed', kind) })
    const log = await startLog([signed])
    writeFiles(signed)
    workspace.write('key.pub', signed.key.pem)
    await expectCreated('--signature', 'a.sig', '--key', 'key.pub', '--rekor-url', log.origin)
    expect(workspace.json('new.json')['verificationMaterial']).toEqual(signed.bundle['verificationMaterial'])
    await verify('--key', 'key.pub')
  })

  it('of Ed25519, as a log takes it, too', async () => {
    const signed = signBlob({ managed: true, key: namedKey('managed', 'ed25519'), prehashed: true })
    const log = await startLog([signed])
    writeFiles(signed)
    workspace.write('key.pub', signed.key.pem)
    await expectCreated('--signature', 'a.sig', '--key', 'key.pub', '--rekor-url', log.origin)
    await verify('--key', 'key.pub')
  })

  it('that was never recorded has no entry, and nobody is asked', async () => {
    const signed = signBlob({ managed: true, log: 'none' })
    writeFiles(signed)
    workspace.write('key.pub', signed.key.pem)
    await expectCreated('--signature', 'a.sig', '--key', 'key.pub', '--ignore-tlog')
    expect(workspace.json('new.json')).toEqual(signed.bundle)
    await verify('--key', 'key.pub', '--insecure-ignore-tlog')
  })

  it('is printed alone on standard output', async () => {
    const signed = signBlob({ managed: true, log: 'none' })
    writeFiles(signed)
    workspace.write('key.pub', signed.key.pem)
    expect(await create('--signature', 'a.sig', '--key', 'key.pub', '--ignore-tlog')).toEqual({
      exitCode: 0,
      stdout: `${signed.json}\n`,
      stderr: '',
    })
  })
})

describe('a local bundle', () => {
  it('becomes what was signed, with the proof that the log has', async () => {
    const signed = signBlob()
    const log = await startLog([signed])
    workspace.write('local.json', legacyBundle(signed))
    await expectCreated('--bundle', 'local.json', '--rekor-url', log.origin)
    expect(workspace.json('new.json')).toEqual(signed.bundle)
    expect(log.requests).toEqual([`GET /api/v1/log/entries?logIndex=${signed.entries[0]?.logIndex}`])
    await verify(...who)
  })

  it('of a signature with a key needs the key, and not the one that it holds', async () => {
    const signed = signBlob({ managed: true, key: namedKey('managed') })
    const log = await startLog([signed])
    workspace.write('key.pub', signed.key.pem)
    workspace.write('stranger.pub', namedKey('stranger').pem)
    workspace.write('local.json', legacyBundle(signed, base64(signed.key.pem)))
    await expectCreated('--bundle', 'local.json', '--key', 'key.pub', '--rekor-url', log.origin)
    await verify('--key', 'key.pub')
    const without = await create('--bundle', 'local.json', '--rekor-url', log.origin)
    expect(without.stderr).toContain('it holds a public key, which is not to be trusted because it came with the signature')
    const stranger = await create('--bundle', 'local.json', '--key', 'stranger.pub', '--rekor-url', log.origin)
    expect([stranger.exitCode, stranger.stdout]).toEqual([1, ''])
    expect(stranger.stderr).toContain('invalid signature: it was not made over this artifact with the key of the signer')
  })

  it('of an attestation is recognised', async () => {
    const signed = signStatement()
    const log = await startLog([signed])
    workspace.write('local.json', legacyBundle(signed))
    await expectCreated('--bundle', 'local.json', '--rekor-url', log.origin)
    expect(workspace.json('new.json')).toEqual(signed.bundle)
  })
})

describe('an attestation', () => {
  it.each(['dsse 0.0.1', 'intoto 0.0.2'] as const)(
    'becomes what was signed, with the entry that the log has: %s',
    async (attestationKind) => {
      const signed = signStatement({ attestationKind })
      const log = await startLog([signed])
      workspace.write('a.pem', pemOf(signed.certificate))
      workspace.write('a.att', JSON.stringify(signed.bundle['dsseEnvelope']))
      await expectCreated('--attestation', 'a.att', '--certificate', 'a.pem', '--rekor-url', log.origin)
      expect(workspace.json('new.json')).toEqual(signed.bundle)
      const words = ['--bundle', 'new.json', '--trusted-root', 'root.json', '--type', predicateType, ...who]
      expect(await workspace.run('verify-blob-attestation', 'artifact', ...words)).toMatchObject({ exitCode: 0 })
    },
  )

  it('is found in the log by the text of its envelope, however that is spelt', async () => {
    // Its signatures are the same each time.
    const key = namedKey('signer', 'rsa')
    const statement = JSON.stringify(statementAbout())
    const { dsseEnvelope } = signStatement({ key, statement, managed: true }).bundle
    const { payload, payloadType, signatures } = dsseEnvelope as { payload: string; payloadType: string; signatures: { sig: string }[] }
    const spellings = [
      JSON.stringify(dsseEnvelope, undefined, 2),
      JSON.stringify({ signatures, payloadType, payload }).replaceAll(',', ', '),
      JSON.stringify({ payloadType, payload, signatures: [{ keyid: '', sig: signatures[0]?.sig }] }),
    ]
    workspace.write('key.pub', key.pem)
    for (const spelling of spellings) {
      const envelopeHash = createHash('sha256').update(spelling).digest()
      const signed = signStatement({ key, statement, managed: true, bendBody: (parts) => ({ ...parts, envelopeHash }) })
      const log = await startLog([signed])
      workspace.write('a.att', `${spelling}\n`)
      await expectCreated('--attestation', 'a.att', '--key', 'key.pub', '--rekor-url', log.origin)
      expect(workspace.json('new.json')).toEqual(signed.bundle)
    }
  })

  it('may be given as the signature, and beside it', async () => {
    const signed = signStatement()
    const log = await startLog([signed])
    const envelope = JSON.stringify(signed.bundle['dsseEnvelope'])
    workspace.write('a.pem', pemOf(signed.certificate))
    workspace.write('a.att', envelope)
    workspace.write('b64.att', base64(envelope))
    workspace.write('a.sig', base64(signed.signature))
    const words = ['--certificate', 'a.pem', '--rekor-url', log.origin]
    for (const given of [
      ['--signature', 'a.att'],
      ['--signature', 'b64.att'],
      ['--attestation', 'a.att', '--signature', 'a.sig'],
      ['--attestation', 'a.att', '--signature', 'b64.att'],
    ]) {
      await expectCreated(...given, ...words)
      expect(workspace.json('new.json')).toEqual(signed.bundle)
    }
    workspace.write('other.sig', base64(signBlob().signature))
    const { exitCode, stderr } = await create('--attestation', 'a.att', '--signature', 'other.sig', ...words)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('the signature of --signature is not that of --attestation')
  })

  it('with several signatures is refused before anybody is asked: a bundle holds one', async () => {
    const signed = signStatement({ managed: true })
    const envelope = signed.bundle['dsseEnvelope'] as { signatures: object[] }
    workspace.write('two.att', JSON.stringify({ ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] }))
    workspace.write('key.pub', signed.key.pem)
    const { exitCode, stderr } = await create('--attestation', 'two.att', '--key', 'key.pub', '--rekor-url', 'http://127.0.0.1:9')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('the DSSE envelope has 2 signatures, and a bundle holds exactly one')
  })
  it('about something else is refused', async () => {
    const signed = signStatement({}, Buffer.from('something else'))
    workspace.write('a.pem', pemOf(signed.certificate))
    workspace.write('a.att', JSON.stringify(signed.bundle['dsseEnvelope']))
    const { exitCode, stderr } = await create('--attestation', 'a.att', '--certificate', 'a.pem', '--rekor-url', 'http://127.0.0.1:9')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('provided artifact digest does not match any digest in statement')
  })
})

describe('what the log answers is not believed', () => {
  const signed = signBlob()
  const other = signBlob({ entry: { logIndex: Number(signed.entries[0]?.logIndex) } }, Buffer.from('other'))
  const refused: readonly (readonly [string, (answer: RekorAnswer) => void, string])[] = [
    ['another body', (answer) => (answer.body = other.entries[0]?.canonicalizedBody ?? ''), 'another'],
    ['no proof', (answer) => delete answer.verification.inclusionProof, 'answered no inclusion proof with a checkpoint'],
    [
      'a proof of something else',
      (answer) => {
        if (answer.verification.inclusionProof !== undefined) answer.verification.inclusionProof.rootHash = 'ab'.repeat(32)
      },
      'the inclusion proof',
    ],
  ]

  it.each(refused)('%s', async (_, bend, message) => {
    const log = await startLog([signed], bend)
    writeFiles(signed)
    workspace.write('local.json', legacyBundle(signed))
    for (const given of [
      ['--bundle', 'local.json'],
      ['--signature', 'a.sig', '--certificate', 'a.pem'],
    ]) {
      const { exitCode, stdout, stderr } = await create(...given, '--rekor-url', log.origin)
      expect([exitCode, stdout]).toEqual([1, ''])
      expect(stderr).toContain(message)
    }
  })

  it('about the place of the entry in a local bundle', async () => {
    for (const bend of [
      (answer: RekorAnswer) => answer.logIndex++,
      (answer: RekorAnswer) => answer.integratedTime++,
      (answer: RekorAnswer) => (answer.logID = '00'.repeat(32)),
    ]) {
      const log = await startLog([signed], bend)
      workspace.write('local.json', legacyBundle(signed))
      const { exitCode, stderr } = await create('--bundle', 'local.json', '--rekor-url', log.origin)
      expect(exitCode).toBe(1)
      expect(stderr).toMatch(/is not to be believed|has another entry/)
    }
  })

  it('that it has no such entry', async () => {
    const log = await startLog([])
    writeFiles(signed)
    const { exitCode, stderr } = await create('--signature', 'a.sig', '--certificate', 'a.pem', '--rekor-url', log.origin)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      `Error: unable to find tlog entry: the signature is not in the transparency log ${log.origin} (--rekor-url names another log`,
    )
  })
})

describe('is refused', () => {
  const signed = signBlob()
  const files = ['--signature', 'a.sig', '--certificate', 'a.pem']
  it.each<readonly [string, readonly string[], string]>([
    [
      'no signature',
      ['--certificate', 'a.pem'],
      'must at least supply signature via --bundle or --signature, or an attestation via --attestation',
    ],
    ['neither certificate nor key', ['--signature', 'a.sig'], 'give the certificate with --certificate, or the key with --key'],
    ['certificate and key', [...files, '--key', 'key.pub'], 'give --certificate or --key, not both'],
    [
      'a key beside the certificate of a local bundle',
      ['--bundle', 'local.json', '--key', 'key.pub'],
      '--key is given, and local.json holds a certificate',
    ],
    [
      'a certificate beside a local bundle',
      ['--bundle', 'local.json', '--certificate', 'a.pem'],
      'if any flags in the group [bundle certificate] are set none of the others can be; [bundle certificate] were all set',
    ],
    [
      'a signature beside a local bundle',
      ['--bundle', 'local.json', '--signature', 'a.sig'],
      'if any flags in the group [bundle signature] are set none of the others can be; [bundle signature] were all set',
    ],
    ['a hardware key', [...files, '--sk'], 'hardware tokens (--sk) are not supported'],
    [
      'an entry that is to be ignored',
      ['--bundle', 'local.json', '--ignore-tlog'],
      'cannot ignore transparency log when the provided bundle contains a Signed Entry Timestamp',
    ],
    ['another artifact', [...files, '--artifact', 'other'], 'invalid signature: it was not made over this artifact'],
    ['an entry about another artifact', ['--bundle', 'moved.json'], 'the signature in the log entry is not the signature of the bundle'],
    [
      'a certificate of another signer',
      ['--signature', 'a.sig', '--certificate', 'stranger.pem'],
      'invalid signature: it was not made over this artifact',
    ],
    [
      'a timestamp of another signature',
      [...files, '--rfc3161-timestamp', 'other.tsr'],
      'the RFC 3161 timestamp is of something else than the signature',
    ],
    ['a timestamp that is none', [...files, '--rfc3161-timestamp', 'artifact'], 'the RFC 3161 timestamp'],
    [
      'a bundle of today',
      ['--bundle', 'now.json'],
      'now.json is a Sigstore bundle already: "bundle upgrade" makes one of version 0.3 of an older one',
    ],
    ['a bundle that is none', ['--bundle', 'root.json'], 'the bundle root.json cannot be used'],
    ['an attestation that is none', ['--attestation', 'artifact', '--certificate', 'a.pem'], 'the DSSE envelope'],
    [
      'a signature that is not there',
      ['--signature', 'no.sig', '--certificate', 'a.pem'],
      'the signature no.sig cannot be read: no such file',
    ],
    ['a certificate that is not there', ['--signature', 'a.sig', '--certificate', 'no.pem'], 'the certificate no.pem cannot be read'],
    ['an artifact that is not there', [...files, '--artifact', 'no'], 'the artifact no cannot be read'],
    ['a key for a certificate', ['--signature', 'a.sig', '--certificate', 'key.pub'], 'the certificate key.pub cannot be used'],
    ['a log that is no address', [...files, '--rekor-url', 'file:///log'], '--rekor-url should be an http or https URL'],
    ['an output in no folder', [...files, '--out', 'no/new.json'], 'create bundle file: no/new.json cannot be written'],
    ['an argument', ['new.json'], 'unknown command "new.json" for "countersign bundle create"'],
  ])('%s', async (_, words, message) => {
    writeFiles(signed)
    const other = signBlob({}, Buffer.from('other'))
    const token = (over: Uint8Array) => timestamp(over, universeOf().timestampLeaf, { genTime: universeOf().time })
    workspace.write('key.pub', signed.key.pem)
    workspace.write('local.json', legacyBundle(signed))
    workspace.write('other.pem', pemOf(other.certificate))
    workspace.write('stranger.pem', pemOf(signBlob({ key: namedKey('stranger') }).certificate))
    workspace.write('moved.json', { ...legacyBundle(signed), rekorBundle: legacyBundle(other)['rekorBundle'] })
    workspace.write('other.tsr', tokenFile(token(other.signature)))
    workspace.write('now.json', signed.bundle)
    const { exitCode, stdout, stderr } = await create('--rekor-url', 'http://127.0.0.1:9', ...words)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('bug in countersign')
  })

  it('no artifact', async () => {
    expect((await workspace.run('bundle', 'create', ...files)).stderr).toContain('Error: must supply --artifact\n')
  })
})
