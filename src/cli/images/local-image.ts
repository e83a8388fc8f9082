/** An image in a folder: an OCI image layout, such as `save` writes. */
import path from 'node:path'
import { openLayoutFolder } from '../../oci/layout-folder.ts'
import type { Repository } from '../../oci/repository.ts'
import type { CommandContext } from '../context.ts'
import type { FoundImage } from './image-input.ts'

/** @throws as `openLayoutFolder`; UsageError USAGE when it is not clear which image the folder is about */
export async function openLocalImage(
  { cwd }: CommandContext,
  folder: string,
): Promise<{ readonly repository: Repository; readonly image: FoundImage }> {
  const repository = await openLayoutFolder(path.resolve(cwd, folder), folder)
  const descriptor = await repository.image()
  const reference = { registry: '', repository: folder, tag: undefined, digest: descriptor.digest }
  return { repository, image: { reference, name: folder, repository: folder, descriptor } }
}
