/** Where the signatures and attestations of an image can be, by the conventions of every cosign. */
import type { Descriptor } from './manifest.ts'

/** The kinds of tags that cosign 1 and 2 made from a digest. */
export type SignatureTag = 'sig' | 'att' | 'sbom'

/** The tag beside an image: `<prefix>sha256-<hex>.sig`. */
export function signatureTag(digest: string, suffix: SignatureTag, prefix = ''): string {
  return `${prefix}${digest.replace(':', '-')}.${suffix}`
}

export const artifactType = {
  /** What a Sigstore bundle is stored as; other versions of the format have another number in it. */
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  /** cosign 2's experimental way to attach signatures to images. */
  legacySignature: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  legacySbom: 'application/vnd.dev.cosign.artifact.sbom.v1+json',
} as const

/** Annotations of a manifest that holds a bundle. */
export const bundleAnnotation = {
  content: 'dev.sigstore.bundle.content',
  predicateType: 'dev.sigstore.bundle.predicateType',
  created: 'org.opencontainers.image.created',
} as const

/** The predicate type of what `cosign sign` signs since version 3. */
export const signPredicateType = 'https://sigstore.dev/cosign/sign/v1'

/** Whether a layer holds a Sigstore bundle, of whatever version. */
export function isBundleLayer({ mediaType }: Descriptor): boolean {
  return mediaType.startsWith('application/vnd.dev.sigstore.bundle')
}

/** Whether what a descriptor claims leaves open that a bundle or a signature is behind it. Claims are wrong on some registries. */
export function mayHoldSignature({ artifactType: type = '' }: Descriptor): boolean {
  return (
    type === '' ||
    type.startsWith('application/vnd.dev.sigstore.bundle') ||
    type === artifactType.legacySignature ||
    type === 'application/vnd.oci.empty.v1+json' ||
    type === 'application/vnd.oci.image.config.v1+json'
  )
}
