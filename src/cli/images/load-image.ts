/** `load`: what `save` has written, or another image layout, into a registry. */
import path from 'node:path'
import { UsageError } from '../../error.ts'
import { copyImage } from '../../oci/copy-image.ts'
import { openLayout } from '../../oci/open-layout.ts'
import { parseReference } from '../../oci/reference.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { connectRegistries } from './registries.ts'
import type { loadFlags } from './storage-flags.ts'
import { showProgress } from './transfer-progress.ts'

/** @throws UsageError, CountersignError, TransportError */
export async function loadImage(context: CommandContext, flags: FlagValues<typeof loadFlags>, argument: string): Promise<void> {
  const reference = parseReference(argument)
  const layout = await openLayout(path.resolve(context.cwd, flags.dir), flags.dir)
  const { digest } = await layout.image()
  if (reference.digest !== undefined && reference.digest !== digest) {
    throw new UsageError('USAGE', `${flags.dir} holds the image ${digest}, not ${reference.digest}`)
  }
  const registries = connectRegistries(context, flags)
  const progress = showProgress(context, 'Loading')
  try {
    const { skipped } = await copyImage(digest, {
      source: { images: layout, signatures: layout },
      target: { images: registries.open(reference), signatures: registries.signaturesOf(reference) },
      tag: reference.tag,
      tagPrefix: flags['attachment-tag-prefix'],
      signal: context.signal,
      progress,
    })
    for (const sentence of skipped) warn(context, sentence)
  } finally {
    progress.stop()
  }
}
