/** Every decoder of the pure folders and of registries, with the hostile input that is meant for it. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { parseBundle, parseBundleLines } from '../src/bundle/bundle.ts'
import { parseEnvelope } from '../src/bundle/dsse.ts'
import { readImageAttestation, readImageSignature, signatureAnnotation } from '../src/bundle/image-signature.ts'
import { parseCertificateFile, parseSignatureFile, parseTimestampFile, readLegacyBundle } from '../src/bundle/legacy-bundle.ts'
import { parseLogEntryBody } from '../src/bundle/log-entry-body.ts'
import { parseSimpleSigning } from '../src/bundle/simple-signing.ts'
import { parseStatement } from '../src/bundle/statement.ts'
import { parseEncryptedPrivateKeyPem } from '../src/crypto/encrypted-private-key.ts'
import { parsePrivateKey, parsePrivateKeyPem } from '../src/crypto/private-key.ts'
import { parsePkcs1PublicKey, parsePublicKey, parsePublicKeyPem } from '../src/crypto/public-key.ts'
import { signatureAlgorithmFromOid, verifySignature } from '../src/crypto/signature.ts'
import { decodeBase64, decodeBase64Url } from '../src/encoding/base64.ts'
import { asBuffer, decodeUtf8, encodeUtf8 } from '../src/encoding/bytes.ts'
import { DerReader, parseDer } from '../src/encoding/der.ts'
import * as tag from '../src/encoding/universal-tag.ts'
import { parseDecimal } from '../src/encoding/decimal.ts'
import { parseGeneralizedTime, parseUtcTime } from '../src/encoding/der-time.ts'
import { decodeHex } from '../src/encoding/hex.ts'
import { parseJson } from '../src/encoding/json.ts'
import { parseOid } from '../src/encoding/oid.ts'
import { encodePem, parsePem } from '../src/encoding/pem.ts'
import { parseCheckpoint } from '../src/merkle/checkpoint.ts'
import { decodeEntryBundle } from '../src/merkle/entry-bundle.ts'
import { parseSignatureLine } from '../src/merkle/signature-line.ts'
import { parseSignedNote } from '../src/merkle/signed-note.ts'
import { parseTilePath } from '../src/merkle/tile.ts'
import { parseChallenges } from '../src/oci/auth-challenge.ts'
import { mediaType, parseManifest } from '../src/oci/manifest.ts'
import { readDockerfile } from '../src/oci/dockerfile-instructions.ts'
import { readPaxHeader } from '../src/oci/pax-header.ts'
import { parseReference, parseRepository } from '../src/oci/reference.ts'
import { parseReferrerList } from '../src/oci/referrer-list.ts'
import { readTarHeader } from '../src/oci/tar-header.ts'
import { parseNameConstraints } from '../src/x509/name-constraints.ts'
import { loadTrustMaterial } from '../src/trust/trust-material.ts'
import { parseTimestamp } from '../src/trust/time-window.ts'
import { parseTrustedRoot } from '../src/trust/trusted-root.ts'
import { parseCertificate, parseCertificatePem } from '../src/x509/certificate.ts'
import {
  parseAuthorityKeyIdentifier,
  parseBasicConstraints,
  parseExtendedKeyUsage,
  parseKeyUsage,
  parseSubjectKeyIdentifier,
} from '../src/x509/extension.ts'
import { parseCertificateRequest } from '../src/x509/certificate-request.ts'
import { parseGeneralNames } from '../src/x509/general-name.ts'
import { parseMerkleTreeLeaf } from '../src/x509/merkle-tree-leaf.ts'
import { formatName } from '../src/x509/name.ts'
import { parseDetachedSct, parseSct, parseSctList } from '../src/x509/sct.ts'
import { parseSigstoreExtension } from '../src/x509/sigstore-extensions.ts'
import { parseTimestampResponse } from '../src/x509/timestamp-token.ts'
import { parseSigningConfig } from '../src/trust/signing-config.ts'
import { parseClientTrustConfig } from '../src/trust/client-trust-config.ts'
import { parseLogEntryKind } from '../src/bundle/log-entry-body.ts'
import { parseSupplement } from '../src/bundle/log-entry-supplement.ts'
import type { DecodeExamples } from './decode-examples.ts'
import { blownUpDer, hostileDer } from './hostile-der.ts'
import type { HostileInput } from './hostile-input.ts'
import { hostileTexts, hostileTls, meaninglessBytes } from './hostile-input.ts'
import { blownUpJson, hostileJson } from './hostile-json.ts'
import { projectRoot } from './places.ts'

/** A decoder, from bytes on. */
export interface Decoder {
  /** As it is exported. */
  readonly name: string
  readonly decode: (input: Uint8Array) => unknown
  readonly inputs: readonly HostileInput[]
}

/** All of them. @param examples good values of every format, to be blown up */
export function allDecoders(examples: DecodeExamples): Decoder[] {
  const jsonOf = (what: string, ...documents: readonly string[]): HostileInput[] => [
    ...meaninglessBytes,
    ...hostileJson,
    ...documents.flatMap((document, index) => blownUpJson(`${what} ${index + 1}`, document)),
  ]
  const derOf = (what: string, ...values: readonly Uint8Array[]): HostileInput[] => [
    ...meaninglessBytes,
    ...hostileDer,
    ...values.flatMap((value, index) => blownUpDer(`${what} ${index + 1}`, value)),
  ]
  const texts = [...meaninglessBytes, ...hostileTexts]
  const files = [...texts, ...hostileDer]
  const certificates = derOf('certificate', examples.certificate)
  const timestamps = derOf('timestamp', examples.timestamp)
  const keys = derOf('key', ...examples.publicKeys)
  const privateKeys = derOf('PKCS#8 key', examples.privateKey)
  const tls = [...meaninglessBytes, ...hostileTls]
  return [
    { name: 'decodeUtf8', decode: (input) => decodeUtf8(input, 'the text'), inputs: texts },
    { name: 'decodeHex', decode: ofText((text) => decodeHex(text, 'the text')), inputs: texts },
    { name: 'decodeBase64', decode: ofText((text) => decodeBase64(text, 'the text')), inputs: texts },
    { name: 'decodeBase64Url', decode: ofText((text) => decodeBase64Url(text, 'the text')), inputs: texts },
    { name: 'parseDecimal', decode: ofText(parseDecimal), inputs: texts },
    { name: 'parseUtcTime', decode: (input) => parseUtcTime(input, 'the time'), inputs: texts },
    { name: 'parseGeneralizedTime', decode: (input) => parseGeneralizedTime(input, 'the time'), inputs: texts },
    { name: 'parseOid', decode: (input) => parseOid(input, 'the identifier'), inputs: files },
    { name: 'parseDer', decode: (input) => parseDer(input, 'the value'), inputs: certificates },
    { name: 'DerReader', decode: readAll, inputs: [...certificates, ...timestamps] },
    { name: 'parsePem', decode: ofText((text) => parsePem(text, 'the text')), inputs: texts },
    { name: 'parseJson', decode: (input) => parseJson(input, 'the text'), inputs: jsonOf('bundle', examples.bundles[0]) },

    { name: 'parsePublicKey', decode: parsePublicKey, inputs: keys },
    { name: 'parsePkcs1PublicKey', decode: parsePkcs1PublicKey, inputs: derOf('PKCS#1 key', examples.pkcs1Key) },
    { name: 'parsePublicKeyPem', decode: ofText(parsePublicKeyPem), inputs: texts },
    { name: 'parsePrivateKey', decode: parsePrivateKey, inputs: privateKeys },
    { name: 'parsePrivateKeyPem', decode: ofText(parsePrivateKeyPem), inputs: texts },
    {
      name: 'parseEncryptedPrivateKeyPem',
      decode: ofText(parseEncryptedPrivateKeyPem),
      inputs: [...texts, ...jsonOf('encrypted key', examples.encryptedKey).map((input) => inPem('ENCRYPTED SIGSTORE PRIVATE KEY', input))],
    },
    {
      name: 'signatureAlgorithmFromOid',
      decode: (input) => signatureAlgorithmFromOid('1.2.840.113549.1.1.10', input),
      inputs: derOf('PSS parameters', examples.pssParameters),
    },
    { name: 'verifySignature', decode: signatureDecoder(examples.publicKeys), inputs: derOf('signature', examples.signature) },

    { name: 'parseCertificate', decode: parseCertificate, inputs: certificates },
    { name: 'parseCertificatePem', decode: ofText((text) => parseCertificatePem(text, 'the text')), inputs: texts },
    {
      name: 'parseBasicConstraints',
      decode: parseBasicConstraints,
      inputs: derOf('basic constraints', Uint8Array.of(0x30, 6, 1, 1, 0xff, 2, 1, 0)),
    },
    { name: 'parseKeyUsage', decode: parseKeyUsage, inputs: derOf('key usage', Uint8Array.of(3, 2, 7, 0x80)) },
    {
      name: 'parseExtendedKeyUsage',
      decode: parseExtendedKeyUsage,
      inputs: derOf('extended key usage', Uint8Array.of(0x30, 5, 6, 3, 0x55, 0x1d, 0x25)),
    },
    { name: 'parseSubjectKeyIdentifier', decode: parseSubjectKeyIdentifier, inputs: derOf('key identifier', Uint8Array.of(4, 2, 1, 2)) },
    {
      name: 'parseAuthorityKeyIdentifier',
      decode: parseAuthorityKeyIdentifier,
      inputs: derOf('authority key identifier', Uint8Array.of(0x30, 4, 0x80, 2, 1, 2)),
    },
    { name: 'parseGeneralNames', decode: parseGeneralNames, inputs: derOf('general names', examples.generalNames) },
    { name: 'formatName', decode: formatName, inputs: derOf('name', examples.distinguishedName) },
    { name: 'parseSctList', decode: parseSctList, inputs: tls },
    { name: 'parseSct', decode: parseSct, inputs: tls },
    {
      name: 'parseDetachedSct',
      decode: parseDetachedSct,
      inputs: [...tls, ...jsonOf('SCT', '{"sct_version":0,"id":"","timestamp":1,"extensions":"","signature":""}')],
    },
    {
      name: 'parseNameConstraints',
      decode: parseNameConstraints,
      inputs: derOf('name constraints', Uint8Array.of(0x30, 7, 0xa0, 5, 0x30, 3, 0x82, 1, 0x61)),
    },
    { name: 'readDockerfile', decode: ofText(readDockerfile), inputs: texts },
    { name: 'readPaxHeader', decode: readPaxHeader, inputs: texts },
    { name: 'readTarHeader', decode: (input) => readTarHeader(input.subarray(0, 512)), inputs: texts },
    {
      name: 'parseReferrerList',
      decode: (input) => parseReferrerList(input, 'the list', 10_000),
      inputs: jsonOf('list of referrers', '{"schemaVersion":2,"manifests":[{}]}'),
    },
    {
      name: 'parseSigstoreExtension',
      decode: (input) => parseSigstoreExtension('issuerV2', input),
      inputs: derOf('issuer', Uint8Array.of(0x0c, 1, 0x61)),
    },
    { name: 'parseTimestampResponse', decode: parseTimestampResponse, inputs: timestamps },
    { name: 'parseCertificateRequest', decode: parseCertificateRequest, inputs: [...certificates, ...texts] },
    { name: 'parseMerkleTreeLeaf', decode: parseMerkleTreeLeaf, inputs: tls },

    { name: 'decodeEntryBundle', decode: (input) => decodeEntryBundle(input, 256), inputs: tls },
    { name: 'parseSignatureLine', decode: ofText(parseSignatureLine), inputs: texts },
    { name: 'parseSignedNote', decode: parseSignedNote, inputs: texts },
    { name: 'parseCheckpoint', decode: ofText(parseCheckpoint), inputs: texts },
    { name: 'parseTilePath', decode: ofText(parseTilePath), inputs: texts },

    { name: 'parseBundle', decode: (input) => parseBundle(input), inputs: jsonOf('bundle', ...examples.bundles) },
    { name: 'parseBundleLines', decode: ofText((text) => parseBundleLines(text)), inputs: [...texts, ...hostileJson] },
    {
      name: 'readLegacyBundle',
      decode: (input) => readLegacyBundle(parseJson(input, 'the bundle')),
      inputs: jsonOf('local bundle', examples.legacyBundle),
    },
    { name: 'parseSignatureFile', decode: parseSignatureFile, inputs: files },
    { name: 'parseCertificateFile', decode: (input) => parseCertificateFile(input, 'the file'), inputs: files },
    { name: 'parseTimestampFile', decode: parseTimestampFile, inputs: [...files, ...hostileJson] },
    { name: 'parseEnvelope', decode: parseEnvelope, inputs: jsonOf('envelope', examples.envelope) },
    { name: 'parseStatement', decode: parseStatement, inputs: jsonOf('statement', examples.statement) },
    { name: 'parseSimpleSigning', decode: parseSimpleSigning, inputs: jsonOf('simple signing', examples.simpleSigning) },
    { name: 'parseLogEntryBody', decode: parseLogEntryBody, inputs: jsonOf('log entry', ...examples.logEntries) },
    { name: 'parseLogEntryKind', decode: parseLogEntryKind, inputs: jsonOf('log entry', ...examples.logEntries) },
    { name: 'parseSupplement', decode: parseSupplement, inputs: [...meaninglessBytes, ...hostileJson] },

    {
      name: 'readImageSignature',
      decode: ofText((text) =>
        readImageSignature(new Uint8Array(), { [signatureAnnotation.signature]: 'AAAA', [signatureAnnotation.rekorBundle]: text }),
      ),
      inputs: jsonOf('log entry', JSON.stringify((JSON.parse(examples.legacyBundle) as { rekorBundle: unknown }).rekorBundle)),
    },
    { name: 'readImageAttestation', decode: (input) => readImageAttestation(input, {}), inputs: jsonOf('envelope', examples.envelope) },

    {
      name: 'parseManifest',
      decode: (bytes) => parseManifest({ bytes, mediaType: mediaType.manifest, digest }),
      inputs: jsonOf('manifest', manifest),
    },
    { name: 'parseReference', decode: ofText(parseReference), inputs: texts },
    { name: 'parseRepository', decode: ofText(parseRepository), inputs: texts },
    { name: 'parseChallenges', decode: ofText(parseChallenges), inputs: texts },

    { name: 'parseTrustedRoot', decode: parseTrustedRoot, inputs: jsonOf('trusted root', examples.trustedRoot) },
    { name: 'parseTimestamp', decode: ofText(parseTimestamp), inputs: texts },
    { name: 'parseSigningConfig', decode: parseSigningConfig, inputs: jsonOf('signing config', signingConfig) },
    {
      name: 'parseClientTrustConfig',
      decode: parseClientTrustConfig,
      inputs: jsonOf(
        'client trust config',
        `{"mediaType":"application/vnd.dev.sigstore.clienttrustconfig.v0.1+json","signingConfig":${signingConfig}}`,
      ),
    },
    {
      name: 'loadTrustMaterial',
      decode: loadTrustMaterial,
      inputs: [...jsonOf('trusted root', examples.trustedRoot), ...manyRoots(examples.trustedRoot)],
    },
  ]
}

const digest = `sha256:${'a'.repeat(64)}`
const manifest = `{"schemaVersion":2,"mediaType":"${mediaType.manifest}","config":{"mediaType":"a","size":2,"digest":"${digest}"},"layers":[{"mediaType":"a","size":2,"digest":"${digest}","annotations":{"a":"b"}}],"subject":{"mediaType":"a","size":2,"digest":"${digest}"}}`
const signingConfig =
  '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[{"url":"https://ca.example.com","majorApiVersion":1,"validFor":{"start":"2026-01-01T00:00:00Z"},"operator":"example.com"}]}'

/** Exports that no row above names, with the row that they are measured in. */
const measuredWith: Readonly<Record<string, string>> = {
  readString: 'parseJson',
  readKey: 'parseJson',
  readNumber: 'parseJson',
  parseDerSequence: 'parseDer',
  readBundle: 'parseBundle',
  readRekorBundle: 'readLegacyBundle',
  parseEnvelopeFields: 'parseBundle',
  readTimeWindow: 'parseTrustedRoot',
  parseAlgorithmIdentifier: 'parseCertificate',
  parseEmbeddedScts: 'parseSctList',
  readLogEntry: 'parseBundle',
  readTrustedRoot: 'parseTrustedRoot',
  readSigningConfig: 'parseSigningConfig',
  readDescriptor: 'parseManifest',
  readSctAnswer: 'parseDetachedSct',
  parseInteger: 'DerReader',
  parseSmallInteger: 'DerReader',
  parseBoolean: 'DerReader',
  parseBitString: 'DerReader',
  parseNamedBits: 'parseKeyUsage',
  parseUtf8String: 'parseSigstoreExtension',
  readSingleBlock: 'parsePrivateKeyPem',
}

/** No decoders: readers of our own tiles, a loader of code, coordinates of a checked length, and scrypt, which is slow on purpose. */
const notDecoders: readonly string[] = ['readRoot', 'loadEd25519ph', 'decodePoint', 'decryptPrivateKey', 'decryptSecret']

/**
 * Exported functions of the decoding folders that are missing above.
 * @returns one `file: function` each
 */
export function forgottenDecoders(decoders: readonly Decoder[]): string[] {
  const known = new Set([...decoders.map(({ name }) => name), ...Object.keys(measuredWith), ...notDecoders])
  return ['encoding', 'crypto', 'x509', 'merkle', 'bundle', 'trust', 'oci'].flatMap((folder) =>
    sourceFiles(folder).flatMap((file) => {
      const text = readFileSync(path.join(projectRoot, 'src', folder, file), 'utf8')
      const names = [...text.matchAll(/^export (?:async )?function ((?:parse|decode|decrypt|read|load)[A-Z]\w*)/gm)].map(
        ([, name = '']) => name,
      )
      return names.filter((name) => !known.has(name)).map((name) => `src/${folder}/${file}: ${name}`)
    }),
  )
}

function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(projectRoot, 'src', folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() && entry.name.endsWith('.ts') ? [entry.name] : [],
  )
}

/** Files that say they have many trusted roots, one a line. */
function manyRoots(root: string): HostileInput[] {
  const line = `${JSON.stringify(JSON.parse(root))}\n`
  return [line, '{}\n', '\n', ' \r\n'].map((part, index) => ({
    name: `lines of trusted roots ${index + 1}`,
    make: (size) => encodeUtf8(part.repeat(Math.ceil(size / part.length))),
  }))
}

function ofText(decode: (text: string) => unknown): (input: Uint8Array) => unknown {
  return (input) => decode(asBuffer(input).toString('utf8'))
}

/** The input as the body of a PEM block. */
function inPem(label: string, input: HostileInput): HostileInput {
  return { name: `PEM of ${input.name}`, make: (size) => encodeUtf8(encodePem(label, input.make((size * 3) / 4))) }
}

/** Reads every sequence there is, as deep as it goes. */
function readAll(input: Uint8Array): void {
  readSequences(new DerReader(input, 'the value'))
}

function readSequences(reader: DerReader): void {
  while (!reader.done) {
    if (reader.peekTag() === tag.sequence) readSequences(reader.sequence('an element'))
    else reader.any('an element')
  }
}

/** The signature as the attacker's part: its encoding is checked before any arithmetic. */
function signatureDecoder([spki]: readonly Uint8Array[]): (input: Uint8Array) => boolean {
  if (spki === undefined) throw new Error('there is no key to check signatures with')
  const key = parsePublicKey(spki)
  const message = new Uint8Array(32)
  return (input) => verifySignature(key, 'ecdsa-sha256', message, input)
}
