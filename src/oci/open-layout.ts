/** Opens an image on disk, in whichever form it is there. */
import { stat } from 'node:fs/promises'
import { dockerArchiveAsLayout, isDockerArchive } from './docker-archive.ts'
import type { ImageLayout } from './image-layout.ts'
import { LayoutReader } from './image-layout.ts'
import { openLayoutFolder } from './layout-folder.ts'
import { openTarArchive } from './tar-archive.ts'

/**
 * Opens a folder with an image layout, or a tar archive of one, or one that `docker save` has written, compressed or not. Archives are
 * only read.
 * @param place the path
 * @param name as messages name it
 * @throws TransportError FILE_UNREADABLE, DecodingError, UsageError
 */
export async function openLayout(place: string, name: string): Promise<ImageLayout> {
  const found = await stat(place).catch(() => undefined)
  if (found?.isFile() !== true) return openLayoutFolder(place, name)
  const files = await openTarArchive(place, name)
  const layout = new LayoutReader((await isDockerArchive(files)) ? await dockerArchiveAsLayout(files) : files)
  await layout.entries()
  return layout
}
