/** The media types of a Sigstore bundle, in both spellings. */
import type { BundleVersion } from './signed-entity.ts'

const versions: Readonly<Record<string, BundleVersion>> = {
  'application/vnd.dev.sigstore.bundle+json;version=0.1': '0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2': '0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3': '0.3',
  'application/vnd.dev.sigstore.bundle.v0.1+json': '0.1',
  'application/vnd.dev.sigstore.bundle.v0.2+json': '0.2',
  'application/vnd.dev.sigstore.bundle.v0.3+json': '0.3',
}

/** What a new bundle is written with. */
export const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** The version that a media type stands for, undefined when it is no bundle's. */
export function bundleVersionOf(mediaType: string): BundleVersion | undefined {
  return Object.hasOwn(versions, mediaType) ? versions[mediaType] : undefined
}
