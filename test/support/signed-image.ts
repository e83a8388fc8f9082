/** Images in a registry of the tests, with whatever was signed about them: by the universe, in every format and every wrong way. */
import { Buffer } from 'node:buffer'
import { encodeSimpleSigning } from '../../src/bundle/simple-signing.ts'
import type { FakeRegistry } from './registry-fake.ts'
import { digestOf, ociIndex, ociManifest } from './registry-fake.ts'
import { pemOf } from './universe/certificates.ts'
import { rekorBundleOf } from './universe/legacy.ts'
import type { Json, SignedBundle, SigningOptions, StatementOptions } from './universe/universe.ts'
import { signBlob, signStatement, universeOf } from './universe/universe.ts'

/** The predicate type of `cosign sign` since version 3. */
export const signType = 'https://sigstore.dev/cosign/sign/v1'
/** The repository that images are in unless a test says otherwise. */
export const app = 'app'

const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const simpleSigningLayer = 'application/vnd.dev.cosign.simplesigning.v1+json'
const envelopeLayer = 'application/vnd.dsse.envelope.v1+json'
const emptyConfig = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 }

interface Layer {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
}

/** Stores an image. @returns its digest */
export function putImage(registry: FakeRegistry, tag = 'v1', contents = 'an image', repository = app): string {
  const layer = putLayer(registry, repository, 'application/vnd.oci.image.layer.v1.tar+gzip', contents)
  const config = putLayer(registry, repository, 'application/vnd.oci.image.config.v1+json', '{}')
  return registry.put(repository, { schemaVersion: 2, mediaType: ociManifest, config, layers: [layer] }, ociManifest, tag)
}

/** Stores an index of images, by platform. @returns its digest */
export function putIndex(registry: FakeRegistry, images: Readonly<Record<string, string>>, tag = 'v1', repository = app): string {
  const manifests = Object.entries(images).map(([platform, digest]) => {
    const [os = '', architecture = '', variant] = platform.split('/')
    const stored = registry.manifests.get(`${repository}@${digest}`)
    const chosen = { os, architecture, ...(variant === undefined ? {} : { variant }) }
    return { mediaType: stored?.type ?? ociManifest, digest, size: stored?.bytes.length ?? 2, platform: chosen }
  })
  return registry.put(repository, { schemaVersion: 2, mediaType: ociIndex, manifests }, ociIndex, tag)
}

/** The statement of `cosign sign` about an image. */
export function signStatementAbout(digest: string, bend: Json = {}): Json {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [subjectOf(digest)],
    predicateType: signType,
    predicate: {},
    ...bend,
  }
}

/** A subject that is an image. */
export function subjectOf(digest: string, annotations?: Readonly<Record<string, string>>): Json {
  return { digest: { sha256: digest.slice('sha256:'.length) }, ...(annotations === undefined ? {} : { annotations }) }
}

/** What `cosign sign` signs since version 3. */
export function imageSignature(digest: string, options: StatementOptions = {}): SignedBundle {
  return signStatement({ statement: signStatementAbout(digest), ...options })
}

/** What `cosign attest` signs. */
export function imageAttestation(digest: string, options: StatementOptions = {}, bend: Json = {}): SignedBundle {
  const statement = signStatementAbout(digest, { predicateType: 'https://slsa.dev/provenance/v1', predicate: { builder: 'x' }, ...bend })
  return signStatement({ statement, ...options })
}

/** What `cosign sign` of version 1 and 2 signs. */
export function legacySignature(
  digest: string,
  options: SigningOptions = {},
  optional: Readonly<Record<string, string>> = {},
): SignedBundle {
  const payload = encodeSimpleSigning({ dockerReference: `localhost/${app}`, dockerManifestDigest: digest, optional })
  return signBlob(options, Buffer.from(payload))
}

export interface ReferrerOptions {
  readonly repository?: string
  /** What it says that it is about; default the image. */
  readonly subject?: string | undefined
  /** Changes the manifest before it is stored. */
  readonly bend?: (manifest: Json) => void
}

/** Stores a bundle as a referrer, as cosign 3 does. @returns the digest of the referrer */
export function attachBundle(registry: FakeRegistry, digest: string, bundle: string | Uint8Array, options: ReferrerOptions = {}): string {
  const { repository = app, bend } = options
  const subject = 'subject' in options ? options.subject : digest
  registry.putBlob(repository, '{}')
  const manifest: Json = {
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType: bundleType,
    config: emptyConfig,
    layers: [putLayer(registry, repository, bundleType, bundle)],
    annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope' },
    ...(subject === undefined ? {} : { subject: { mediaType: ociManifest, digest: subject, size: 1 } }),
  }
  bend?.(manifest)
  return registry.put(repository, manifest)
}

/** The layer of a signature, with the annotations of cosign 2. */
export function signatureLayer(
  registry: FakeRegistry,
  signed: SignedBundle,
  bend: Readonly<Record<string, string>> = {},
  repository = app,
): Layer {
  const signature = Buffer.from(signed.signature).toString('base64')
  const annotations = { 'dev.cosignproject.cosign/signature': signature, ...annotationsOf(signed), ...bend }
  return { ...putLayer(registry, repository, simpleSigningLayer, signed.artifact), annotations: present(annotations) }
}

/** The layer of an attestation, with the annotations of cosign 2. */
export function attestationLayer(
  registry: FakeRegistry,
  signed: SignedBundle,
  bend: Readonly<Record<string, string>> = {},
  repository = app,
): Layer {
  const annotations = { 'dev.cosignproject.cosign/signature': '', ...annotationsOf(signed), ...bend }
  return {
    ...putLayer(registry, repository, envelopeLayer, JSON.stringify(signed.bundle['dsseEnvelope'])),
    annotations: present(annotations),
  }
}

/** Stores layers under the tag that cosign 1 and 2 look for. */
export function putTag(registry: FakeRegistry, digest: string, layers: readonly Layer[], suffix = 'sig', repository = app): string {
  const config = putLayer(registry, repository, 'application/vnd.oci.image.config.v1+json', '{}')
  const tag = `${digest.replace(':', '-')}.${suffix}`
  return registry.put(repository, { schemaVersion: 2, mediaType: ociManifest, config, layers }, ociManifest, tag)
}

function putLayer(registry: FakeRegistry, repository: string, mediaType: string, contents: string | Uint8Array): Layer {
  return { mediaType, digest: registry.putBlob(repository, contents), size: Buffer.from(contents).length }
}

function annotationsOf({ certificate, entries, tokens }: SignedBundle): Record<string, string> {
  const [entry] = entries
  const [token] = tokens
  return {
    'dev.sigstore.cosign/certificate': certificate.length === 0 ? '' : pemOf(certificate),
    'dev.sigstore.cosign/chain':
      certificate.length === 0
        ? ''
        : universeOf()
            .chain.map(({ der }) => pemOf(der))
            .join(''),
    'dev.sigstore.cosign/bundle': entry === undefined ? '' : JSON.stringify(rekorBundleOf(entry)),
    'dev.sigstore.cosign/rfc3161timestamp':
      token === undefined ? '' : JSON.stringify({ SignedRFC3161Timestamp: Buffer.from(token).toString('base64') }),
  }
}

function present(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([, value]) => value !== ''))
}
