/** Opens an image on disk, in whichever form it is there. */
import type { ImageLayout } from './image-layout.ts'
import { openLayoutFolder } from './layout-folder.ts'

/**
 * Opens a folder with an image layout.
 * @param place the path
 * @param name as messages name it
 * @throws TransportError FILE_UNREADABLE when there is none
 */
export function openLayout(place: string, name: string): Promise<ImageLayout> {
  return openLayoutFolder(place, name)
}
