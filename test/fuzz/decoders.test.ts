import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBundle, parseBundleLines } from '../../src/bundle/bundle.ts'
import { parseEnvelope } from '../../src/bundle/dsse.ts'
import { readImageAttestation, readImageSignature, signatureAnnotation } from '../../src/bundle/image-signature.ts'
import { parseCertificateFile, parseSignatureFile, parseTimestampFile, readLegacyBundle } from '../../src/bundle/legacy-bundle.ts'
import { parseLogEntryBody } from '../../src/bundle/log-entry-body.ts'
import { encodeSimpleSigning, parseSimpleSigning } from '../../src/bundle/simple-signing.ts'
import { parseStatement } from '../../src/bundle/statement.ts'
import { parsePublicKeyPem } from '../../src/crypto/public-key.ts'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import { parseJson } from '../../src/encoding/json.ts'
import { CountersignError } from '../../src/error.ts'
import { parseCheckpoint } from '../../src/merkle/checkpoint.ts'
import { parseSignedNote } from '../../src/merkle/signed-note.ts'
import { parseChallenges } from '../../src/oci/auth-challenge.ts'
import { encodeIndex, encodeManifest, mediaType, parseManifest, storedManifest } from '../../src/oci/manifest.ts'
import { parseReference, referenceText } from '../../src/oci/reference.ts'
import { clientTrustConfigOf, signingConfigOf } from '../../src/server/public-trust.ts'
import { trustTargets } from '../../src/server/trust-targets.ts'
import { createRoot, createTargets, encodeMetadata } from '../../src/server/tuf/metadata.ts'
import { describeExportedMetadata } from '../../src/server/tuf/offline-signatures.ts'
import { rolesOfSigners } from '../../src/server/tuf/proposals.ts'
import { describeTargets } from '../../src/server/tuf/target.ts'
import { encodeClientTrustConfig, parseClientTrustConfig } from '../../src/trust/client-trust-config.ts'
import { encodeSigningConfig } from '../../src/trust/signing-config-writer.ts'
import { parseSigningConfig } from '../../src/trust/signing-config.ts'
import { loadTrustMaterial } from '../../src/trust/trust-material.ts'
import { parseCertificate, parseCertificatePem } from '../../src/x509/certificate.ts'
import { parseEmbeddedScts, parseSct } from '../../src/x509/sct.ts'
import { parseTimestampResponse } from '../../src/x509/timestamp-token.ts'
import { publicTrustOf } from '../support/server/universe-trust.ts'
import { newSigners } from '../unit/server/tuf/served-repository.ts'
import { pemOf } from '../support/universe/certificates.ts'
import { legacyBundle, signBlob, signStatement, statementAbout, universeOf } from '../support/universe/universe.ts'
import { mutationsOf } from '../support/universe/mutate.ts'
import { verifySigned } from '../support/universe/verification.ts'

const blob = signBlob({ timestamps: [{ certificates: [universeOf().timestampLeaf.der] }] })
const attestation = signStatement()
const [entry] = (
  blob.bundle['verificationMaterial'] as {
    tlogEntries: { canonicalizedBody: string; inclusionProof: { checkpoint: { envelope: string } } }[]
  }
).tlogEntries
const checkpoint = entry?.inclusionProof.checkpoint.envelope ?? ''

const trust = publicTrustOf(universeOf())

const descriptor = { mediaType: mediaType.config, digest: `sha256:${'a'.repeat(64)}`, size: 2, annotations: { a: 'b' } }
const manifest = encodeManifest({ config: descriptor, layers: [descriptor], subject: descriptor, artifactType: 'text/plain' })
const index = encodeIndex([{ ...descriptor, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }])
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** Every decoder, with an input that it takes. */
const decoders: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => unknown])[] = [
  ['a bundle', encodeUtf8(blob.json), parseBundle],
  ['bundle lines', encodeUtf8(`${blob.json}\n${attestation.json}`), (bytes) => parseBundleLines(Buffer.from(bytes).toString())],
  ['an envelope', encodeUtf8(JSON.stringify(attestation.bundle['dsseEnvelope'])), parseEnvelope],
  ['a statement', encodeUtf8(JSON.stringify(statementAbout())), parseStatement],
  ['a local bundle of cosign', encodeUtf8(JSON.stringify(legacyBundle(blob))), (bytes) => readLegacyBundle(parseJson(bytes, 'x'))],
  ['a signature file', encodeUtf8(Buffer.from(blob.signature).toString('base64')), parseSignatureFile],
  ['a certificate file', encodeUtf8(pemOf(blob.certificate)), (bytes) => parseCertificateFile(bytes, 'x').map(parseCertificate)],
  ['a timestamp file', blob.tokens[0] ?? new Uint8Array(0), (bytes) => parseTimestampResponse(parseTimestampFile(bytes))],
  ['a log entry', Buffer.from(entry?.canonicalizedBody ?? '', 'base64'), parseLogEntryBody],
  [
    'a simple signing payload',
    encodeUtf8(encodeSimpleSigning({ dockerReference: 'a/b', dockerManifestDigest: 'sha256:00' })),
    parseSimpleSigning,
  ],
  [
    'the certificate of an image signature',
    encodeUtf8(pemOf(blob.certificate)),
    (bytes) => readImageSignature(bytes, { [signatureAnnotation.signature]: 'AAAA', [signatureAnnotation.certificate]: textOf(bytes) }),
  ],
  [
    'the log entry of an image signature',
    encodeUtf8(JSON.stringify(legacyBundle(blob)['rekorBundle'])),
    (bytes) => readImageSignature(bytes, { [signatureAnnotation.signature]: 'AAAA', [signatureAnnotation.rekorBundle]: textOf(bytes) }),
  ],
  [
    'the attestation of an image',
    encodeUtf8(JSON.stringify(attestation.bundle['dsseEnvelope'])),
    (bytes) => readImageAttestation(bytes, {}),
  ],
  ['a manifest', manifest.bytes, (bytes) => parseManifest(storedManifest(bytes, mediaType.manifest))],
  ['an index', index.bytes, (bytes) => parseManifest(storedManifest(bytes, mediaType.index))],
  ['a reference', encodeUtf8(`ghcr.io/org/app:v1@${descriptor.digest}`), (bytes) => referenceText(parseReference(textOf(bytes)))],
  ['a challenge', encodeUtf8('Bearer realm="https://auth.example/token",service="x"'), (bytes) => parseChallenges(textOf(bytes))],
  ['a public key', encodeUtf8(blob.key.pem), (bytes) => parsePublicKeyPem(Buffer.from(bytes).toString())],
  ['a trusted root', encodeUtf8(universeOf().trustedRoot()), (bytes) => loadTrustMaterial(bytes)],
  ['a signing config', encodeUtf8(encodeSigningConfig(signingConfigOf(trust, 'v2'))), parseSigningConfig],
  ['a client trust config', encodeUtf8(encodeClientTrustConfig(clientTrustConfigOf(trust, 'v2'))), parseClientTrustConfig],
  ['a root.json to sign', encodeMetadata(createRoot(1, 0, rolesOfSigners(newSigners()))), describeExportedMetadata],
  ['a targets.json to sign', encodeMetadata(createTargets(1, 0, describeTargets(trustTargets(trust, 'v2', 0)))), describeExportedMetadata],
  ['a certificate', blob.certificate, (bytes) => parseEmbeddedScts(parseCertificate(bytes))],
  ['a certificate in PEM', encodeUtf8(pemOf(blob.certificate)), (bytes) => parseCertificatePem(Buffer.from(bytes).toString(), 'x')],
  ['a timestamp', blob.tokens[0] ?? new Uint8Array(0), parseTimestampResponse],
  ['a detached SCT', new Uint8Array(50), parseSct],
  ['a signed note', encodeUtf8(checkpoint), parseSignedNote],
  [
    'a checkpoint',
    encodeUtf8(checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1)),
    (bytes) => parseCheckpoint(Buffer.from(bytes).toString()),
  ],
]

/** What is thrown must be ours: a message for a person and a code for a program. */
function survives(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    decode(bytes)
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
    expect(error.message.length).toBeLessThan(2000)
  }
}

for (const [what, good, decode] of decoders) {
  describe(`the decoder of ${what}`, () => {
    it('survives bytes changed, cut out and put in', () => {
      const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'cut', 'insert')), {
        minLength: 1,
        maxLength: 5,
      })
      fc.assert(
        fc.property(changes, (list) => {
          const bytes = [...good]
          for (const [place, value, how] of list) {
            const at = bytes.length === 0 ? 0 : place % bytes.length
            if (how === 'set') bytes[at] = value
            else if (how === 'cut') bytes.splice(at, value % 16)
            else bytes.splice(at, 0, value)
          }
          survives(decode, Uint8Array.from(bytes))
        }),
        { numRuns: 200 },
      )
    })

    it('survives any prefix and any rubbish', () => {
      for (let length = 0; length < good.length; length += Math.ceil(good.length / 60)) survives(decode, good.subarray(0, length))
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => survives(decode, bytes)),
        { numRuns: 100 },
      )
    })

    it('survives what is deep, long and hostile', () => {
      const hostile = [
        '['.repeat(100_000),
        '{"a":'.repeat(50_000),
        `"${'\\u0000'.repeat(20_000)}"`,
        '9'.repeat(100_000),
        '-----BEGIN A-----\n'.repeat(5000),
        '\n'.repeat(100_000),
        '0\u0080'.repeat(50_000),
      ]
      for (const text of hostile) survives(decode, Buffer.from(text, 'latin1'))
      survives(decode, Buffer.alloc(100_000, 0x30))
      survives(decode, Buffer.from('3084ffffffff'.repeat(1000), 'hex'))
    })
  })
}

describe('a bundle with one thing changed', () => {
  for (const [what, signed] of [
    ['a signature', signBlob({ timestamps: [{}] })],
    ['an attestation', attestation],
    ['a Rekor v2 entry', signBlob({ log: 'v2' })],
    ['a managed key', signBlob({ managed: true })],
  ] as const) {
    it(`(${what}) is refused with an error of ours, or means the same`, () => {
      const accepted: string[] = []
      for (const { name, bundle } of mutationsOf(signed.bundle)) {
        try {
          verifySigned(signed, { bundle })
          accepted.push(name)
        } catch (error) {
          if (!(error instanceof CountersignError)) throw new Error(`${name}: ${String(error)}`, { cause: error })
        }
      }
      // What may be changed: hints, and what the format or the version lets one leave out.
      expect(accepted.filter((name) => !meansTheSame.some((pattern) => pattern.test(name)))).toEqual([])
    })
  }
})

const proof = 'verificationMaterial\\.tlogEntries\\.0\\.inclusionProof'
const meansTheSame: readonly RegExp[] = [
  // The digest is a hint; without it nothing is lost.
  /^messageSignature\.messageDigest: (dropped|null|emptied)$/,
  // A promise beside a timestamp, or for a managed key, may be left out: there is another time, or none is needed.
  /inclusionPromise: (dropped|null)$/,
  // Without the promise's signature the time is not used, and with Rekor v2 it never is.
  /integratedTime: /,
  // Timestamps beside a promise, and for managed keys, may be left out.
  /timestampVerificationData: (dropped|null|emptied)$/,
  /rfc3161Timestamps: (dropped|null|emptied)$/,
  /rfc3161Timestamps\.0: dropped$/,
  // The hint of a managed key says which key, and the caller has said so already.
  /publicKey\.hint: /,
  /publicKey: emptied$/,
  // The log's signature, twice.
  new RegExp(`${proof}\\.checkpoint\\.envelope: line 4 repeated$`),
  // The mutation writes 7, which is the size of the universe's trees.
  new RegExp(`${proof}\\.treeSize: a number$`),
  // Empty and absent are the same in proto3.
  /signatures\.0\.keyid: /,
]
