/** A good value of every format, which hostile input is made of by blowing a part of it up. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { parseBundle } from '../src/bundle/bundle.ts'
import type { SignedEntity } from '../src/bundle/signed-entity.ts'
import { encodeSimpleSigning } from '../src/bundle/simple-signing.ts'
import { encodeBase64 } from '../src/encoding/base64.ts'
import { asBuffer, encodeUtf8 } from '../src/encoding/bytes.ts'
import { derExplicit, derInteger, derOid, derSequence } from '../src/encoding/der-writer.ts'
import { encodeHex } from '../src/encoding/hex.ts'
import { encodePem } from '../src/encoding/pem.ts'
import type { Certificate } from '../src/x509/certificate.ts'
import { parseCertificate } from '../src/x509/certificate.ts'
import * as oid from '../src/x509/object-identifiers.ts'
import { publicCases } from './bundle-case.ts'
import { hasPublicData } from './places.ts'
import { universeSets } from './universe-bundles.ts'

/** The values, encoded. */
export interface DecodeExamples {
  /** One for each kind of content and log. */
  readonly bundles: readonly [string, ...string[]]
  readonly trustedRoot: string
  readonly certificate: Uint8Array
  readonly generalNames: Uint8Array
  readonly distinguishedName: Uint8Array
  readonly timestamp: Uint8Array
  /** One for each kind and version. */
  readonly logEntries: readonly string[]
  readonly envelope: string
  readonly statement: string
  readonly legacyBundle: string
  readonly simpleSigning: string
  /** SubjectPublicKeyInfo, ECDSA on P-256 first. */
  readonly publicKeys: readonly Uint8Array[]
  readonly pkcs1Key: Uint8Array
  /** PKCS#8. */
  readonly privateKey: Uint8Array
  /** The JSON in cosign's encrypted private key file. */
  readonly encryptedKey: string
  readonly pssParameters: Uint8Array
  /** ECDSA. */
  readonly signature: Uint8Array
}

/** Takes the values from the bundles at hand: the test universe's, and public ones where they are there. */
export function decodeExamples(): DecodeExamples {
  const cases = [...universeSets(1).flatMap((set) => set.cases), ...(hasPublicData() ? publicCases() : [])]
  const parsed = cases.map((testCase) => ({ testCase, entity: parseBundle(testCase.json) }))
  const entities = parsed.map(({ entity }) => entity)
  const [bundle, ...bundles] = [
    ...new Map(parsed.map(({ testCase, entity }) => [kindOf(entity), asBuffer(testCase.json).toString('utf8')])).values(),
  ]
  const certificate = first(
    'certificate',
    entities.flatMap(({ keyMaterial }) => (keyMaterial.kind === 'certificate' ? [parseCertificate(keyMaterial.leaf)] : [])),
  )
  const envelope = first(
    'envelope',
    entities.flatMap(({ content }) => (content.kind === 'dsse-envelope' ? [content] : [])),
  )
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  const ecdsa = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ed25519 = generateKeyPairSync('ed25519').publicKey
  return {
    bundles: [first('bundle', [bundle]), ...bundles],
    trustedRoot: asBuffer(first('trusted root', cases).trustedRoot.json).toString('utf8'),
    certificate: certificate.bytes,
    generalNames: extensionOf(certificate, oid.subjectAlternativeName),
    distinguishedName: certificate.issuer,
    timestamp: first(
      'timestamp',
      entities.flatMap(({ timestamps }) => timestamps),
    ),
    logEntries: [
      ...new Map(
        entities
          .flatMap(({ logEntries }) => logEntries)
          .map((entry) => [`${entry.kind} ${entry.version}`, asBuffer(entry.body).toString('utf8')]),
      ).values(),
    ],
    envelope: JSON.stringify({
      payload: encodeBase64(envelope.payload),
      payloadType: envelope.payloadType,
      signatures: [{ sig: encodeBase64(envelope.signature) }],
    }),
    statement: asBuffer(envelope.payload).toString('utf8'),
    legacyBundle: legacyBundleOf(entities, certificate),
    simpleSigning: encodeSimpleSigning({
      dockerReference: 'registry.example.com/app',
      dockerManifestDigest: `sha256:${'00'.repeat(32)}`,
      optional: { a: 'b' },
    }),
    publicKeys: [ecdsa.publicKey, rsa, ed25519].map((key) => key.export({ format: 'der', type: 'spki' })),
    pkcs1Key: rsa.export({ format: 'der', type: 'pkcs1' }),
    privateKey: ecdsa.privateKey.export({ format: 'der', type: 'pkcs8' }),
    encryptedKey: encryptedKey(),
    pssParameters: pssParameters(),
    signature: sign('sha256', Buffer.alloc(32), ecdsa.privateKey),
  }
}

function kindOf({ content, timestamps, logEntries, keyMaterial }: SignedEntity): string {
  return [content.kind, keyMaterial.kind, timestamps.length > 0, ...logEntries.map(({ kind, version }) => `${kind} ${version}`)].join()
}

function first<Value>(what: string, [value]: readonly (Value | undefined)[]): Value {
  if (value === undefined) throw new Error(`there is no ${what} at hand to make hostile input of`)
  return value
}

function extensionOf({ extensions }: Certificate, extensionOid: string): Uint8Array {
  return first(
    `extension ${extensionOid}`,
    extensions.filter((extension) => extension.oid === extensionOid),
  ).value
}

function legacyBundleOf(entities: readonly SignedEntity[], certificate: Certificate): string {
  const { content, logEntries } = first(
    'bundle with a log promise',
    entities.filter(({ logEntries }) => logEntries[0]?.signedEntryTimestamp !== undefined),
  )
  const entry = first('log entry', logEntries)
  const payload = {
    body: encodeBase64(entry.body),
    integratedTime: Number(entry.integratedTime),
    logIndex: Number(entry.logIndex),
    logID: encodeHex(entry.logId),
  }
  return JSON.stringify({
    base64Signature: encodeBase64(content.signature),
    cert: encodeBase64(encodeUtf8(encodePem('CERTIFICATE', certificate.bytes))),
    rekorBundle: { SignedEntryTimestamp: encodeBase64(entry.signedEntryTimestamp ?? new Uint8Array(1)), Payload: payload },
  })
}

function encryptedKey(): string {
  return JSON.stringify({
    kdf: { name: 'scrypt', params: { N: 65_536, r: 8, p: 1 }, salt: encodeBase64(new Uint8Array(32)) },
    cipher: { name: 'nacl/secretbox', nonce: encodeBase64(new Uint8Array(24)) },
    ciphertext: encodeBase64(new Uint8Array(200)),
  })
}

/** RSASSA-PSS-params for SHA-256 (RFC 4055 section 3.1). */
function pssParameters(): Uint8Array {
  const sha256 = derSequence(derOid(oid.sha256))
  return derSequence(
    derExplicit(0, sha256),
    derExplicit(1, derSequence(derOid('1.2.840.113549.1.1.8'), sha256)),
    derExplicit(2, derInteger(32)),
  )
}
