/** `verify`: from flags to what is printed. */
import { UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { verifyFlags } from './flags.ts'
import { verifyImages } from './verify-images.ts'
import { printHeader, printSignatures } from './verify-report.ts'

/** @throws as `verifyImages` */
export async function verifySignatures(
  context: CommandContext,
  flags: FlagValues<typeof verifyFlags>,
  images: readonly string[],
): Promise<void> {
  if (flags.attachment !== '') throw new UsageError('USAGE', '--attachment is not supported by this version')
  if (flags.signature !== '' || flags.payload !== '')
    throw new UsageError('USAGE', '--signature and --payload are not supported for images by this version')
  const annotations = readAnnotations(flags.annotations)
  const withAnnotations = flags.annotations.length > 0
  const task = {
    wanted: 'signature',
    acceptAttestations: flags['accept-attestations'],
    ...(withAnnotations ? { annotations } : {}),
  } as const
  for await (const verified of verifyImages(context, flags, images, task)) {
    printHeader(context, flags, verified, withAnnotations)
    printSignatures(context, flags, verified)
  }
}

/** `key=value`, split at the first equals sign. @throws UsageError USAGE */
export function readAnnotations(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new UsageError('USAGE', `unable to parse annotation: ${excerpt(text)} should be key=value`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
