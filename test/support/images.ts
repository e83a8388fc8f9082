/** Small images for tests: an image, an index, and what refers to them, stored in any repository. */
import { createHash } from 'node:crypto'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import type { Descriptor, Platform, StoredManifest } from '../../src/oci/manifest.ts'
import { encodeIndex, encodeManifest, mediaType } from '../../src/oci/manifest.ts'
import type { Repository } from '../../src/oci/repository.ts'

/** Stores an image with one layer. @returns its descriptor */
export async function pushImage(
  repository: Repository,
  tag: string | undefined,
  layer: Uint8Array | string = 'a layer',
): Promise<Descriptor> {
  const { manifest } = await imageOf(repository, layer)
  return repository.putManifest(manifest, tag)
}

/** Stores an index of images for platforms. */
export async function pushIndex(
  repository: Repository,
  tag: string | undefined,
  platforms: readonly Platform[] = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64', variant: 'v8' },
  ],
): Promise<{ readonly index: Descriptor; readonly images: readonly Descriptor[] }> {
  const images: Descriptor[] = []
  for (const platform of platforms) {
    images.push({ ...(await pushImage(repository, undefined, `for ${platform.os}/${platform.architecture}`)), platform })
  }
  return { index: await repository.putManifest(encodeIndex(images), tag), images }
}

/** A manifest that refers to another one, with its blobs stored; it is not attached yet. */
export async function referrerOf(
  repository: Repository,
  subject: Descriptor,
  contents: string,
  artifactType = 'application/vnd.example.note',
): Promise<StoredManifest> {
  const [config, layer] = await Promise.all([repository.putBlob(encodeUtf8('{}')), repository.putBlob(encodeUtf8(contents))])
  return encodeManifest({
    config: { mediaType: mediaType.empty, ...config },
    layers: [{ mediaType: artifactType, ...layer }],
    annotations: { 'org.example.note': contents.slice(0, 20) },
    subject,
    artifactType,
  })
}

async function imageOf(repository: Repository, layer: Uint8Array | string): Promise<{ readonly manifest: StoredManifest }> {
  const contents = typeof layer === 'string' ? encodeUtf8(layer) : layer
  const diffId = createHash('sha256').update(contents).digest('hex')
  const configuration = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] }, config: {} }
  const [config, stored] = await Promise.all([repository.putBlob(encodeUtf8(JSON.stringify(configuration))), repository.putBlob(contents)])
  return {
    manifest: encodeManifest({
      config: { mediaType: mediaType.config, ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...stored }],
    }),
  }
}
