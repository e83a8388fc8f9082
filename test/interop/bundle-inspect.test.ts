/** `bundle inspect` beside the real `cosign`: the same tree, line by line. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import { derElement, derOid, derSequence, derSet, derUtf8String } from '../../src/encoding/der-writer.ts'
import { conformanceCases, hasPublicData, publicPath } from '../support/public-data.ts'
import { extension, issue } from '../support/universe/certificates.ts'
import type { KeyKind } from '../support/universe/keys.ts'
import type { Json } from '../support/universe/universe.ts'
import { epoch, namedKey, signBlob, signStatement, statementAbout, universeOf } from '../support/universe/universe.ts'
import { inspect, runInspect } from '../unit/cli/inspection/inspection.ts'

const peers = path.resolve(import.meta.dirname, '../..', process.env['COUNTERSIGN_PEERS'] ?? '.cache/peers/bin')
const cosign = path.join(peers, 'cosign')
const isMissing = !existsSync(cosign)
const advice = `cosign is not at ${cosign}: install it with npm run peers, or name its folder in COUNTERSIGN_PEERS`
if (isMissing && process.env['CI'] !== undefined) throw new Error(advice)
if (isMissing) console.warn(`skipped: ${advice}`)

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-interop-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What cosign prints, or undefined when it refuses the file. */
function cosignTree(file: string): string | undefined {
  // Without a home and a network cosign has no trusted root, whose log addresses it would print in place of log identifiers.
  const env = { HOME: folder, TZ: 'UTC', HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' }
  try {
    return execFileSync(cosign, ['bundle', 'inspect', file], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch {
    return undefined
  }
}

/** Our tree without the reasons that it has for malformed parts, where cosign has nothing. */
function withoutReasons(tree: string): string {
  return tree.replaceAll(/ \(cannot be parsed: .*\)$/gm, '')
}

function publicBundles(): string[] {
  if (!hasPublicData) return []
  const bundles = readdirSync(publicPath('bundles')).map((name) => publicPath('bundles', name))
  return [...bundles, ...conformanceCases().map(({ bundle }) => bundle)]
}

describe.skipIf(isMissing || !hasPublicData)('public bundles, right and wrong', () => {
  it.each(publicBundles().map((file) => [path.relative(publicPath(), file), file]))(
    'are shown as cosign shows them: %s',
    async (_, file) => {
      const expected = cosignTree(file)
      const { exitCode, stdout } = await runInspect([file])
      if (expected === undefined) expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      else expect(withoutReasons(stdout)).toBe(expected)
    },
  )
})

const { intermediate, root, timestampLeaf } = universeOf()
const blob = signBlob()
const managed = signStatement({ managed: true, keyid: 'bXkga2V5', hint: 'bXkga2V5' })
const kinds: readonly KeyKind[] = ['p256', 'p384', 'p521', 'rsa', 'ed25519']

const ownBundles: readonly (readonly [what: string, bundle: Json])[] = [
  ...kinds.map((kind) => [`a ${kind} key`, signBlob({ key: namedKey('inspected', kind) }).bundle] as const),
  ...kinds.map((kind) => [`a certificate by a ${kind} key`, signBlob({ issuedBy: certificateAuthority(kind) }).bundle] as const),
  ['version 0.1', signBlob({ version: '0.1', oldMediaType: true }).bundle],
  ['version 0.1 without a promise', signBlob({ version: '0.1', oldMediaType: true, entry: { withPromise: false } }).bundle],
  [
    'version 0.2 with a chain',
    signBlob({ version: '0.2', oldMediaType: true, chain: [intermediate.der, root.der, timestampLeaf.der] }).bundle,
  ],
  ['version 0.2 without a proof', signBlob({ version: '0.2', oldMediaType: true, entry: { withProof: false } }).bundle],
  ['version 0.2 with a single certificate', { ...blob.bundle, mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2' }],
  ['version 0.3 with a chain', signBlob({ chain: [intermediate.der] }).bundle],
  ['no checkpoint', signBlob({ entry: { withCheckpoint: false } }).bundle],
  ['a checkpoint with further lines', signBlob({ entry: { checkpointLines: ['Timestamp: 1', 'x'] } }).bundle],
  ['entries in two logs', signBlob({ log: 'both', timestamps: [{}, { nonce: 7n }] }).bundle],
  ['no log entry', signBlob({ log: 'none', timestamps: [{ imprint: 'sha512' }, { certificates: [timestampLeaf.der] }] }).bundle],
  ['a refused timestamp', signBlob({ timestamps: [{ status: 2 }, {}] }).bundle],
  ['no media type', { ...blob.bundle, mediaType: undefined }],
  ['an unknown media type', { ...blob.bundle, mediaType: 'application/vnd.dev.sigstore.bundle.v9+json' }],
  ['no material', { ...blob.bundle, verificationMaterial: undefined }],
  ['empty material', { ...blob.bundle, verificationMaterial: {} }],
  ['no content', { ...blob.bundle, messageSignature: undefined }],
  ['an empty signature', { ...blob.bundle, messageSignature: { messageDigest: {} } }],
  ['a digest algorithm by number', { ...blob.bundle, messageSignature: { messageDigest: { algorithm: 3, digest: 'AAAA' } } }],
  ['an empty entry', { ...blob.bundle, verificationMaterial: { certificate: {}, tlogEntries: [{}], timestampVerificationData: {} } }],
  ['a managed key', managed.bundle],
  ['a hint that is no base64', signBlob({ managed: true, hint: 'my key' }).bundle],
  ['an empty hint', signBlob({ managed: true, hint: '' }).bundle],
  ['another keyid than the hint', signStatement({ managed: true, keyid: 'a', hint: 'b' }).bundle],
  ['no envelope signature', { ...managed.bundle, dsseEnvelope: { ...(managed.bundle['dsseEnvelope'] as Json), signatures: [] } }],
  [
    'two envelope signatures',
    {
      ...managed.bundle,
      dsseEnvelope: { ...(managed.bundle['dsseEnvelope'] as Json), signatures: [{ sig: 'AAAA' }, { sig: 'AAAA', keyid: 'x' }] },
    },
  ],
  ['another payload type', signStatement({ payloadType: 'text/plain', statement: 'hello' }).bundle],
  [
    'several subjects',
    signStatement({ statement: statementAbout(undefined, { subject: [{ name: 'a' }, { name: 7 }, 'b', { name: 'c' }] }) }).bundle,
  ],
  ['no subjects', signStatement({ statement: '{"predicateType":"x"}' }).bundle],
  [
    'an e-mail address and URIs',
    signBlob({ subjects: [{ uri: 'https://b.example' }, { email: 'a@example.com' }, { uri: 'https://a.example' }] }).bundle,
  ],
  ['no SCT', signBlob({ scts: [] }).bundle],
  ['two SCTs, one with extensions', signBlob({ scts: [{ extensions: new Uint8Array(9) }, {}] }).bundle],
  [
    'many purposes',
    signBlob({ certificate: { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.2.3.4', '2.5.29.37.0', '1.3.6.1.5.5.7.3.9', '1.2.3.5'] } }).bundle,
  ],
  ['every key usage', signBlob({ certificate: { keyUsage: [0, 1, 2, 3, 4, 5, 6, 7, 8] } }).bundle],
  ['no usages', signBlob({ certificate: { keyUsage: 'none', extendedKeyUsage: 'none' } }).bundle],
  [
    'all extensions of Fulcio',
    signBlob({ certificate: { sigstore: Object.fromEntries(Array.from({ length: 24 }, (_, at) => [at + 1, `value ${at}`])) } }).bundle,
  ],
  [
    'extensions of others',
    signBlob({ certificate: { extensions: [extension('1.2.3.4', new Uint8Array(5)), extension('1.2.3.5', new Uint8Array(0), true)] } })
      .bundle,
  ],
  ['a subject of many attributes', bundleWith(withSubject(subjectOfMany()))],
]

describe.skipIf(isMissing)('bundles that only a test has', () => {
  it.each(ownBundles)('are shown as cosign shows them: %s', async (_, bundle) => {
    const file = path.join(folder, 'bundle.json')
    writeFileSync(file, JSON.stringify(bundle))
    const { stdout, stderr } = await inspect(bundle)
    expect(withoutReasons(stdout), stderr).toBe(cosignTree(file))
  })
})

function certificateAuthority(kind: KeyKind): ReturnType<typeof issue> {
  const validity = { notBefore: epoch, notAfter: epoch + 3_600_000 }
  return issue({ key: namedKey('authority', kind), name: `authority ${kind}`, ca: true, ...validity })
}

function bundleWith(certificate: Uint8Array): Json {
  return { ...blob.bundle, verificationMaterial: { certificate: { rawBytes: Buffer.from(certificate).toString('base64') } } }
}

/** A certificate whose subject and issuer are this name. Its signature is of no interest here. */
function withSubject(name: Uint8Array): Uint8Array {
  const { der } = issue({ key: namedKey('inspected'), notBefore: epoch, notAfter: epoch + 1000, name: 'placeholder' })
  const placeholder = issuedName(der)
  const hex = Buffer.from(der).toString('hex').replaceAll(Buffer.from(placeholder).toString('hex'), Buffer.from(name).toString('hex'))
  return relength(Buffer.from(hex, 'hex'), 2 * (name.length - placeholder.length))
}

function issuedName(der: Uint8Array): Uint8Array {
  const text = Buffer.from(der)
  const end = text.indexOf('placeholder') + 'placeholder'.length
  const start = text.lastIndexOf(0x30, text.indexOf('universe.test') - 12)
  return text.subarray(start, end)
}

/** The certificate with the lengths of its two outermost sequences, of two octets each, made right. */
function relength(der: Buffer, growth: number): Uint8Array {
  for (const at of [2, 6]) der.writeUInt16BE(der.readUInt16BE(at) + growth, at)
  return der
}

function subjectOfMany(): Uint8Array {
  const attribute = (type: string, value: Uint8Array): Uint8Array => derSequence(derOid(type), value)
  return derSequence(
    derSet(attribute('2.5.4.6', derElement(0x13, encodeUtf8('XX')))),
    derSet(attribute('2.5.4.6', derUtf8String('YY'))),
    derSet(attribute('1.2.840.113549.1.9.1', derElement(0x16, encodeUtf8('a@example.com')))),
    derSet(attribute('2.5.4.10', derUtf8String(' #a, "b" + c\\;<d>='))),
    derSet(attribute('2.5.4.10', derUtf8String('#second ')), attribute('2.5.4.11', derElement(0x14, Uint8Array.of(0x61, 0xe9)))),
    derSet(attribute('2.5.4.3', derUtf8String('first'))),
    derSet(attribute('2.5.4.3', derElement(0x1e, Uint8Array.of(0x00, 0x61, 0x20, 0xac)))),
    derSet(attribute('0.9.2342.19200300.100.1.25', derElement(0x16, encodeUtf8('example*&')))),
    derSet(attribute('2.5.4.5', derElement(0x13, encodeUtf8('12')))),
    derSet(attribute('2.5.4.17', derElement(0x12, encodeUtf8('34')))),
    derSet(attribute('2.5.4.12', derUtf8String('title'))),
    derSet(attribute('2.5.4.9', derUtf8String('street'))),
    derSet(attribute('2.5.4.7', derUtf8String('place'))),
    derSet(attribute('2.5.4.8', derUtf8String('state'))),
  )
}
