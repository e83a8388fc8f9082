import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../../src/verify/evidence.ts'
import { noteKeyHash, signatureLine } from '../../support/universe/logs.ts'
import type { EntryOptions } from '../../support/universe/logs.ts'
import { signWith } from '../../support/universe/keys.ts'
import type { EntryParts, Json, SignedBundle, SigningOptions, TrustedRootJson, Universe } from '../../support/universe/universe.ts'
import {
  canonical,
  epoch,
  issueLeaf,
  namedKey,
  signBlob,
  signStatement,
  statementAbout,
  universeOf,
} from '../../support/universe/universe.ts'
import { bent } from '../../support/universe/bent.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const universe = universeOf()

/** How plain signatures and attestations are logged, in every supported kind of entry. */
const kinds: readonly (readonly [string, SigningOptions, typeof signBlob])[] = [
  ['hashedrekord 0.0.1', {}, signBlob],
  ['hashedrekord 0.0.2', { log: 'v2' }, signBlob],
  ['rekord 0.0.1', { messageKind: 'rekord' }, signBlob],
  ['dsse 0.0.1', {}, signStatement],
  ['dsse 0.0.2', { log: 'v2', attestationKind: 'dsse 0.0.2' }, signStatement],
  ['intoto 0.0.2', { attestationKind: 'intoto 0.0.2' }, signStatement],
  ['hashedrekord 0.0.2 of an attestation', { log: 'v2' }, signStatement],
]

describe('item 25: kinds of entries', () => {
  for (const [kind, options, sign] of kinds) {
    it(`${kind} verifies, keyless and with a key`, () => {
      expect(verifySigned(sign(options)).logEntries[0]?.kind).toBe(kind.split(' ')[0])
      expect(verifySigned(sign({ ...options, managed: true })).logEntries).toHaveLength(1)
    })
    it(`${kind} under another kind or version than its own is refused`, () => {
      for (const entry of [{ kind: 'alpine' }, { version: '0.0.3' }]) {
        expect(refusalOf(() => verifySigned(sign({ ...options, entry })))).toMatchObject({
          code: 'LOG_ENTRY_MISMATCH',
          message: expect.stringContaining('the bundle says the log entry is'),
        })
      }
    })
  }
  for (const [kind, version] of [
    ['hashedrekord', '0.0.3'],
    ['cose', '0.0.1'],
    ['intoto', '0.0.3'],
  ] as const) {
    it(`${kind} ${version} is not supported, and says so`, () => {
      const body = { apiVersion: version, kind, spec: {} }
      expect(refusalOf(() => verifySigned(signBlob({ body })))).toMatchObject({
        code: 'LOG_ENTRY_INVALID',
        message: `log entries of kind "${kind}" version "${version}" are not supported`,
      })
    })
  }
  it('a body with a surprise in it is refused, though the log took it', () => {
    const signed = signBlob()
    const body = bodyOf(signed)
    expect(refusalOf(() => verifySigned(signBlob({ body: { ...body, surprise: 1 } })))).toMatchObject({ code: 'LOG_ENTRY_INVALID' })
  })
})

describe('item 26: the entry must be about this signature, this key, this artifact', () => {
  const stranger = namedKey('stranger')
  const strangerLeaf = issueLeaf({ key: stranger })
  const bends: readonly (readonly [string, (parts: EntryParts) => EntryParts, RegExp])[] = [
    [
      'another signature',
      (parts) => ({ ...parts, signature: signWith(stranger, new Uint8Array(1)) }),
      /the signature in the log entry is not the signature of the bundle/,
    ],
    [
      'another digest',
      (parts) => ({ ...parts, digest: sha256(new Uint8Array(1)) }),
      /the log entry is about another attestation|the log entry is about an artifact with sha256/,
    ],
  ]
  for (const [kind, options, sign] of kinds) {
    for (const [what, bendBody, message] of bends) {
      it(`${kind} with ${what} is refused, though the log signed it`, () => {
        expect(refusalOf(() => verifySigned(sign({ ...options, bendBody })))).toMatchObject({
          code: 'LOG_ENTRY_MISMATCH',
          message: expect.stringMatching(message),
        })
      })
    }
    it(`${kind} with another certificate is refused, though the log signed it`, () => {
      const bendBody = (parts: EntryParts): EntryParts => ({ ...parts, verifier: strangerLeaf.der })
      expect(refusalOf(() => verifySigned(sign({ ...options, bendBody })))).toMatchObject({
        code: 'LOG_ENTRY_MISMATCH',
        message: 'the certificate in the log entry is not the certificate of the bundle',
      })
    })
    it(`${kind} with another certificate for the same key is refused`, () => {
      const bendBody = (parts: EntryParts): EntryParts => ({ ...parts, verifier: issueLeaf().der })
      expect(refusalOf(() => verifySigned(sign({ ...options, bendBody })))).toMatchObject({ code: 'LOG_ENTRY_MISMATCH' })
    })
    it(`${kind} with the bare key of the certificate is refused`, () => {
      const bendBody = (parts: EntryParts): EntryParts => ({ ...parts, verifier: namedKey('signer').spki, verifierKind: 'public-key' })
      expect(refusalOf(() => verifySigned(sign({ ...options, bendBody })))).toMatchObject({ code: 'LOG_ENTRY_MISMATCH' })
    })
    it(`${kind} with another key is refused for a managed key`, () => {
      const bendBody = (parts: EntryParts): EntryParts => ({ ...parts, verifier: stranger.spki })
      expect(refusalOf(() => verifySigned(sign({ ...options, managed: true, bendBody })))).toMatchObject({
        code: 'LOG_ENTRY_MISMATCH',
        message: 'the public key in the log entry is not the given key',
      })
    })
    it(`${kind} with a certificate is refused for a managed key`, () => {
      const bendBody = (parts: EntryParts): EntryParts => ({ ...parts, verifier: issueLeaf().der, verifierKind: 'certificate' })
      expect(refusalOf(() => verifySigned(sign({ ...options, managed: true, bendBody })))).toMatchObject({ code: 'LOG_ENTRY_MISMATCH' })
    })
  }
  it("an attestation's entry does not serve a plain signature, nor the reverse", () => {
    const blob = signBlob()
    const attestation = signStatement()
    expect(refusalOf(() => verifySigned(signStatement({ body: bodyOf(blob) })))?.code).toBe('LOG_ENTRY_MISMATCH')
    expect(refusalOf(() => verifySigned(signBlob({ body: bodyOf(attestation) })))?.code).toBe('LOG_ENTRY_MISMATCH')
    // RSA signatures of one statement are the same every time.
    const rsa: SigningOptions = { key: namedKey('rsa', 'rsa'), managed: true }
    const body = hashedrekordOf(signStatement(rsa))
    expect(refusalOf(() => verifySigned(signStatement({ ...rsa, body })))).toMatchObject({
      message: expect.stringContaining('is not about an attestation'),
    })
  })
  it('an entry of an unknown log must be about the same too', () => {
    const other = universeOf({ name: 'other' })
    const mine = signBlob()
    const theirs = signBlob(
      { universe: { ...other, intermediate: universe.intermediate, ctLog: universe.ctLog } },
      new TextEncoder().encode('other'),
    )
    const bundle = bent(mine.bundle, (_, { material }) => void (material['tlogEntries'] as Json[]).push(...entriesOf(theirs)))
    expect(refusalOf(() => verifySigned(mine, { bundle }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
})

describe('item 27: Rekor v2 entries', () => {
  for (const keyDetails of ['PKIX_ECDSA_P384_SHA_384', 'PKIX_ED25519', 'PKIX_RSA_PSS_2048_SHA256', 'unknown', '']) {
    it(`with the key details ${JSON.stringify(keyDetails)} for a P-256 key is refused`, () => {
      expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', bendBody: (parts) => ({ ...parts, keyDetails }) })))?.code).toMatch(
        /^(KEY_INVALID|KEY_UNSUPPORTED|LOG_ENTRY_INVALID|LOG_ENTRY_MISMATCH)$/,
      )
    })
  }
  it('with another digest algorithm than that of the signature is refused', () => {
    const bendBody = (parts: EntryParts): EntryParts => ({
      ...parts,
      digestAlgorithm: 'sha512',
      digest: createHash('sha512').update(signBlob().artifact).digest(),
    })
    expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', bendBody })))).toMatchObject({
      code: 'LOG_ENTRY_MISMATCH',
      message: expect.stringContaining('is not that of the signature'),
    })
  })
  it('with a digest of the wrong length is refused', () => {
    expect(
      refusalOf(() => verifySigned(signBlob({ log: 'v2', bendBody: (parts) => ({ ...parts, digest: new Uint8Array(20) }) }))),
    ).toMatchObject({ code: 'LOG_ENTRY_INVALID', message: expect.stringContaining('digest of 20 bytes') })
  })
  it('with both a certificate and a key is refused', () => {
    const signed = signBlob({ log: 'v2' })
    const body = structuredClone(bodyOf(signed)) as { spec: { hashedRekordV002: { signature: { verifier: Json } } } }
    body.spec.hashedRekordV002.signature.verifier['publicKey'] = { rawBytes: base64(signed.key.spki) }
    expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', body })))).toMatchObject({
      code: 'LOG_ENTRY_INVALID',
      message: expect.stringContaining('exactly one of x509Certificate and publicKey'),
    })
  })
})

describe('item 28: attestations on Rekor v2', () => {
  it('are logged by the digest of what was signed, not by that of the payload', () => {
    const signed = signStatement({ log: 'v2' })
    expect(verifySigned(signed).statement?.predicateType).toBe('https://slsa.dev/provenance/v1')
    const { payload } = signed.bundle['dsseEnvelope'] as { payload: string }
    const bendBody = (parts: EntryParts): EntryParts => ({ ...parts, digest: sha256(Buffer.from(payload, 'base64')) })
    expect(refusalOf(() => verifySigned(signStatement({ log: 'v2', bendBody })))).toMatchObject({
      message: 'the log entry is about another attestation than that of the bundle',
    })
  })
  it('with pure Ed25519 are refused, because that signs no digest', () => {
    expect(refusalOf(() => verifySigned(signStatement({ log: 'v2', key: namedKey('ed', 'ed25519') })))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
})

describe('item 29: dsse 0.0.1', () => {
  it('with two signatures is refused', () => {
    const body = structuredClone(bodyOf(signStatement())) as { spec: { signatures: Json[] } }
    body.spec.signatures.push(...body.spec.signatures)
    expect(refusalOf(() => verifySigned(signStatement({ body })))).toMatchObject({ code: 'LOG_ENTRY_MISMATCH' })
  })
  it('without a signature is refused', () => {
    const body = structuredClone(bodyOf(signStatement())) as { spec: { signatures: Json[] } }
    body.spec.signatures = []
    expect(refusalOf(() => verifySigned(signStatement({ body })))).toMatchObject({
      code: 'LOG_ENTRY_MISMATCH',
      message: 'the log entry has 0 signatures, exactly one was expected',
    })
  })
  it('is about the payload: another statement by the same signer is refused', () => {
    const other = statementAbout(undefined, { predicate: { other: true } })
    const bundle = bent(
      signStatement().bundle,
      (json) => void (json['dsseEnvelope'] = signStatement({ statement: other }).bundle['dsseEnvelope']),
    )
    expect(refusalOf(() => verifySigned(signStatement(), { bundle }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
})

describe('item 30: inclusion', () => {
  for (const log of ['v1', 'v2'] as const) {
    for (const [treeSize, leafIndex] of [
      [1, 0],
      [2, 1],
      [3, 2],
      [8, 5],
      [9, 8],
      [100, 63],
    ] as const) {
      it(`of leaf ${leafIndex} in a tree of ${treeSize} verifies (${log})`, () => {
        expect(verifySigned(signBlob({ log, entry: { treeSize, leafIndex } })).logEntries[0]?.treeSize).toBe(BigInt(treeSize))
      })
    }
    const changes: readonly (readonly [string, (proof: Json & { hashes: string[] }) => void])[] = [
      ['a hash dropped', (proof) => void proof.hashes.pop()],
      ['a hash added', (proof) => void proof.hashes.push(base64(new Uint8Array(32)))],
      ['hashes swapped', (proof) => void (proof.hashes = proof.hashes.toReversed())],
      ['a short hash', (proof) => void (proof.hashes[0] = base64(new Uint8Array(31)))],
      ['another index', (proof) => void (proof['logIndex'] = '2')],
      ['another size', (proof) => void (proof['treeSize'] = '8')],
      ['another root', (proof) => void (proof['rootHash'] = base64(new Uint8Array(32)))],
      ['an index beyond the tree', (proof) => void (proof['logIndex'] = '7')],
      ['no size', (proof) => void delete proof['treeSize']],
    ]
    for (const [what, change] of changes) {
      it(`with ${what} is refused, even where a promise is there (${log})`, () => {
        const signed = signBlob({ log })
        const bundle = bent(signed.bundle, (_, { entry }) => change(entry['inclusionProof'] as Json & { hashes: string[] }))
        expect(refusalOf(() => verifySigned(signed, { bundle }))?.code).toMatch(/^(INCLUSION_PROOF_INVALID|LOG_ENTRY_UNVERIFIED)$/)
      })
    }
  }
  it("takes the shard's index for Rekor v1, not the global one", () => {
    expect(verifySigned(signBlob({ entry: { logIndex: 5_000_000 } })).logEntries[0]?.logIndex).toBe(5_000_000n)
  })
  it('needs one index for Rekor v2', () => {
    const signed = signBlob({ log: 'v2' })
    const bundle = bent(signed.bundle, (_, { entry }) => void (entry['logIndex'] = '4'))
    expect(refusalOf(() => verifySigned(signed, { bundle }))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: 'the log entry has the index 4, its inclusion proof 3',
    })
  })
  it('of another body than the logged one is refused', () => {
    const signed = signBlob({ entry: { withPromise: false }, timestamps: [{}] })
    const spaced = canonical(bodyOf(signed)).replace('"kind"', ' "kind"')
    const bundle = bent(signed.bundle, (_, { entry }) => void (entry['canonicalizedBody'] = Buffer.from(spaced).toString('base64')))
    expect(refusalOf(() => verifySigned(signed, { bundle }))?.code).toBe('INCLUSION_PROOF_INVALID')
  })
  it('of a version 0.1 proof without a checkpoint must be right in itself', () => {
    const signed = signBlob({ version: '0.1', entry: { withCheckpoint: false } })
    expect(verifySigned(signed).logEntries[0]?.treeSize).toBeUndefined()
    const bundle = bent(signed.bundle, (_, { entry }) => void ((entry['inclusionProof'] as Json)['rootHash'] = base64(new Uint8Array(32))))
    expect(refusalOf(() => verifySigned(signed, { bundle }))?.code).toBe('INCLUSION_PROOF_INVALID')
  })
})

describe('item 31: checkpoints', () => {
  const impostor = namedKey('impostor', 'ed25519')
  const host = 'log1.universe.test'
  const tiles = noteKeyHash(universe.tiles.key, host)
  const witness = (name: string): string => signatureLine(name, noteKeyHash(impostor, name), new Uint8Array(64))
  const good: readonly (readonly [string, EntryOptions])[] = [
    ['extension lines', { checkpointLines: ['Timestamp: 1'] }],
    ['an unknown signer before the log', { linesBefore: [witness('witness.test')] }],
    ['unknown signers after the log', { linesAfter: [witness('witness.test'), witness('other.test')] }],
    ["another key of the log's name", { linesAfter: [witness(host)] }],
  ]
  for (const [what, entry] of good) {
    for (const log of ['v1', 'v2'] as const)
      it(`with ${what} verify (${log})`, () => expect(verifySigned(signBlob({ log, entry })).logEntries).toHaveLength(1))
  }
  const envelopeOf = (entry: Json): Json => (entry['inclusionProof'] as { checkpoint: Json }).checkpoint
  const changes: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    ['without an origin', (text) => text.replace(/^.*\n/, ''), /CHECKPOINT_INVALID|LOG_ENTRY_UNVERIFIED/],
    ['with an empty origin', (text) => text.replace(/^.*\n/, '\n'), /CHECKPOINT_INVALID|NOTE_INVALID/],
    ['without a size', (text) => text.replace('\n7\n', '\n'), /CHECKPOINT_INVALID/],
    ['with a size that is no number', (text) => text.replace('\n7\n', '\n0x7\n'), /CHECKPOINT_INVALID/],
    ['with a leading zero', (text) => text.replace('\n7\n', '\n07\n'), /CHECKPOINT_INVALID/],
    ['with another size', (text) => text.replace('\n7\n', '\n8\n'), /LOG_ENTRY_UNVERIFIED/],
    ['without a root hash', (text) => text.replace(/\n[A-Za-z0-9+/]{43}=\n/, '\n'), /CHECKPOINT_INVALID/],
    ['without signatures', (text) => text.replace(/\n\n[^]*$/, '\n\n'), /NOTE_INVALID/],
    ['without the blank line', (text) => text.replace('\n\n', '\n'), /NOTE_INVALID/],
    ['with a hyphen for the dash', (text) => text.replace('—', '-'), /NOTE_INVALID/],
    ['with text behind', (text) => `${text}x`, /NOTE_INVALID/],
    ['that is empty', () => ' ', /NOTE_INVALID/],
  ]
  for (const [what, change, code] of changes) {
    for (const log of ['v1', 'v2'] as const) {
      it(`${what} is refused (${log})`, () => {
        const signed = signBlob({ log })
        const bundle = bent(
          signed.bundle,
          (_, { entry }) => void (envelopeOf(entry)['envelope'] = change(String(envelopeOf(entry)['envelope']))),
        )
        expect(refusalOf(() => verifySigned(signed, { bundle }))?.code).toMatch(code)
      })
    }
  }
  it("of another log than the entry's is refused", () => {
    const other = universeOf({ name: 'other' })
    const signed = signBlob({ log: 'v2' })
    const bundle = bent(signed.bundle, (_, { entry }) => void (entry['logId'] = { keyId: base64(universe.rekor.logId) }))
    expect(refusalOf(() => verifySigned(signed, { bundle }))?.code).toBe('LOG_ENTRY_UNVERIFIED')
    const foreign = signBlob({ log: 'v2', universe: { ...universe, tiles: { ...universe.tiles, key: other.tiles.key } } })
    expect(refusalOf(() => verifySigned(foreign, { bundle: foreign.bundle, bendRoot: () => undefined }))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: 'the checkpoint has no signature of the log',
    })
  })
  it('with the right key ID and a wrong signature is refused, whatever else is there', () => {
    const wrong = signatureLine(host, tiles, new Uint8Array(64))
    expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', entry: { signer: impostor, linesAfter: [wrong] } })))?.code).toBe(
      'LOG_ENTRY_UNVERIFIED',
    )
  })
})

describe('item 32: names', () => {
  /** What a log writes that is called this: the identifier of an Ed25519 key depends on how the name is spelled. */
  const spelledAs = ({ tiles }: Universe, name: string): EntryOptions => ({
    origin: name,
    signerName: name,
    lineKeyId: noteKeyHash(tiles.key, name),
  })
  const hostAs =
    (name: string) =>
    (root: { tlogs: { baseUrl: string }[] }): void => {
      for (const log of root.tlogs) log.baseUrl = log.baseUrl.replace('log1.universe.test', name)
    }
  it('a Rekor v2 log signs under the host of its URL', () => {
    for (const entry of [{ signerName: 'other.test' }, { origin: 'other.test' }]) {
      expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', entry })))).toMatchObject({ code: 'LOG_ENTRY_UNVERIFIED' })
    }
  })
  for (const kind of ['ed25519', 'p256'] as const) {
    it(`in whichever case each of them is spelled, as names of hosts are (${kind})`, () => {
      const ours = universeOf({ tilesKey: kind })
      const spelled = ['log1.universe.test', 'LOG1.Universe.test', 'LOG1.UNIVERSE.TEST']
      for (const origin of spelled) {
        const signed = signBlob({ log: 'v2', universe: ours, entry: spelledAs(ours, origin) })
        for (const name of spelled) {
          expect(verifySigned(signed, { bendRoot: hostAs(name) }).logEntries, `${origin} at ${name}`).toHaveLength(1)
        }
        for (const name of ['log2.universe.test', 'xlog1.universe.test', 'log1.universe.tes']) {
          expect(refusalOf(() => verifySigned(signed, { bendRoot: hostAs(name) }))?.code).toBe('LOG_ENTRY_UNVERIFIED')
        }
      }
    })
  }
  it('in another case of ASCII letters only, and in the same in both lines', () => {
    const kelvin = spelledAs(universe, 'log1.\u212Aniverse.test')
    const signed = signBlob({ log: 'v2', entry: kelvin })
    expect(refusalOf(() => verifySigned(signed, { bendRoot: hostAs('log1.kniverse.test') }))?.code).toBe('LOG_ENTRY_UNVERIFIED')
    for (const half of [{ origin: 'LOG1.universe.test' }, { signerName: 'LOG1.universe.test' }]) {
      expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', entry: half })))?.code).toBe('LOG_ENTRY_UNVERIFIED')
    }
  })
  it('and not with another key, however its name is spelled', () => {
    const entry = { ...spelledAs(universe, 'LOG1.universe.test'), signer: namedKey('impostor', 'ed25519') }
    expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', entry })))?.code).toBe('LOG_ENTRY_UNVERIFIED')
  })
  it('and its URL may lack the scheme', () => {
    const bendRoot = (root: { tlogs: { baseUrl: string }[] }): void => {
      for (const log of root.tlogs) log.baseUrl = log.baseUrl.replace('https://', '')
    }
    expect(verifySigned(signBlob({ log: 'v2' }), { bendRoot }).logEntries).toHaveLength(1)
  })
  it('a Rekor v1 log may sign under any name', () => {
    expect(verifySigned(signBlob({ entry: { signerName: 'rekor.internal', origin: 'rekor.internal - 42' } })).logEntries).toHaveLength(1)
  })
})

describe('item 33: key IDs of checkpoints', () => {
  it('are matched before any signature is checked: another ID is another signer', () => {
    const signed = signBlob({ log: 'v2' })
    const bundle = bent(signed.bundle, (_, { entry }) => {
      const checkpoint = (entry['inclusionProof'] as { checkpoint: { envelope: string } }).checkpoint
      checkpoint.envelope = checkpoint.envelope.replace(/(— \S+ )(\S+)/, (_line, head: string, body: string) => {
        const bytes = Buffer.from(body, 'base64')
        bytes[0] = (bytes[0] ?? 0) ^ 1
        return head + bytes.toString('base64')
      })
    })
    expect(refusalOf(() => verifySigned(signed, { bundle }))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: 'the checkpoint has no signature of the log',
    })
  })
})

describe('item 34: witnesses', () => {
  it('are ignored, since the trusted root has none', () => {
    const line = signatureLine('witness.test', Uint8Array.of(1, 2, 3, 4), new Uint8Array(72))
    expect(verifySigned(signBlob({ log: 'v2', entry: { linesAfter: [line] } })).logEntries).toHaveLength(1)
  })
})

describe('item 35: thresholds', () => {
  it('are one entry, one SCT and one time', () => {
    expect(refusalOf(() => verifySigned(signBlob({ log: 'none', timestamps: [{}] })))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: expect.stringContaining('0 < 1'),
    })
    expect(refusalOf(() => verifySigned(signBlob({ scts: [] })))).toMatchObject({ code: 'SCT_UNVERIFIED' })
    expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', timestamps: [] })))).toMatchObject({ code: 'TIME_UNVERIFIED' })
  })
  it('may ask for a time of either kind', () => {
    const promised = signBlob()
    expect(refusalOf(() => verifySigned(promised, { options: { thresholds: { signedTimestamps: 1 } } }))).toMatchObject({
      message: 'threshold not met for verified signed timestamps: 0 < 1',
    })
    const stamped = signBlob({ log: 'v2' })
    expect(refusalOf(() => verifySigned(stamped, { options: { thresholds: { integratedTimes: 1 } } }))).toMatchObject({
      message: 'threshold not met for verified log entry integrated timestamps: 0 < 1',
    })
    const both = signBlob({ timestamps: [{}] })
    expect(verifySigned(both, { options: { thresholds: { signedTimestamps: 1, integratedTimes: 1, times: 2 } } }).times).toHaveLength(2)
  })
  it('do not count an entry twice: it is refused', () => {
    const signed = signBlob()
    const bundle = bent(signed.bundle, (_, { material, entry }) => void (material['tlogEntries'] = [entry, entry]))
    expect(refusalOf(() => verifySigned(signed, { bundle, options: { thresholds: { logEntries: 2 } } }))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: 'the bundle has the entry 1000003 of one log twice',
    })
  })
  describe('an entry with a proof alone, whose index over all shards is whatever the bundle says', () => {
    const proven = signBlob({ timestamps: [{}], entry: { withPromise: false } })
    const promised = signBlob({ timestamps: [{}] })
    const [atIndex] = entriesOf(promised)
    const unpromised = { ...atIndex, logIndex: '77', inclusionPromise: undefined, integratedTime: undefined }
    const verified = (signed: SignedBundle, entries: readonly object[], bendRoot?: (root: TrustedRootJson) => void): Evidence => {
      const bundle = bent(signed.bundle, (_, { material }) => void (material['tlogEntries'] = entries))
      return verifySigned(signed, { bundle, ...(bendRoot === undefined ? {} : { bendRoot }) })
    }
    it('is in the evidence once, however often it is in the bundle', () => {
      const [entry] = entriesOf(proven)
      const { logEntries, notes } = verified(proven, [entry ?? {}, { ...entry, logIndex: '1' }, { ...entry, logIndex: '2' }])
      expect(logEntries).toMatchObject([{ treeIndex: 3n, logIndex: undefined }])
      expect(notes.filter((note) => note.includes('a second time'))).toHaveLength(2)
    })
    it('is in the evidence once, also where a later tree has it', () => {
      const later = entriesOf(signBlob({ body: bodyOf(proven), entry: { withPromise: false, treeSize: 9, logIndex: 5 } }))
      expect(verified(proven, [...entriesOf(proven), ...later]).logEntries).toHaveLength(1)
    })
    it('is in the evidence with what was promised, wherever it stands', () => {
      for (const entries of [
        [unpromised, atIndex ?? {}],
        [atIndex ?? {}, unpromised],
        [unpromised, atIndex ?? {}, { ...unpromised, logIndex: '78' }],
      ]) {
        const { logEntries, times } = verified(promised, entries)
        expect(logEntries).toMatchObject([{ logIndex: 1000003n, integratedTime: new Date(epoch + 60_000) }])
        expect(times).toHaveLength(2)
      }
    })
    it('must be right, though it is in the evidence already', () => {
      const wrong = structuredClone(unpromised) as Json
      ;(wrong['inclusionProof'] as Json)['rootHash'] = base64(new Uint8Array(32))
      expect(refusalOf(() => verified(promised, [atIndex ?? {}, wrong]))?.code).toBe('LOG_ENTRY_UNVERIFIED')
    })
    it('is in the evidence once for each log that has it', () => {
      const other = universeOf({ name: 'other log' })
      const elsewhere = signBlob({ universe: { ...universe, rekor: other.rekor }, body: bodyOf(proven), entry: { withPromise: false } })
      const both = (root: TrustedRootJson): void => void root.tlogs.push(...(JSON.parse(other.trustedRoot()) as TrustedRootJson).tlogs)
      expect(verified(proven, [...entriesOf(proven), ...entriesOf(elsewhere)], both).logEntries).toHaveLength(2)
    })
  })
  it('an entry of Rekor v2 is in the evidence once, however the bundle names the log', () => {
    const signed = signBlob({ log: 'v2' })
    const checkpointKeyId = { keyId: base64(universe.tiles.logId.subarray(0, 4)) }
    const bundle = bent(
      signed.bundle,
      (_, { material, entry }) => void (material['tlogEntries'] = [entry, { ...entry, logId: checkpointKeyId }]),
    )
    const bendRoot = (root: TrustedRootJson): void => {
      for (const log of root.tlogs) if (log.baseUrl === universe.tiles.baseUrl) log.checkpointKeyId = checkpointKeyId
    }
    expect(verifySigned(signed, { bundle, bendRoot }).logEntries).toHaveLength(1)
  })
  it('do not count another entry of the same log either', () => {
    const signed = signBlob()
    const again = signBlob({ body: bodyOf(signed), entry: { logIndex: 2_000_000, integratedTime: epoch / 1000 + 90 } })
    const bundle = bent(signed.bundle, (_, { material, entry }) => void (material['tlogEntries'] = [entry, ...entriesOf(again)]))
    expect(verifySigned(signed, { bundle }).logEntries).toHaveLength(2)
    expect(refusalOf(() => verifySigned(signed, { bundle, options: { thresholds: { logEntries: 2 } } }))).toMatchObject({
      message: expect.stringContaining('1 < 2'),
    })
  })
  it('more than 32 entries are refused', () => {
    const signed = signBlob()
    const bundle = bent(signed.bundle, (_, { material, entry }) => void (material['tlogEntries'] = Array.from({ length: 33 }, () => entry)))
    expect(refusalOf(() => verifySigned(signed, { bundle }))).toMatchObject({ code: 'BUNDLE_INVALID' })
  })
})

function entriesOf(signed: { readonly bundle: Json }): Json[] {
  return (signed.bundle['verificationMaterial'] as { tlogEntries: Json[] }).tlogEntries
}

function bodyOf(signed: { readonly bundle: Json }): object {
  return JSON.parse(Buffer.from(String(entriesOf(signed)[0]?.['canonicalizedBody']), 'base64').toString()) as object
}

/** A hashedrekord entry that has the signature and certificate of an attestation. */
function hashedrekordOf(signed: ReturnType<typeof signStatement>): object {
  const { spec } = bodyOf(signBlob()) as { spec: { signature: Json } }
  const { spec: dsse } = bodyOf(signed) as { spec: { signatures: { signature: string; verifier: string }[]; payloadHash: Json } }
  const [logged] = dsse.signatures
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      ...spec,
      data: { hash: dsse.payloadHash },
      signature: { content: logged?.signature, publicKey: { content: logged?.verifier } },
    },
  }
}
