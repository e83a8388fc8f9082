/** An image on disk: an OCI image layout, such as `save` writes, in a folder or an archive, or what `docker save` writes. */
import path from 'node:path'
import { excerpt } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import type { ImageLayout } from '../../oci/image-layout.ts'
import { blobPath } from '../../oci/image-layout.ts'
import { imagesByTag } from '../../oci/layout-index.ts'
import { openLayout } from '../../oci/open-layout.ts'
import { checkStoredImage } from '../../oci/stored-image.ts'
import type { CommandContext } from '../context.ts'
import type { FoundImage } from './image-input.ts'

/**
 * Opens the folder. What it holds of the image has been compared with its digests, since whoever is told that the image is verified
 * goes on with the folder.
 * @throws as `openLayout` and `checkStoredImage`; UsageError USAGE when it is not clear which image the folder is about
 */
export async function openLocalImage(
  { cwd, signal }: CommandContext,
  folder: string,
): Promise<{ readonly repository: ImageLayout; readonly image: FoundImage }> {
  const repository = await openLayout(path.resolve(cwd, folder), folder)
  const descriptor = await repository.image()
  // Other tools go by tags, and not by the mark of the image that was saved.
  const other = imagesByTag(await repository.entries()).find(({ digest }) => digest !== descriptor.digest)
  if (other !== undefined)
    throw new UsageError(
      'USAGE',
      `${folder} holds ${descriptor.digest} and ${other.digest}, which has a tag: verify a folder with one image`,
    )
  const known = await checkStoredImage(repository, descriptor.digest, signal)
  const files = new Set([...known].map(blobPath))
  const foreign = (await repository.filesForDocker()).find((file) => !files.has(file))
  if (foreign !== undefined) {
    const found = `${excerpt(foreign, 120)}, which is no part of it`
    throw new UsageError(
      'USAGE',
      `${folder} holds ${descriptor.digest}, and docker load, which goes by manifest.json, takes ${found}; save it anew`,
    )
  }
  const reference = { registry: '', repository: folder, tag: undefined, digest: descriptor.digest }
  return { repository, image: { reference, name: folder, repository: folder, descriptor } }
}
