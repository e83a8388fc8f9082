import { describe, expect, it } from 'vitest'
import { pemOf } from '../../../support/universe/certificates.ts'
import type { Json } from '../../../support/universe/universe.ts'
import { legacyBundle, namedKey, signBlob, signStatement, universeOf } from '../../../support/universe/universe.ts'
import { inspect, jsonOf, section, treeOf } from './inspection.ts'

const signed = signBlob()
const local = legacyBundle(signed)
const key = namedKey('inspected', 'rsa')

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function withPayload(members: Json): Json {
  const rekorBundle = local['rekorBundle'] as { Payload: Json }
  return { ...local, rekorBundle: { ...rekorBundle, Payload: { ...rekorBundle.Payload, ...members } } }
}

describe('a local bundle of cosign 1 or 2', () => {
  it('is shown like a bundle', async () => {
    const tree = await treeOf(local)
    const bundled = await treeOf(signed.bundle)
    expect(tree.slice(0, 3)).toEqual([
      '- Bundle Media Type: none (local bundle of cosign 1 or 2)',
      '- Verification Material:',
      '  - Content: X.509 Certificate',
    ])
    expect(section(tree, 'Content')).toEqual(section(bundled, 'Content'))
    expect(tree.slice(-3)).toEqual([
      '- Content:',
      '  - Type: Message Signature',
      expect.stringMatching(/^ {2}- Signature: Present \(\d+ bytes\)$/),
    ])
  })

  it('has a log entry with a promise and without a proof', async () => {
    expect(section(await treeOf(local), 'Transparency Log Entries')).toEqual([
      '- Transparency Log Entries: 1',
      '  - Entry [0]:',
      expect.stringMatching(/^ {4}- Log Index: \d+$/),
      `    - Log ID: ${Buffer.from(universeOf().rekor.logId).toString('hex')}`,
      '    - Kind: hashedrekord',
      '    - Version: 0.0.1',
      '    - Integrated Time: 2026-01-15T12:01:00Z',
      '    - Inclusion Promise:',
      expect.stringMatching(/^ {6}- Signed Entry Timestamp: Present \(\d+ bytes\)$/),
      expect.stringMatching(/^ {4}- Canonicalized Body: Present \(\d+ bytes\)$/),
    ])
  })

  it('may have no log entry', async () => {
    expect(section(await treeOf({ ...local, rekorBundle: undefined }), 'Transparency Log Entries')).toEqual([])
  })

  it('may have its certificate as PEM without base64 around it, and a chain behind it', async () => {
    const { intermediate } = universeOf()
    const pem = pemOf(signed.certificate)
    expect(await treeOf(legacyBundle(signed, pem))).toEqual(await treeOf(local))
    const chain = await treeOf(legacyBundle(signed, base64(pem + pemOf(intermediate.der))))
    expect(section(chain, 'Content').slice(0, 2)).toEqual(['- Content: X.509 Certificate Chain', '  - Certificates: 2'])
  })

  it('says that the key is elsewhere when there is no certificate', async () => {
    expect(section(await treeOf({ ...local, cert: '' }), 'Content')).toEqual(['- Content: None (verified with a key from elsewhere)'])
  })

  it.each([
    ['base64 of PEM', base64(key.pem)],
    ['PEM', key.pem],
  ])('shows a public key in the place of the certificate, as %s', async (_, cert) => {
    expect(section(await treeOf({ ...local, cert }), 'Content')).toEqual([
      '- Content: Public Key',
      '  - Algorithm: RSA',
      '  - Key Size: 2048 bits',
    ])
  })

  it.each([
    ['text', 'hello', 'PEM'],
    ['another kind of PEM', pemOf(Uint8Array.of(1), 'PRIVATE KEY'), 'PRIVATE KEY'],
  ])('shows why %s in the place of the certificate cannot be parsed, and goes on', async (_, cert, reason) => {
    const tree = await treeOf({ ...local, cert })
    expect(section(tree, 'Content')).toEqual([
      expect.stringMatching(new RegExp(String.raw`^- Content: \(cannot be parsed: .*${reason}.*\)$`)),
    ])
    expect(tree).toContain('  - Type: Message Signature')
  })

  it.each([
    ['a body that is no JSON', { body: base64('hello') }, 'the log entry is not valid JSON'],
    ['a body without kind', { body: base64('{}') }, 'entry.kind is missing'],
    ['a log identifier that is not hexadecimal', { logID: 'x' }, 'is not hexadecimal'],
    ['no index', { logIndex: undefined }, 'logIndex is missing'],
  ])('shows why a log entry with %s cannot be parsed, and goes on', async (_, members, reason) => {
    const tree = await treeOf(withPayload(members))
    expect(section(tree, 'Transparency Log Entries')[1]).toContain('  - Entry [0]: (cannot be parsed: ')
    expect(section(tree, 'Transparency Log Entries')[1]).toContain(reason)
    expect(tree).toContain('  - Type: Message Signature')
  })

  it('shows the statement when its signature is an envelope', async () => {
    const attestation = signStatement()
    const tree = await treeOf({ ...local, base64Signature: base64(JSON.stringify(attestation.bundle['dsseEnvelope'])) })
    expect(section(tree, 'Payload Content (in-toto)')).toEqual([
      '- Payload Content (in-toto):',
      '  - Predicate Type: https://slsa.dev/provenance/v1',
      '  - Subjects: 1',
      '    - Name: app',
    ])
  })

  it('takes a signature that only begins like an envelope for what it is', async () => {
    expect((await treeOf({ ...local, base64Signature: base64('{signature') })).slice(-2)).toEqual([
      '  - Type: Message Signature',
      '  - Signature: Present (10 bytes)',
    ])
  })

  it('names itself in JSON, and says what verification refuses it for', async () => {
    expect(await jsonOf(local)).toMatchObject({ format: 'cosign-local-bundle' })
    expect(await jsonOf({ ...local, surprise: 1 })).toMatchObject({ refusal: 'bundle has an unknown field "surprise"' })
    expect(await jsonOf({ ...local, cert: base64(key.pem) })).toMatchObject({
      verificationMaterial: { publicKey: { algorithm: 'RSA', bits: 2048, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string } },
    })
  })

  it.each([
    ['not base64', { base64Signature: '?' }, 'bundle.base64Signature is not standard base64'],
    ['no text', { base64Signature: 1 }, 'bundle.base64Signature should be a string'],
    ['empty', { base64Signature: '' }, 'bundle.base64Signature is missing'],
  ])('is refused when its signature is %s', async (_, members, message) => {
    const { exitCode, stdout, stderr } = await inspect({ ...local, ...members })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(message)
  })
})
