/** Bundles to verify, with everything that a verifier of any make needs to accept them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { parseBundle } from '../src/bundle/bundle.ts'
import { parseCertificate } from '../src/x509/certificate.ts'
import { issuerOf } from '../src/x509/sigstore-extensions.ts'
import { publicPath } from './places.ts'

/** One bundle. */
export interface BundleCase {
  readonly name: string
  /** The bundle's JSON as received: every verifier starts from it. */
  readonly json: Uint8Array
  readonly trustedRoot: TrustedRootFile
  readonly artifact: ArtifactBytes | ArtifactDigest
  readonly signer: ExpectedIdentity | ExpectedKey
}

/** A trusted root. Cases with the same one share the object, and verifiers load it once. */
export interface TrustedRootFile {
  readonly json: Uint8Array
}

export interface ArtifactBytes {
  readonly kind: 'bytes'
  readonly bytes: Uint8Array
}

export interface ArtifactDigest {
  readonly kind: 'digest'
  readonly algorithm: 'sha256' | 'sha512'
  readonly digest: Uint8Array
}

export interface ExpectedIdentity {
  readonly kind: 'identity'
  readonly subjectAlternativeName: string
  readonly issuer: string
}

export interface ExpectedKey {
  readonly kind: 'key'
  readonly pem: string
}

/** Bundles that are measured together. */
export interface BundleSet {
  readonly name: string
  readonly cases: readonly BundleCase[]
}

/** The public conformance cases that must verify, and the public bundles. */
export function publicCases(): BundleCase[] {
  const roots = new Map<string, TrustedRootFile>()
  const rootOf = (file: string): TrustedRootFile => {
    const known = roots.get(file) ?? { json: readFileSync(file) }
    roots.set(file, known)
    return known
  }
  return [...conformanceCases(rootOf), ...publicBundles(rootOf)]
}

const suiteIdentity: ExpectedIdentity = {
  kind: 'identity',
  subjectAlternativeName:
    'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
}

function conformanceCases(rootOf: (file: string) => TrustedRootFile): BundleCase[] {
  const folder = publicPath('conformance', 'bundle-verify')
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.endsWith('_fail'))
    .map(({ name }) => {
      const own = (file: string, fallback: string): string =>
        existsSync(path.join(folder, name, file)) ? path.join(folder, name, file) : fallback
      const text = (file: string, fallback: string): string =>
        own(file, '') === '' ? fallback : readFileSync(own(file, ''), 'utf8').trim()
      const pem = text('key.pub', '')
      return {
        name,
        json: readFileSync(path.join(folder, name, 'bundle.sigstore.json')),
        trustedRoot: rootOf(own('trusted_root.json', publicRoot())),
        artifact: { kind: 'bytes', bytes: readFileSync(own('artifact', path.join(folder, 'a.txt'))) },
        signer:
          pem === ''
            ? {
                kind: 'identity',
                subjectAlternativeName: text('identity', suiteIdentity.subjectAlternativeName),
                issuer: text('issuer', suiteIdentity.issuer),
              }
            : { kind: 'key', pem },
      }
    })
}

/** Attestations of one npm package. Their signers are people, whose names are read from the bundles and stay there. */
function publicBundles(rootOf: (file: string) => TrustedRootFile): BundleCase[] {
  const folder = publicPath('bundles')
  const sha512 =
    '7bea9f6e7ff37f5fab0b36bf061200fff03099fd2fd696b91d04bc5e4f225eb9fd6e0cadcad54ba980f43fb352a99e8810b4e0abeb5c0ef2cf9108cd1f258b36'
  return readdirSync(folder).map((file) => {
    const json = readFileSync(path.join(folder, file))
    return {
      name: path.parse(file).name,
      json,
      trustedRoot: rootOf(publicRoot()),
      artifact: { kind: 'digest', algorithm: 'sha512', digest: Buffer.from(sha512, 'hex') },
      signer: identityIn(json),
    }
  })
}

function identityIn(json: Uint8Array): ExpectedIdentity {
  const { keyMaterial } = parseBundle(json)
  if (keyMaterial.kind !== 'certificate') throw new Error('a bundle with a certificate was expected')
  const certificate = parseCertificate(keyMaterial.leaf)
  return {
    kind: 'identity',
    subjectAlternativeName: certificate.subjectAlternativeNames[0]?.value ?? '',
    issuer: issuerOf(certificate.sigstore) ?? '',
  }
}

function publicRoot(): string {
  return publicPath('trust', 'public-good.trusted_root.json')
}
