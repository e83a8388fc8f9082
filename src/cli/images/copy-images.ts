/** `copy`: an image with everything beside it, from one registry to another. */
import { CountersignError, UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { Attachment } from '../../oci/attachments.ts'
import { copyImage } from '../../oci/copy-image.ts'
import { parseReference, referenceText, repositoryText } from '../../oci/reference.ts'
import type { ImageReference } from '../../oci/reference.ts'
import type { Repository } from '../../oci/repository.ts'
import type { SignatureTag } from '../../oci/signature-places.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { findNamedImage, mountSource } from './named-image.ts'
import type { copyFlags } from './storage-flags.ts'
import { showProgress } from './transfer-progress.ts'
import { printableLine } from '../quote.ts'

const choices: readonly SignatureTag[] = ['sig', 'sbom', 'att']

/** @throws UsageError; CountersignError CONFLICT for a tag that another image has, unless `--force` is given */
export async function copyToRegistry(
  context: CommandContext,
  flags: FlagValues<typeof copyFlags>,
  [from = '', to = '']: readonly string[],
): Promise<void> {
  const only = readOnly(context, flags)
  const target = parseReference(to)
  const source = await findNamedImage(context, flags, from, flags.platform)
  const { images, signatures, registries, descriptor, repository } = source
  if (target.digest !== undefined && target.digest !== descriptor.digest)
    throw new UsageError('USAGE', `${source.name} is ${descriptor.digest}, and cannot be copied to ${to}`)
  const places = { images: registries.open(target), signatures: registries.signaturesOf(target) }
  if (!flags.force && only === undefined) await refuseToReplace(places.images, target, descriptor.digest)
  const progress = showProgress(context, 'Copying')
  const announce = (what: Attachment | 'image'): void => {
    progress.stop()
    const [a, b] =
      what === 'image'
        ? [
            `${repository}@${descriptor.digest}`,
            only === undefined ? referenceText(target) : `${repositoryText(target)}@${descriptor.digest}`,
          ]
        : [`${signatures.name}${suffixOf(what)}`, `${places.signatures.name}${suffixOf(what)}`]
    context.stderr.write(`Copying ${printableLine(a)} to ${printableLine(b)}...\n`)
  }
  try {
    const { skipped } = await copyImage(descriptor.digest, {
      source: { images, signatures },
      target: places,
      tag: only === undefined ? target.tag : undefined,
      replace: flags.force,
      tagPrefix: flags['attachment-tag-prefix'],
      mountFrom: { images: mountSource(source.reference, target), signatures: mountSource(source.reference, target) },
      signal: context.signal,
      progress,
      onCopy: announce,
      ...(only === undefined ? {} : { only }),
    })
    for (const sentence of skipped) warn(context, sentence)
  } finally {
    progress.stop()
  }
}

function readOnly({ stderr }: CommandContext, flags: FlagValues<typeof copyFlags>): ReadonlySet<SignatureTag> | undefined {
  if (flags['sig-only']) stderr.write('--sig-only is deprecated, use --only=sig instead\n')
  const given = flags['sig-only'] ? [...flags.only, 'sig'] : flags.only
  if (given.length === 0) return undefined
  const known = new Set<SignatureTag>()
  for (const text of given) {
    const choice = choices.find((one) => one === text)
    if (choice === undefined)
      throw new UsageError(
        'USAGE',
        `invalid value for --only: ${excerpt(text).slice(1, -1)}, only the following values are supported: [${choices.join(' ')}]`,
      )
    known.add(choice)
  }
  return known
}

async function refuseToReplace(repository: Repository, target: ImageReference, digest: string): Promise<void> {
  if (target.tag === undefined) return
  try {
    if ((await repository.resolve(target.tag)).digest === digest) return
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'NOT_FOUND') return
    throw error
  }
  throw new CountersignError('CONFLICT', `image "${referenceText(target)}" already exists. Use \`-f\` to overwrite`)
}

function suffixOf({ tag, descriptor }: Attachment): string {
  return tag === undefined ? `@${descriptor.digest}` : `:${tag}`
}
