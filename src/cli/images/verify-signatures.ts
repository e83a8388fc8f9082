/** `verify`: from flags to what is printed. */
import { UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { verifyFlags } from './flags.ts'
import { explanationOf } from './explanation.ts'
import { verifyImages } from './verify-images.ts'
import type { ImageVerificationTask } from './verification-task.ts'
import { printHeader, printSignatures } from './verify-report.ts'

/** @throws as `verifyImages` */
export async function verifySignatures(
  context: CommandContext,
  flags: FlagValues<typeof verifyFlags>,
  images: readonly string[],
): Promise<void> {
  if (flags.attachment !== '' && flags.attachment !== 'sbom')
    throw new UsageError('USAGE', `--attachment should be sbom, found ${excerpt(flags.attachment)}`)
  if (flags.payload !== '' && flags.signature === '') throw new UsageError('USAGE', '--payload needs --signature')
  if (flags.signature !== '' && images.length > 1) throw new UsageError('USAGE', '--signature is of one image')
  if (flags.signature !== '' && (flags.platform !== '' || flags.recursive))
    throw new UsageError('USAGE', '--signature is of the image itself: --platform and --recursive do not go with it')
  const annotations = readAnnotations(flags.annotations)
  const withAnnotations = flags.annotations.length > 0
  const task: ImageVerificationTask = {
    wanted: 'signature',
    acceptAttestations: flags['accept-attestations'],
    ...(withAnnotations ? { annotations } : {}),
    ...(flags.signature === '' ? {} : { given: { signature: flags.signature, payload: flags.payload } }),
    ...(flags.attachment === '' ? {} : { attachment: flags.attachment }),
    ...(flags.platform === '' ? {} : { hint: platformHint }),
  }
  const explain = await explanationOf(context, flags)
  for await (const verified of verifyImages(context, flags, images, task, explain)) {
    printHeader(context, flags, verified, withAnnotations)
    explain(verified)
    printSignatures(context, flags, verified)
  }
}

const platformHint =
  ' (the index may be signed, and not the image for this platform: verify without --platform; what an index names is covered by its signature)'

/**
 * `key=value`, split at the first equals sign.
 * @throws UsageError USAGE, also for a key with two values: one of them would not be looked for, or not be signed
 */
export function readAnnotations(given: readonly string[]): Readonly<Record<string, string>> {
  const annotations = new Map<string, string>()
  for (const text of given) {
    const at = text.indexOf('=')
    if (at < 1) throw new UsageError('USAGE', `unable to parse annotation: ${excerpt(text)} should be key=value`)
    const [key, value] = [text.slice(0, at), text.slice(at + 1)]
    const before = annotations.get(key) ?? value
    if (before !== value)
      throw new UsageError('USAGE', `the annotation ${excerpt(key)} is given twice, as ${excerpt(before)} and as ${excerpt(value)}`)
    annotations.set(key, value)
  }
  return Object.fromEntries(annotations)
}
