/** The media types of a Sigstore bundle, in both spellings. */
import type { BundleVersion } from './signed-entity.ts'

/** What a new bundle is written with. */
export const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** The version that a media type stands for, undefined when it is no bundle's. */
export function bundleVersionOf(mediaType: string): BundleVersion | undefined {
  switch (mediaType) {
    case 'application/vnd.dev.sigstore.bundle.v0.3+json':
    case 'application/vnd.dev.sigstore.bundle+json;version=0.3':
      return '0.3'
    case 'application/vnd.dev.sigstore.bundle.v0.2+json':
    case 'application/vnd.dev.sigstore.bundle+json;version=0.2':
      return '0.2'
    case 'application/vnd.dev.sigstore.bundle.v0.1+json':
    case 'application/vnd.dev.sigstore.bundle+json;version=0.1':
      return '0.1'
    default:
      return undefined
  }
}
