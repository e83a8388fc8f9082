/** `download sbom`: the SBOM that `attach sbom` has put beside an image. */
import { CountersignError } from '../../error.ts'
import { attachmentsOf } from '../../oci/attachments.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { parseManifest } from '../../oci/manifest.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { printableLine } from '../quote.ts'
import { maxAttachmentBytes } from './attachment-size.ts'
import type { NamedImage } from './named-image.ts'
import { findNamedImage } from './named-image.ts'
import { sbomDeprecation } from './sbom-notice.ts'
import type { downloadSbomFlags } from './storage-flags.ts'

const unsigned =
  "Downloading SBOMs this way does not ensure its authenticity. If you want to ensure a tamper-proof SBOM, download it using 'countersign download attestation <image uri>'."

/** Writes its bytes to standard output. @throws CountersignError NOT_FOUND; as the repository */
export async function downloadSbom(context: CommandContext, flags: FlagValues<typeof downloadSbomFlags>, argument: string): Promise<void> {
  warn(context, sbomDeprecation)
  warn(context, unsigned)
  const image = await findNamedImage(context, flags, argument, flags.platform)
  const layers = await sbomLayers(image, flags['attachment-tag-prefix'])
  if (layers.length === 0) throw new CountersignError('NOT_FOUND', 'no sbom attached to reference')
  for (const layer of layers) {
    context.stderr.write(`Found SBOM of media type: ${printableLine(layer.mediaType)}\n`)
    context.stdout.write(await image.signatures.blob(layer, maxAttachmentBytes(context.env)))
    await context.stdout.flush()
  }
}

async function sbomLayers({ signatures, descriptor }: NamedImage, tagPrefix: string): Promise<readonly Descriptor[]> {
  const found = await attachmentsOf(signatures, descriptor.digest, { tagPrefix, only: new Set(['sbom']) })
  const layers = new Map<string, Descriptor>()
  for (const { subject, descriptor: attached } of found) {
    if (subject !== descriptor.digest) continue
    const manifest = parseManifest(await signatures.manifest(attached.digest))
    for (const layer of manifest.kind === 'manifest' ? manifest.layers : []) layers.set(layer.digest, layer)
  }
  return [...layers.values()]
}
