/**
 * Certificates of an authority that knows nothing of Fulcio, judged by cosign 3 and by countersign: by their chain in a file, and by a
 * trusted root that has the authority. What cosign refuses is refused here, and what it takes is taken but for what is said below.
 */
import { createSign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { derElement, derExplicit, derImplicit, derOid, derSequence, derUtf8String } from '../../src/encoding/der-writer.ts'
import type { CertificateOptions, TestCertificate } from '../support/universe/certificates.ts'
import { codeSigning, extension, issue, pemOf } from '../support/universe/certificates.ts'
import { digestOf, namedKey } from '../support/universe/keys.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import { findPeer, runPeer } from './peer.ts'

const cosign = findPeer('cosign')
const year = 365 * 86_400_000
const validity = { notBefore: Date.now() - year, notAfter: Date.now() + year }
const subjects = [{ email: 'me@example.com' }]
const authority = (name: string, by: TestCertificate | undefined, options: Partial<CertificateOptions> = {}): TestCertificate =>
  issue({ key: namedKey(`authority ${name}`), name, ca: true, ...validity, ...options }, by)
const onlyFor = (domain: string, critical: boolean): Partial<CertificateOptions> => ({
  extensions: [extension('2.5.29.30', derSequence(derExplicit(0, derSequence(derImplicit(1, Buffer.from(domain))))), critical)],
})
const root = authority('root', undefined)
const plain = authority('plain', root)
const high = authority('high', root, onlyFor('b.c', true))
const policies = extension('2.5.29.32', derSequence(derSequence(derOid('1.2.3.4'))), true)
const userPrincipal = derElement(0xa0, derOid('1.3.6.1.4.1.311.20.2.3'), derExplicit(0, derUtf8String('me@corp')))

interface Case {
  readonly what: string
  /** Who issued the leaf, up to the root; empty for nobody. */
  readonly chain?: readonly TestCertificate[]
  readonly leaf?: Partial<CertificateOptions>
  /** By a chain in a file, and by a trusted root. */
  readonly verdicts: string
  /** Those of cosign, where they are others, and on purpose. */
  readonly cosigns?: string
}

const cases: readonly Case[] = [
  { what: 'one name', verdicts: 'yes yes' },
  { what: 'several names', leaf: { subjects: [{ dns: 'example.com' }, ...subjects, { der: userPrincipal }] }, verdicts: 'yes yes' },
  { what: 'the name of a host', leaf: { subjects: [{ dns: 'example.com' }] }, verdicts: 'yes yes', cosigns: 'yes no' },
  { what: 'no name', leaf: { subjects: [] }, verdicts: 'no no' },
  { what: 'no usage', leaf: { keyUsage: 'none', extendedKeyUsage: 'none' }, verdicts: 'yes yes' },
  { what: 'any usage', leaf: { extendedKeyUsage: ['2.5.29.37.0'] }, verdicts: 'yes yes' },
  { what: 'a usage for e-mail', leaf: { extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'] }, verdicts: 'no no' },
  { what: 'a key for commitments', leaf: { keyUsage: [1] }, verdicts: 'yes yes' },
  { what: 'a key for encryption', leaf: { keyUsage: [2] }, verdicts: 'no no', cosigns: 'yes yes' },
  { what: 'a critical policy', leaf: { extensions: [policies] }, verdicts: 'yes yes' },
  { what: 'a critical extension of no meaning', leaf: { extensions: [extension('1.2.3.4', Buffer.of(5, 0), true)] }, verdicts: 'no no' },
  { what: 'a name that is allowed', chain: [authority('strict', root, onlyFor('example.com', true))], verdicts: 'yes yes' },
  { what: 'a name that is not', chain: [authority('other', root, onlyFor('example.org', true))], verdicts: 'no no' },
  { what: 'a name that is not, uncritically', chain: [authority('mild', root, onlyFor('example.org', false))], verdicts: 'no no' },
  { what: 'a name that is not, further up', chain: [authority('low', high), high], verdicts: 'no no' },
  { what: 'nobody above', chain: [], verdicts: 'yes yes' },
  {
    what: 'the rights of an authority',
    leaf: { ca: true, keyUsage: [0, 5], extendedKeyUsage: [codeSigning] },
    verdicts: 'no no',
    cosigns: 'yes yes',
  },
]

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-own-authority-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function writeCase({ chain = [plain], leaf: options }: Case): void {
  const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const key = namedKey('own signer')
  const leaf = issue({ key, name: 'me', subjects, ...validity, ...options }, chain[0])
  const authorities = chain.length === 0 ? [leaf] : [...chain, root]
  const artifact = Buffer.from('an artifact')
  const signature = createSign('sha256').update(artifact).sign(key.privateKey)
  write('artifact', artifact.toString())
  write('signature', base64(signature))
  write('leaf.pem', pemOf(leaf.der))
  write('chain.pem', authorities.map(({ der }) => pemOf(der)).join(''))
  const certificates = authorities.map(({ der }) => ({ rawBytes: base64(der) }))
  const trusted = { certChain: { certificates }, uri: 'https://ca.example', validFor: { start: '2000-01-01T00:00:00Z' } }
  const mediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'
  write('root.json', JSON.stringify({ mediaType, certificateAuthorities: [trusted] }))
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { certificate: { rawBytes: base64(leaf.der) }, timestampVerificationData: {} },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: base64(digestOf('sha256', artifact)) },
      signature: base64(signature),
    },
  }
  write('bundle.json', JSON.stringify(bundle))
}

const anybody = ['--certificate-identity-regexp', '.*', '--certificate-oidc-issuer-regexp', '.*']
const unwitnessed = ['--insecure-ignore-sct', '--insecure-ignore-tlog']
const ways = [
  ['--certificate-chain', 'chain.pem', '--certificate', 'leaf.pem', '--signature', 'signature'],
  ['--trusted-root', 'root.json', '--bundle', 'bundle.json'],
].map((words) => ['verify-blob', ...anybody, ...unwitnessed, ...words, 'artifact'])

describe.skipIf(cosign === undefined)('a certificate of an own authority', () => {
  it.each(cases)('with $what', async (one) => {
    writeCase(one)
    const verdict = ({ exitCode }: { readonly exitCode: number | null }): string => (exitCode === 0 ? 'yes' : 'no')
    const theirs = ways.map((words) => verdict(runPeer(cosign ?? '', words, folder)))
    const ours: string[] = []
    for (const words of ways) ours.push(verdict(await runCaptured(words, { cwd: folder, env: { HOME: folder }, now: Date.now() })))
    expect(ours.join(' ')).toBe(one.verdicts)
    expect(theirs.join(' ')).toBe(one.cosigns ?? one.verdicts)
  })
})
