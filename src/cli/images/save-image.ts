/** `save`: an image with everything beside it, into a folder. */
import path from 'node:path'
import { copyImage } from '../../oci/copy-image.ts'
import { createLayoutFolder } from '../../oci/layout-folder.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { findNamedImage } from './named-image.ts'
import type { saveFlags } from './storage-flags.ts'
import { showProgress } from './transfer-progress.ts'

/** The folder lists what it listed before until everything is there. @throws UsageError, CountersignError, TransportError */
export async function saveImage(context: CommandContext, flags: FlagValues<typeof saveFlags>, argument: string): Promise<void> {
  const { reference, descriptor, images, signatures } = await findNamedImage(context, flags, argument)
  const layout = await createLayoutFolder(path.resolve(context.cwd, flags.dir), flags.dir)
  layout.begin(descriptor, reference.tag)
  const progress = showProgress(context, 'Saving')
  try {
    const { skipped } = await copyImage(descriptor.digest, {
      source: { images, signatures },
      target: { images: layout, signatures: layout },
      tag: undefined,
      replace: true,
      tagPrefix: flags['attachment-tag-prefix'],
      signal: context.signal,
      progress,
    })
    await layout.finish()
    for (const sentence of skipped) warn(context, sentence)
  } finally {
    progress.stop()
  }
}
