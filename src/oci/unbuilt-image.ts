/** Images that were never built: something else in the shape of an image, so that every registry takes it. As cosign writes them. */
import { encodeUtf8 } from '../encoding/bytes.ts'
import { contentDigest } from './digest.ts'
import type { Annotations, Descriptor, StoredManifest } from './manifest.ts'
import { encodeManifest, mediaType } from './manifest.ts'
import type { Repository } from './repository.ts'

/** The beginning of Go's time, for what has none. */
const noTime = '0001-01-01T00:00:00Z'

/** The configuration, to the byte. @param created default none */
export function encodeUnbuiltConfig(layers: readonly Descriptor[], created?: Date): Uint8Array {
  const time = created === undefined ? noTime : `${created.toISOString().slice(0, 19)}Z`
  return encodeUtf8(
    JSON.stringify({
      architecture: '',
      created: time,
      history: layers.map(() => ({ created: noTime })),
      os: '',
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      config: {},
    }),
  )
}

export interface UnbuiltImage {
  readonly layers: readonly Descriptor[]
  readonly annotations?: Annotations
  /** Docker's media types instead of OCI's, for registries that know no others. */
  readonly dockerTypes?: boolean
  readonly created?: Date | undefined
}

/** Makes the manifest, which names the configuration of `encodeUnbuiltConfig`. */
export function encodeUnbuiltImage({ layers, annotations = {}, dockerTypes = false, created }: UnbuiltImage): StoredManifest {
  const config = encodeUnbuiltConfig(layers, created)
  const type = dockerTypes ? mediaType.dockerConfig : mediaType.config
  return encodeManifest({
    mediaType: dockerTypes ? mediaType.dockerManifest : mediaType.manifest,
    config: { mediaType: type, digest: contentDigest(config), size: config.length },
    layers,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  })
}

/** Makes the manifest; its configuration is stored. */
export async function putUnbuiltImage(repository: Repository, image: UnbuiltImage): Promise<StoredManifest> {
  await repository.putBlob(encodeUnbuiltConfig(image.layers, image.created))
  return encodeUnbuiltImage(image)
}
