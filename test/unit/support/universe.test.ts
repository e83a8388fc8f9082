import { describe, expect, it } from 'vitest'
import { loadEd25519ph } from '../../../src/crypto/signature.ts'
import { verifyWithSigstoreJs } from '../../support/sigstore-js.ts'
import { pkcs1Of } from '../../support/universe/keys.ts'
import { cosignature } from '../../support/universe/logs.ts'
import type { SigningOptions } from '../../support/universe/universe.ts'
import { epoch, namedKey, signBlob, signStatement, universeOf } from '../../support/universe/universe.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'

await loadEd25519ph()

const everyKind = ['signature', 'attestation'] as const
const signers = { signature: signBlob, attestation: signStatement }
const ed25519 = namedKey('signer', 'ed25519')

/** What sigstore-js 3 has no code for. sigstore-go has, unless it says otherwise here. */
const digestOfPae = 'digest mismatch'
const onlySha256 = 'signature verification failed'

interface Shape {
  readonly what: string
  readonly options: SigningOptions
  /** What sigstore-js says where it cannot follow. */
  readonly refusal?: Partial<Record<(typeof everyKind)[number], string>>
  readonly entries?: number
}

const shapes: readonly Shape[] = [
  { what: 'version 0.1', options: { version: '0.1', oldMediaType: true } },
  { what: 'version 0.1 and a promise alone', options: { version: '0.1', oldMediaType: true, entry: { withProof: false } } },
  { what: 'version 0.2', options: { version: '0.2', oldMediaType: true } },
  { what: 'version 0.3', options: {} },
  { what: 'version 0.3 in the old spelling', options: { oldMediaType: true } },
  {
    what: 'version 0.2 in the new spelling',
    options: { version: '0.2' },
    refusal: { signature: 'invalid bundle', attestation: 'invalid bundle' },
  },
  { what: 'a timestamp beside the promise', options: { timestamps: [{}] } },
  { what: 'a timestamp instead of the promise', options: { timestamps: [{}], entry: { withPromise: false } } },
  {
    what: 'a timestamp of SHA-512 with its certificate',
    options: { timestamps: [{ imprint: 'sha512', certificates: [universeOf().timestampLeaf.der] }] },
  },
  { what: 'a Rekor v2 entry', options: { log: 'v2' }, refusal: { attestation: digestOfPae } },
  { what: 'a Rekor v2 entry of kind dsse', options: { log: 'v2', attestationKind: 'dsse 0.0.2' } },
  {
    what: 'a Rekor v2 entry with a witness',
    options: { log: 'v2', entry: { linesBefore: [cosignature(namedKey('witness', 'ed25519'), 'witness.test', epoch / 1000)] } },
    refusal: { attestation: digestOfPae },
  },
  { what: 'entries in both logs', options: { log: 'both' }, refusal: { attestation: digestOfPae }, entries: 2 },
  { what: 'an entry of kind intoto', options: { attestationKind: 'intoto 0.0.2' } },
  { what: 'an entry of kind rekord', options: { messageKind: 'rekord' }, refusal: { signature: 'unsupported kind: rekord' } },
  { what: 'a tree of one entry', options: { entry: { treeSize: 1, leafIndex: 0 } } },
  { what: 'a tree of 2^52 entries', options: { entry: { treeSize: 2 ** 52 + 12_345, leafIndex: 2 ** 51 + 7 } } },
  { what: 'a P-384 key', options: { key: namedKey('signer', 'p384') }, refusal: { attestation: onlySha256 } },
  { what: 'a P-521 key', options: { key: namedKey('signer', 'p521') }, refusal: { attestation: onlySha256 } },
  { what: 'an RSA key', options: { key: namedKey('signer', 'rsa') } },
  { what: 'an Ed25519 key', options: { key: ed25519 }, refusal: { signature: onlySha256 } },
  { what: 'a managed key', options: { managed: true } },
  { what: 'a managed key and version 0.1', options: { managed: true, version: '0.1', oldMediaType: true } },
  { what: 'a managed key and a Rekor v2 entry', options: { managed: true, log: 'v2' }, refusal: { attestation: digestOfPae } },
  { what: 'a managed RSA key', options: { managed: true, key: namedKey('signer', 'rsa') } },
  { what: 'extensions in the SCT', options: { scts: [{ extensions: Uint8Array.of(0, 0, 5, 0, 0, 0, 1, 2) }] } },
  { what: 'no intermediate', options: { universe: universeOf({ intermediates: 0 }) } },
  { what: 'three intermediates', options: { universe: universeOf({ intermediates: 3 }) } },
  { what: 'an RSA root', options: { universe: universeOf({ rootKey: 'rsa' }) } },
  { what: 'an Ed25519 authority', options: { universe: universeOf({ rootKey: 'ed25519', issuingKey: 'ed25519' }) } },
  { what: 'a P-384 timestamp authority', options: { universe: universeOf({ timestampKey: 'p384' }), timestamps: [{}] } },
  { what: 'another time', options: { universe: universeOf({ time: Date.UTC(2024, 1, 29) }), timestamps: [{}] } },
]

describe('a bundle of the universe', () => {
  for (const { what, options, refusal, entries = 1 } of shapes) {
    for (const kind of everyKind) {
      const signed = signers[kind](options)
      it(`with ${what}, ${kind}, verifies here`, () => {
        expect(verifySigned(signed).logEntries).toHaveLength(entries)
      })
      const expected = refusal?.[kind]
      it(`with ${what}, ${kind}, ${expected === undefined ? 'verifies' : 'is beyond what is known'} in sigstore-js, the oracle`, () => {
        const verified = expect(() => verifyWithSigstoreJs(signed, { logEntries: entries }))
        if (expected === undefined) verified.not.toThrow()
        else verified.toThrow(expected)
      })
    }
  }

  it('with Ed25519ph, which sigstore-go asks for where Rekor v1 has the entry, verifies here', () => {
    expect(verifySigned(signBlob({ key: ed25519, prehashed: true })).logEntries).toHaveLength(1)
    expect(refusalOf(() => verifySigned(signBlob({ key: ed25519, prehashed: true, signs: new Uint8Array(1) })))).toMatchObject({
      code: 'SIGNATURE_INVALID',
      message: expect.stringContaining('not made over this artifact'),
    })
  })
})

describe('a universe', () => {
  it('is made once for the same options', () => {
    expect(universeOf({ name: 'once' })).toBe(universeOf({ name: 'once' }))
    expect(universeOf({ name: 'once' })).not.toBe(universeOf({ name: 'twice' }))
  })

  it('has keys of its own by its name', () => {
    expect(universeOf({ name: 'one' }).rekor.logId).not.toEqual(universeOf({ name: 'two' }).rekor.logId)
    expect(universeOf({ name: 'one', intermediates: 2 }).rekor.logId).toEqual(universeOf({ name: 'one' }).rekor.logId)
  })

  it('does not trust what another one signed', () => {
    const elsewhere = { ...signBlob(), universe: universeOf({ name: 'other' }) }
    expect(refusalOf(() => verifySigned(elsewhere))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: expect.stringContaining('not enough verified log entries'),
    })
    expect(() => verifyWithSigstoreJs(elsewhere)).toThrow('Failed to verify certificate chain')
  })

  it('has a trusted root that a test may bend, each time from the start', () => {
    const universe = universeOf()
    const bent = universe.trustedRoot((root) => void (root.tlogs = []))
    expect(JSON.parse(bent)).toMatchObject({ tlogs: [] })
    expect(JSON.parse(universe.trustedRoot())).toMatchObject({ tlogs: [{}, {}] })
    expect(refusalOf(() => verifySigned(signBlob(), { bendRoot: (root) => void (root.tlogs = []) }))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
    })
  })

  it('may have the old form of RSA keys in its trusted root', () => {
    const universe = universeOf({ logKey: 'rsa' })
    const signed = signBlob({ universe })
    const evidence = verifySigned(signed, {
      bendRoot: ({ tlogs: [rekor] }) => {
        if (rekor === undefined) throw new Error('no log in the trusted root')
        rekor.publicKey = {
          ...rekor.publicKey,
          rawBytes: Buffer.from(pkcs1Of(universe.rekor.key)).toString('base64'),
          keyDetails: 'PKCS1_RSA_PKCS1V5',
        }
      },
    })
    expect(evidence.logEntries).toHaveLength(1)
  })
})
