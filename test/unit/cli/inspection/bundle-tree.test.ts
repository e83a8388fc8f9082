import { describe, expect, it } from 'vitest'
import type { Json } from '../../../support/universe/universe.ts'
import { signBlob, signStatement, universeOf } from '../../../support/universe/universe.ts'
import { section, treeOf } from './inspection.ts'

const blob = signBlob()
const tiled = signBlob({ log: 'v2' })
const managed = signStatement({ managed: true, keyid: 'the key', hint: 'the key' })

/** The bundle with members of its verification material replaced; `undefined` removes one. */
function withMaterial(bundle: Json, members: Json): Json {
  return { ...bundle, verificationMaterial: { ...(bundle['verificationMaterial'] as Json), ...members } }
}

/** The bundle with members of its only log entry replaced. */
function withEntry(bundle: Json, members: Json): Json {
  return withMaterial(bundle, { tlogEntries: [{ ...entryOf(bundle), ...members }] })
}

function withProof(bundle: Json, members: Json): Json {
  return withEntry(bundle, { inclusionProof: { ...(entryOf(bundle)['inclusionProof'] as Json), ...members } })
}

function entryOf(bundle: Json): Json {
  return (bundle['verificationMaterial'] as { tlogEntries: Json[] }).tlogEntries[0] ?? {}
}

function withEnvelope(bundle: Json, members: Json): Json {
  return { ...bundle, dsseEnvelope: { ...(bundle['dsseEnvelope'] as Json), ...members } }
}

function withPayload(payload: string): Json {
  return withEnvelope(managed.bundle, { payload: Buffer.from(payload).toString('base64') })
}

function warningsIn(tree: readonly string[]): string[] {
  return tree.filter((line) => line.includes('[!] WARNING'))
}

describe('the tree of a bundle', () => {
  it('has the media type, the verification material and the content', async () => {
    const tree = await treeOf(blob.bundle)
    expect(tree.filter((line) => line.startsWith('- '))).toEqual([
      '- Bundle Media Type: application/vnd.dev.sigstore.bundle.v0.3+json',
      '- Verification Material:',
      '- Content:',
    ])
    expect(warningsIn(tree)).toEqual([])
  })

  it.each([
    ['no media type', { mediaType: undefined }, ['- Bundle Media Type:', '- [!] WARNING: Missing Bundle Media Type']],
    [
      'a media type of the future',
      { mediaType: 'application/vnd.dev.sigstore.bundle.v9+json' },
      ['- Bundle Media Type: application/vnd.dev.sigstore.bundle.v9+json', '- [!] WARNING: Unrecognized Media Type'],
    ],
  ])('warns of %s', async (_, members, lines) => {
    expect((await treeOf({ ...blob.bundle, ...members })).slice(0, 2)).toEqual(lines)
  })

  it('warns when the verification material is missing', async () => {
    expect(warningsIn(await treeOf({ ...blob.bundle, verificationMaterial: null }))).toEqual([
      '- [!] WARNING: Missing Verification Material',
    ])
  })

  it('warns when the content is missing', async () => {
    expect(warningsIn(await treeOf({ ...blob.bundle, messageSignature: undefined }))).toEqual(['- [!] WARNING: Missing Content'])
  })

  it('passes over members that no version of the format has', async () => {
    expect(await treeOf({ ...blob.bundle, surprise: 1 })).toEqual(await treeOf(blob.bundle))
  })
})

describe('the key of a bundle', () => {
  it.each([
    [
      'no key at all',
      { certificate: undefined },
      '  - [!] WARNING: Missing Verification Material Content (must be certificate, chain, or public key)',
    ],
    ['an empty certificate', { certificate: {} }, '    - [!] WARNING: Certificate raw_bytes is empty'],
    ['an empty hint', { certificate: undefined, publicKey: {} }, '    - [!] WARNING: Public key hint is empty'],
  ])('is warned of when it is %s', async (_, members, line) => {
    expect(warningsIn(await treeOf(withMaterial(blob.bundle, members)))).toEqual([line])
  })

  it('is warned of when it is an empty chain, which version 0.3 should not have in any case', async () => {
    const bundle = withMaterial(blob.bundle, { certificate: undefined, x509CertificateChain: {} })
    expect(section(await treeOf(bundle), 'Content')).toEqual([
      '- Content: X.509 Certificate Chain',
      '  - [!] WARNING: Certificate chain is empty',
      '  - [!] WARNING: v0.3 bundle should use single certificate, not chain',
    ])
  })

  it.each(['0.1', '0.2'])('is warned of when it is a single certificate in version %s', async (version) => {
    const { bundle } = signBlob()
    const tree = await treeOf({ ...bundle, mediaType: `application/vnd.dev.sigstore.bundle+json;version=${version}` })
    expect(warningsIn(tree)).toContain('    - [!] WARNING: v0.1/v0.2 bundle should use certificate chain, not single certificate')
  })

  it('is shown with every certificate of its chain', async () => {
    const { intermediate, root } = universeOf()
    const tree = await treeOf(signBlob({ version: '0.2', chain: [intermediate.der, root.der] }).bundle)
    expect(section(tree, 'Content').filter((line) => /^ {2}- /.test(line))).toEqual([
      '  - Certificates: 3',
      '  - Certificate [0]:',
      '  - Certificate [1]:',
      '  - Certificate [2]:',
    ])
    expect(section(tree, 'Certificate [2]')).toContain('  - Subject: CN=root,O=universe.test')
  })

  it('is shown with the reason when a certificate of the chain cannot be parsed, and the next one follows', async () => {
    const { root } = universeOf()
    const chain = signBlob({ version: '0.2', chain: [Uint8Array.of(0x30, 0x05), root.der] })
    const tree = await treeOf(chain.bundle)
    expect(section(tree, 'Certificate [1]')).toEqual([
      '- Certificate [1]:',
      expect.stringMatching(/^ {2}- Error: \(cannot be parsed: the certificate is not valid DER: .+\)$/),
    ])
    expect(section(tree, 'Certificate [2]')).toContain('  - Subject: CN=root,O=universe.test')
  })

  it.each([
    ['a digest in base64 in hexadecimal', Buffer.from([0xab, 0xcd, 0xef]).toString('base64'), 'abcdef'],
    ['any other text as it is', 'my key', 'my key'],
    ['base64 that is not canonical as it is', 'q8==', 'q8=='],
  ])('is a hint that shows %s', async (_, hint, shown) => {
    const tree = await treeOf(signBlob({ managed: true, hint }).bundle)
    expect(section(tree, 'Content')).toEqual(['- Content: Public Key Identifier', `  - Hint: ${shown}`])
  })
})

describe('the log entries of a bundle', () => {
  it('are left out when there are none', async () => {
    expect(section(await treeOf(signBlob({ log: 'none' }).bundle), 'Transparency Log Entries')).toEqual([])
  })

  it('are shown with promise, proof and checkpoint', async () => {
    const tree = await treeOf(
      signBlob({ entry: { treeSize: 8, leafIndex: 5, logIndex: 1005, checkpointLines: ['Timestamp: 1', 'and more'] } }).bundle,
    )
    const { logId } = universeOf().rekor
    expect(section(tree, 'Transparency Log Entries')).toEqual([
      '- Transparency Log Entries: 1',
      '  - Entry [0]:',
      '    - Log Index: 1005',
      `    - Log ID: ${Buffer.from(logId).toString('hex')}`,
      '    - Kind: hashedrekord',
      '    - Version: 0.0.1',
      '    - Integrated Time: 2026-01-15T12:01:00Z',
      '    - Inclusion Promise:',
      expect.stringMatching(/^ {6}- Signed Entry Timestamp: Present \(\d+ bytes\)$/),
      '    - Inclusion Proof:',
      '      - Log Index: 5',
      '      - Tree Size: 8',
      '      - Hashes: 3',
      '      - Checkpoint:',
      '        - Origin: rekor.universe.test - 1193050959916656506',
      '        - Tree Size: 8',
      '        - Other Content: 2 lines',
      '          - [0]: Timestamp: 1',
      '          - [1]: and more',
      '        - Witnesses: 1',
      expect.stringMatching(/^ {10}- rekor\.universe\.test: Signature Present \(\d+ bytes\)$/),
      expect.stringMatching(/^ {4}- Canonicalized Body: Present \(\d+ bytes\)$/),
    ])
  })

  it('say so when the log gave no time', async () => {
    expect(await treeOf(tiled.bundle)).toContain('      - Integrated Time: 0 (Not set)')
  })

  it.each([
    ['-1', '1969-12-31T23:59:59Z'],
    ['253402300799', '9999-12-31T23:59:59Z'],
    ['253402300800', '253402300800 s since 1970 (not a date)'],
    ['-9223372036854775808', '-9223372036854775808 s since 1970 (not a date)'],
  ])('show the time %s, which no log gives, as %s', async (integratedTime, shown) => {
    expect(await treeOf(withEntry(blob.bundle, { integratedTime }))).toContain(`      - Integrated Time: ${shown}`)
  })

  it('show a negative index as it is', async () => {
    expect(await treeOf(withEntry(blob.bundle, { logIndex: '-1' }))).toContain('      - Log Index: -1')
  })

  it('show of an empty entry what proto3 makes of it', async () => {
    expect(section(await treeOf(withMaterial(blob.bundle, { tlogEntries: [{}] })), 'Entry [0]')).toEqual([
      '- Entry [0]:',
      '  - Log Index: 0',
      '  - Integrated Time: 0 (Not set)',
      '  - [!] WARNING: v0.3 bundle tlog entry MUST contain an inclusion proof',
    ])
  })

  it('are warned of when version 0.1 has no promise', async () => {
    const { bundle } = signBlob({ version: '0.1', entry: { withPromise: false } })
    expect(warningsIn(await treeOf(bundle))).toEqual(['      - [!] WARNING: v0.1 bundle tlog entry MUST contain an inclusion promise'])
  })

  it('are warned of when version 0.2 has no proof', async () => {
    const { bundle } = signBlob({ version: '0.2', entry: { withProof: false } })
    expect(warningsIn(await treeOf(bundle))).toEqual(['      - [!] WARNING: v0.2 bundle tlog entry MUST contain an inclusion proof'])
  })

  it.each([
    ['without signatures', { envelope: 'origin\n1\nAAAA\n\n' }, 'the note has no signature'],
    ['without an empty line', { envelope: 'origin' }, 'a signed note has an empty line between text and signatures'],
    ['that is not there', { envelope: undefined }, 'a signed note has an empty line between text and signatures'],
  ])('show why a checkpoint %s cannot be parsed, and go on', async (_, checkpoint, reason) => {
    const tree = await treeOf(withProof(blob.bundle, { checkpoint }))
    const length = Buffer.byteLength(checkpoint.envelope ?? '')
    expect(section(tree, 'Checkpoint')).toEqual([`- Checkpoint: (cannot be parsed: ${reason})`, `  - Envelope: Present (${length} bytes)`])
    expect(section(tree, 'Canonicalized Body')).toHaveLength(1)
  })

  it('have no line for a checkpoint that the proof has no place for', async () => {
    expect(section(await treeOf(withProof(blob.bundle, { checkpoint: undefined })), 'Checkpoint')).toEqual([])
  })
})

describe('the timestamps of a bundle', () => {
  it('are shown with time, imprint and serial number', async () => {
    expect(section(await treeOf(tiled.bundle), 'Timestamp Verification Data')).toEqual([
      '- Timestamp Verification Data:',
      '  - RFC3161 Timestamps: 1',
      '  - Timestamp [0]:',
      '    - Time: 2026-01-15T12:01:00Z',
      '    - Hash Algorithm: SHA-256',
      '    - Message Imprint: Present (32 bytes)',
      expect.stringMatching(/^ {4}- Serial Number: \d+$/),
      '    - Policy: 1.3.6.1.4.1.57264.2',
    ])
  })

  it('are counted also when there are none', async () => {
    const bundle = withMaterial(blob.bundle, { timestampVerificationData: {} })
    expect(section(await treeOf(bundle), 'Timestamp Verification Data')).toEqual([
      '- Timestamp Verification Data:',
      '  - RFC3161 Timestamps: 0',
    ])
  })

  it('are shown with the reason when one cannot be parsed, and the next one follows', async () => {
    const { bundle } = signBlob({ log: 'v2', timestamps: [{ status: 2 }, {}] })
    const tree = section(await treeOf(bundle), 'Timestamp Verification Data')
    expect(tree.slice(1, 4)).toEqual([
      '  - RFC3161 Timestamps: 2',
      '  - Timestamp [0]: (cannot be parsed: the timestamp authority refused the request (status 2))',
      '  - Timestamp [1]:',
    ])
    expect(tree).toHaveLength(9)
  })
})

describe('the content of a bundle', () => {
  it('is a signature over a digest', async () => {
    expect((await treeOf(blob.bundle)).slice(-6)).toEqual([
      '- Content:',
      '  - Type: Message Signature',
      '  - Message Digest:',
      '    - Algorithm: SHA2_256',
      '    - Digest: Present (32 bytes)',
      expect.stringMatching(/^ {2}- Signature: Present \(\d+ bytes\)$/),
    ])
  })

  it.each([
    [{}, 'HASH_ALGORITHM_UNSPECIFIED'],
    [{ algorithm: 2 }, 'SHA2_384'],
    [{ algorithm: 77 }, '77'],
    [{ algorithm: 'MD5' }, 'MD5'],
  ])('shows the digest algorithm of %j as %s', async (messageDigest, shown) => {
    expect(await treeOf({ ...blob.bundle, messageSignature: { messageDigest } })).toContain(`    - Algorithm: ${shown}`)
  })

  it('is an empty signature when nothing is in it', async () => {
    expect((await treeOf({ ...blob.bundle, messageSignature: {} })).slice(-2)).toEqual([
      '  - Type: Message Signature',
      '  - Signature: Present (0 bytes)',
    ])
  })

  it('is an envelope with a statement', async () => {
    const tree = await treeOf(managed.bundle)
    expect(tree.slice(tree.indexOf('- Content:'))).toEqual([
      '- Content:',
      '  - Type: DSSE Envelope',
      '  - Payload Type: application/vnd.in-toto+json',
      expect.stringMatching(/^ {2}- Payload: Present \(\d+ bytes\)$/),
      '  - Payload Content (in-toto):',
      '    - Predicate Type: https://slsa.dev/provenance/v1',
      '    - Subjects: 1',
      '      - Name: app',
      '  - Signatures: 1',
      '    - Signature [0]:',
      expect.stringMatching(/^ {6}- Signature: Present \(\d+ bytes\)$/),
      '      - Key Hint: the key',
    ])
  })

  it('is not read any further when the envelope holds something else', async () => {
    const tree = await treeOf(withEnvelope(managed.bundle, { payloadType: 'text/plain' }))
    expect(section(tree, 'Payload Content (in-toto)')).toEqual([])
  })

  it.each([
    ['that is no JSON', 'hello', 'the in-toto statement is not valid JSON: expected a value, found "hello" (at character 0)', []],
    ['that is no object', '[]', 'the in-toto statement should be a JSON object', []],
    [
      'of an unknown type',
      '{"_type":"x","predicateType":"p","subject":[{"name":"a"},{"name":1},7]}',
      'statement._type should be an in-toto statement of version 0.1 or 1, found "x"',
      ['  - Predicate Type: p', '  - Subjects: 3', '    - Name: a'],
    ],
    [
      'whose members have other types',
      '{"_type":"https://in-toto.io/Statement/v1","predicateType":1,"subject":{}}',
      'statement.subject should be an array, found an object',
      [],
    ],
  ])('shows of a statement %s what is there, and why verification refuses it', async (_, payload, reason, below) => {
    expect(section(await treeOf(withPayload(payload)), 'Payload Content (in-toto)')).toEqual([
      `- Payload Content (in-toto): (cannot be parsed: ${reason})`,
      ...below,
    ])
  })

  it.each([0, 2, 3])('is warned of when the envelope has %i signatures, each of which is shown', async (count) => {
    const tree = await treeOf(
      withEnvelope(managed.bundle, { payloadType: 'text/plain', signatures: Array.from({ length: count }, () => ({ sig: 'AAAA' })) }),
    )
    expect(section(tree, 'Signatures')).toEqual([
      `- Signatures: ${count}`,
      ...Array.from({ length: count }, (_, index) => [`  - Signature [${index}]:`, '    - Signature: Present (3 bytes)']).flat(),
    ])
    expect(tree.at(-1)).toBe('  - [!] WARNING: DSSE envelope MUST contain only one signature')
  })

  it('is warned of when the envelope names another key than the bundle', async () => {
    const { bundle } = signStatement({ managed: true, keyid: 'one', hint: 'another' })
    expect(warningsIn(await treeOf(bundle))).toEqual(['      - [!] WARNING: Key hint mismatch with Verification Material'])
  })
})
