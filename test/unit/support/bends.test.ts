import { describe, expect, it } from 'vitest'
import { derNull } from '../../../src/encoding/der-writer.ts'
import { verifyWithSigstoreJs } from '../../support/sigstore-js.ts'
import { certificateAlgorithm, distinguishedName, extension } from '../../support/universe/certificates.ts'
import { cosignature } from '../../support/universe/logs.ts'
import type { EntryParts, SigningOptions, StatementOptions, UniverseOptions } from '../../support/universe/universe.ts'
import { epoch, namedKey, signBlob, signStatement, statementAbout, universeOf } from '../../support/universe/universe.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'

/**
 * One bend and the one check that it runs into: the bundle is consistent otherwise. Where sigstore-js checks the same, it
 * must refuse the bundle as well; `unchecked` says that it does not.
 */
interface Bend<Options> {
  readonly what: string
  readonly options: Options
  readonly code: string
  readonly message: RegExp
  readonly oracle: RegExp | 'unchecked'
}

const universe = universeOf()
const stranger = namedKey('stranger')
const elsewhere = universeOf({ name: 'elsewhere' })
const critical = extension('1.3.6.1.4.1.99999.1', derNull(), true)
const minute = 60_000

const zeros = (length: number): Uint8Array => new Uint8Array(length)
const body = (change: Partial<EntryParts>): SigningOptions => ({ bendBody: (parts) => ({ ...parts, ...change }) })
const stamped = (timestamp: NonNullable<SigningOptions['timestamps']>[number]): SigningOptions => ({ log: 'v2', timestamps: [timestamp] })
const within = (options: UniverseOptions, log: 'v1' | 'v2' = 'v1'): SigningOptions => ({ universe: universeOf(options), log })
const row = <Options>(what: string, options: Options, code: string, message: RegExp, oracle: Bend<Options>['oracle']): Bend<Options> => ({
  what,
  options,
  code,
  message,
  oracle,
})

const signatures: readonly Bend<SigningOptions>[] = [
  row('made with another key', { signer: stranger }, 'SIGNATURE_INVALID', /not made over this artifact/, /signature verification failed/),
  row('of other bytes', { signs: zeros(9) }, 'SIGNATURE_INVALID', /not made over this artifact/, /signature verification failed/),
]

const bodies: readonly Bend<SigningOptions>[] = [
  row('another digest', body({ digest: zeros(32) }), 'LOG_ENTRY_MISMATCH', /about an artifact with sha256 00/, /digest mismatch/),
  row('another signature', body({ signature: zeros(70) }), 'LOG_ENTRY_MISMATCH', /signature in the log entry/, /signature mismatch/),
  row(
    'another certificate',
    body({ verifier: signBlob({ key: stranger }).certificate }),
    'LOG_ENTRY_MISMATCH',
    /certificate in the log/,
    'unchecked',
  ),
  row(
    'a key',
    body({ verifier: namedKey('signer').spki, verifierKind: 'public-key' }),
    'LOG_ENTRY_MISMATCH',
    /certificate in the log/,
    'unchecked',
  ),
  row(
    'another key type',
    { log: 'v2', ...body({ keyDetails: 'PKIX_ED25519' }) },
    'KEY_INVALID',
    /kind PKIX_ED25519, found ecdsa P-256/,
    'unchecked',
  ),
  row('another kind', { body: { apiVersion: '0.0.1', kind: 'helm', spec: {} } }, 'LOG_ENTRY_INVALID', /kind "helm"/, /unsupported kind/),
  row('text', { body: 'not JSON' }, 'JSON_INVALID', /not valid JSON/, /not valid JSON/),
]

const certificates: readonly Bend<SigningOptions>[] = [
  row(
    'by another universe',
    { issuedBy: elsewhere.intermediate },
    'CERTIFICATE_UNTRUSTED',
    /not a certificate authority of/,
    /certificate chain/,
  ),
  row('by nobody', { certificate: { issuerName: 'nobody' } }, 'CERTIFICATE_UNTRUSTED', /CN=nobody/, /certificate chain/),
  row(
    'by another key',
    { certificate: { signer: namedKey('stranger', 'p384') } },
    'CERTIFICATE_UNTRUSTED',
    /signature of the certificate/,
    /chain/,
  ),
  row(
    'with two algorithms',
    { certificate: { outerAlgorithm: certificateAlgorithm('p256') } },
    'CERTIFICATE_INVALID',
    /algorithms .* differ/,
    /chain/,
  ),
  row(
    'expired',
    { certificate: { notAfter: epoch + minute / 2 } },
    'CERTIFICATE_EXPIRED',
    /not at the time of the signature/,
    /certificate chain/,
  ),
  row('not valid yet', { certificate: { notBefore: epoch + 2 * minute } }, 'CERTIFICATE_EXPIRED', /not at the time/, /certificate chain/),
  row('of another issuer', { oidcIssuer: 'https://evil.test' }, 'IDENTITY_MISMATCH', /issuer https:\/\/evil\.test/, 'unchecked'),
  row('of another subject', { subjects: [{ email: 'a@evil.test' }] }, 'IDENTITY_MISMATCH', /a@evil\.test/, 'unchecked'),
  row(
    'of two subjects',
    { subjects: [{ email: 'a@b.test' }, { uri: 'https://b.test' }] },
    'CERTIFICATE_UNTRUSTED',
    /has 2 subject/,
    'unchecked',
  ),
  row('of no subject', { subjects: [] }, 'CERTIFICATE_UNTRUSTED', /no subject alternative name/, 'unchecked'),
  row('of a host', { subjects: [{ dns: 'evil.test' }] }, 'CERTIFICATE_UNTRUSTED', /neither an e-mail address/, 'unchecked'),
  row('for nothing', { certificate: { keyUsage: 'none' } }, 'CERTIFICATE_UNTRUSTED', /key usage/, 'unchecked'),
  row('for key agreement', { certificate: { keyUsage: [4] } }, 'CERTIFICATE_UNTRUSTED', /key usage/, 'unchecked'),
  row('for servers', { certificate: { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] } }, 'CERTIFICATE_UNTRUSTED', /code signing/, 'unchecked'),
  row(
    'of an authority',
    { certificate: { ca: true, keyUsage: [0] } },
    'CERTIFICATE_UNTRUSTED',
    /certificate authority, not of a signer/,
    'unchecked',
  ),
  row('with a critical extension', { certificate: { extensions: [critical] } }, 'CERTIFICATE_UNTRUSTED', /not understood/, 'unchecked'),
  row('with a bare issuer', { certificate: { sigstore: { 8: zeros(3) } } }, 'DER_INVALID', /57264\.1\.8/, 'unchecked'),
]

const scts: readonly Bend<SigningOptions>[] = [
  row('none', { scts: [] }, 'SCT_UNVERIFIED', /the certificate has none/, /expected 1 SCTs, got 0/),
  row('by another key', { scts: [{ signer: stranger }] }, 'SCT_UNVERIFIED', /signature of the SCT/, /SCT verification failed/),
  row('by another log', { scts: [{ log: stranger }] }, 'SCT_UNVERIFIED', /unknown CT log/, /SCT verification failed/),
  row('naming another log', { scts: [{ logId: zeros(32) }] }, 'SCT_UNVERIFIED', /unknown CT log/, /SCT verification failed/),
  row(
    'for another issuer',
    { scts: [{ issuerSpki: universe.root.key.spki }] },
    'SCT_UNVERIFIED',
    /signature of the SCT/,
    /SCT verification/,
  ),
  row('for another certificate', { scts: [{ tbs: zeros(99) }] }, 'SCT_UNVERIFIED', /signature of the SCT/, /SCT verification/),
  row('of another version', { scts: [{ version: 1 }] }, 'SCT_UNVERIFIED', /none of version 1/, 'unchecked'),
  row('of another algorithm', { scts: [{ algorithm: [4, 1] }] }, 'SCT_UNVERIFIED', /says it is signed with rsa/, 'unchecked'),
  row('before the log began', { scts: [{ time: 0 }] }, 'SCT_UNVERIFIED', /the CT log is trusted from/, /SCT verification/),
]

const entries: readonly Bend<SigningOptions>[] = [
  row('by another key', { entry: { signer: stranger } }, 'LOG_ENTRY_UNVERIFIED', /signed entry timestamp/, /inclusion promise/),
  row('with another digest', { entry: { digest: 'sha512' } }, 'LOG_ENTRY_UNVERIFIED', /signed entry timestamp/, /inclusion promise/),
  row(
    'promised for another index',
    { entry: { bendPromise: (promise) => ({ ...promise, logIndex: 3 }) } },
    'LOG_ENTRY_UNVERIFIED',
    /signed entry/,
    /promise/,
  ),
  row(
    'promised in another spelling',
    { entry: { bendPromise: (promise) => JSON.stringify(promise, null, 1) } },
    'LOG_ENTRY_UNVERIFIED',
    /signed entry/,
    /promise/,
  ),
  row(
    'logged too late',
    { entry: { integratedTime: (epoch + 11 * minute) / 1000 } },
    'CERTIFICATE_EXPIRED',
    /2026-01-15T12:11/,
    /certificate chain/,
  ),
  row('of two kinds', { entry: { kind: 'dsse' } }, 'LOG_ENTRY_MISMATCH', /it is hashedrekord 0\.0\.1/, /kind\/version mismatch/),
  row('of two versions', { entry: { version: '0.0.2' } }, 'LOG_ENTRY_MISMATCH', /it is hashedrekord 0\.0\.1/, /kind\/version mismatch/),
  row('without a time', { entry: { withPromise: false } }, 'TIME_UNVERIFIED', /0 of 1 found/, /expected 1 timestamps, got 0/),
  row('without a proof', { entry: { withProof: false } }, 'BUNDLE_INVALID', /inclusionProof .* is missing/, /invalid bundle/),
  row('without a checkpoint', { entry: { withCheckpoint: false } }, 'BUNDLE_INVALID', /checkpoint is missing/, /invalid bundle/),
  row('missing', { log: 'none', timestamps: [{}] }, 'LOG_ENTRY_UNVERIFIED', /0 < 1/, /expected 1 tlog entries, got 0/),
]

const root = /\n[A-Za-z0-9+/]{43}=\n/
const checkpoints: readonly Bend<SigningOptions>[] = [
  row(
    'of another root',
    { entry: { bendCheckpoint: (text) => text.replace(root, `\n${'A'.repeat(43)}=\n`) } },
    'LOG_ENTRY_UNVERIFIED',
    /another root/,
    /root hash/,
  ),
  row(
    'of another size',
    { entry: { bendCheckpoint: (text) => text.replace('\n7\n', '\n8\n') } },
    'LOG_ENTRY_UNVERIFIED',
    /which has 8/,
    'unchecked',
  ),
  row(
    'of a strange size',
    { entry: { bendCheckpoint: (text) => text.replace('\n7\n', '\n07\n') } },
    'CHECKPOINT_INVALID',
    /leading zeros/,
    'unchecked',
  ),
  row('of another origin', { log: 'v2', entry: { origin: 'evil.test' } }, 'LOG_ENTRY_UNVERIFIED', /of the log "evil\.test"/, 'unchecked'),
  row(
    'by another name',
    { log: 'v2', entry: { signerName: 'evil.test' } },
    'LOG_ENTRY_UNVERIFIED',
    /no signature of the log/,
    /invalid checkpoint/,
  ),
  row('by another key ID', { entry: { lineKeyId: zeros(4) } }, 'LOG_ENTRY_UNVERIFIED', /no signature of the log/, /invalid checkpoint/),
  row(
    'by another key',
    { log: 'v2', entry: { signer: namedKey('stranger', 'ed25519') } },
    'LOG_ENTRY_UNVERIFIED',
    /does not verify/,
    /invalid checkpoint/,
  ),
  row('by nobody', { entry: { withOwnLine: false } }, 'NOTE_INVALID', /no signature/, /no signatures found/),
  row(
    'by a witness alone',
    { entry: { withOwnLine: false, linesAfter: [cosignature(namedKey('witness', 'ed25519'), 'witness.test', 1)] } },
    'LOG_ENTRY_UNVERIFIED',
    /no signature of the log/,
    /invalid checkpoint/,
  ),
]

const timestamps: readonly Bend<SigningOptions>[] = [
  row('missing', { log: 'v2', timestamps: [] }, 'TIME_UNVERIFIED', /0 of 1 found/, /expected 1 timestamps, got 0/),
  row('of other bytes', stamped({ over: zeros(9) }), 'TIMESTAMP_UNVERIFIED', /other bytes than this signature/, /could not be verified/),
  row(
    'of another authority',
    stamped({ signer: elsewhere.timestampLeaf }),
    'TIME_UNVERIFIED',
    /the trusted root does not have/,
    /could not be/,
  ),
  row('by another key', stamped({ key: stranger }), 'TIMESTAMP_UNVERIFIED', /signature of the timestamp/, /could not be verified/),
  row('naming another certificate', stamped({ names: universe.timestampRoot }), 'TIME_UNVERIFIED', /0 of 1 found/, /could not be verified/),
  row('naming another issuer', stamped({ issuerName: distinguishedName('nobody') }), 'TIME_UNVERIFIED', /0 of 1 found/, /could not be/),
  row(
    'with another message digest',
    stamped({ wrongMessageDigest: true }),
    'TIMESTAMP_UNVERIFIED',
    /messageDigest/,
    /could not be verified/,
  ),
  row(
    'with another certificate hash',
    stamped({ wrongCertificateHash: true }),
    'TIMESTAMP_UNVERIFIED',
    /another signing certificate/,
    'unchecked',
  ),
  row('of another content', stamped({ contentType: '1.2.840.113549.1.7.1' }), 'TIMESTAMP_INVALID', /content is a timestamp/, 'unchecked'),
  row('refused', stamped({ status: 2 }), 'TIMESTAMP_INVALID', /status 2/, 'unchecked'),
  row('without a token', stamped({ withoutToken: true }), 'DER_INVALID', /timeStampToken is missing/, /undefined/),
  row('with another time', stamped({ genTimeText: 'tomorrow' }), 'DER_INVALID', /genTime/, /invalid time/),
  row('of SHA-1', stamped({ imprint: 'sha1' }), 'TIMESTAMP_INVALID', /1\.3\.14\.3\.2\.26/, /could not be verified/),
  row('with a critical extension', stamped({ extensions: [critical] }), 'TIMESTAMP_INVALID', /critical extension/, 'unchecked'),
  row('too early', stamped({ genTime: epoch - 1000 }), 'CERTIFICATE_EXPIRED', /2026-01-15T11:59:59/, /certificate chain/),
  row('too late', stamped({ genTime: epoch + 11 * minute }), 'CERTIFICATE_EXPIRED', /2026-01-15T12:11/, /certificate chain/),
]

const services: readonly Bend<SigningOptions>[] = [
  row('an expired root', within({ certificates: { root: { notAfter: epoch } } }), 'CERTIFICATE_EXPIRED', /CN=root/, /certificate chain/),
  row(
    'an expired intermediate',
    within({ certificates: { intermediate: { notAfter: epoch } } }),
    'CERTIFICATE_EXPIRED',
    /CN=intermediate/,
    /chain/,
  ),
  row(
    'no authority',
    within({ certificates: { intermediate: { ca: false } } }),
    'CERTIFICATE_UNTRUSTED',
    /basic constraints/,
    /certificate chain/,
  ),
  row(
    'too long a path',
    within({ intermediates: 2, certificates: { intermediate: { pathLength: 0 } } }),
    'CERTIFICATE_UNTRUSTED',
    /below it/,
    /chain/,
  ),
  row(
    'an expired timestamp leaf',
    within({ certificates: { timestampLeaf: { notAfter: epoch } } }, 'v2'),
    'CERTIFICATE_EXPIRED',
    /CN=tsa/,
    /could not be/,
  ),
  row(
    'a timestamp leaf for more',
    within({ certificates: { timestampLeaf: { extendedKeyUsageCritical: false } } }, 'v2'),
    'TIMESTAMP_UNVERIFIED',
    /time stamping alone/,
    'unchecked',
  ),
]

const attestations: readonly Bend<StatementOptions>[] = [
  row('of another payload type', { payloadType: 'text/plain' }, 'ARTIFACT_MISMATCH', /"text\/plain"/, 'unchecked'),
  row('of no statement', { statement: 'not JSON' }, 'JSON_INVALID', /in-toto statement/, 'unchecked'),
  row(
    'of no subject',
    { statement: { _type: 'https://in-toto.io/Statement/v1', subject: [], predicateType: 'x' } },
    'STATEMENT_INVALID',
    /subject/,
    'unchecked',
  ),
  row('of another artifact', { statement: statementAbout(zeros(9)) }, 'ARTIFACT_MISMATCH', /none of its 1 subjects/, 'unchecked'),
  row('of other bytes', { signs: zeros(9) }, 'SIGNATURE_INVALID', /signature/, /signature verification failed/),
  row('logged with another payload', body({ digest: zeros(32) }), 'LOG_ENTRY_MISMATCH', /another attestation/, /payload hash mismatch/),
  row('logged with another signature', body({ signature: zeros(70) }), 'LOG_ENTRY_MISMATCH', /signature in the log/, /signature mismatch/),
  row(
    'logged as intoto with another payload',
    { attestationKind: 'intoto 0.0.2', ...body({ digest: zeros(32) }) },
    'LOG_ENTRY_MISMATCH',
    /another/,
    /payload hash/,
  ),
  row(
    'logged as intoto with another signature',
    { attestationKind: 'intoto 0.0.2', ...body({ signature: zeros(70) }) },
    'LOG_ENTRY_MISMATCH',
    /signature/,
    /mismatch/,
  ),
  row(
    'logged in Rekor v2 with another digest',
    { log: 'v2', ...body({ digest: zeros(32) }) },
    'LOG_ENTRY_MISMATCH',
    /another attestation/,
    /mismatch/,
  ),
]

const suites: readonly (readonly [string, readonly Bend<SigningOptions>[]])[] = [
  ['a signature', signatures],
  ['an entry with', bodies],
  ['a certificate', certificates],
  ['an SCT', scts],
  ['a log entry', entries],
  ['a checkpoint', checkpoints],
  ['a timestamp', timestamps],
  ['a service with', services],
  ['an attestation', attestations],
]

describe('the bundles before they are bent', () => {
  for (const log of ['v1', 'v2'] as const) {
    it(`verify with Rekor ${log}`, () => {
      expect(verifySigned(signBlob({ log })).logEntries).toHaveLength(1)
      expect(verifySigned(signStatement({ log })).logEntries).toHaveLength(1)
    })
  }
})

for (const [thing, bends] of suites) {
  describe(thing, () => {
    const sign = bends === attestations ? signStatement : signBlob
    for (const { what, options, code, message, oracle } of bends) {
      it(`${what} is refused, for that reason alone`, () => {
        const signed = sign(options)
        expect(refusalOf(() => verifySigned(signed))).toMatchObject({ code, message: expect.stringMatching(message) })
        const oracleVerifies = expect(() => verifyWithSigstoreJs(signed))
        if (oracle === 'unchecked') oracleVerifies.not.toThrow()
        else oracleVerifies.toThrow(oracle)
      })
    }
  })
}
