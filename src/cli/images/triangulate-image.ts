/** `triangulate`: the tag under which cosign 1 and 2 keep what lies beside an image. */
import { UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { signatureTag } from '../../oci/signature-places.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { findNamedImage } from './named-image.ts'
import { sbomDeprecation } from './sbom-notice.ts'
import type { triangulateFlags } from './storage-flags.ts'

const suffixes: ReadonlyMap<string, 'sig' | 'att' | 'sbom'> = new Map([
  ['signature', 'sig'],
  ['attestation', 'att'],
  ['sbom', 'sbom'],
])

/** @throws UsageError; CountersignError NOT_FOUND; as the repository */
export async function triangulateImage(
  context: CommandContext,
  flags: FlagValues<typeof triangulateFlags>,
  argument: string,
): Promise<void> {
  const suffix = suffixes.get(flags.type)
  if (suffix === undefined && flags.type !== 'digest')
    throw new UsageError('USAGE', `unknown attachment type ${excerpt(flags.type).slice(1, -1)} (signature, attestation, sbom or digest)`)
  const { descriptor, repository, signatures } = await findNamedImage(context, flags, argument)
  const { digest } = descriptor
  if (suffix === 'sbom') warn(context, sbomDeprecation)
  const where =
    suffix === undefined ? `${repository}@${digest}` : `${signatures.name}:${signatureTag(digest, suffix, flags['attachment-tag-prefix'])}`
  context.stdout.write(`${where}\n`)
}
