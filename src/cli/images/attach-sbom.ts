/** `attach sbom`: a bill of materials beside the image, unsigned. */
import { parseJson } from '../../encoding/json.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { encodeManifest } from '../../oci/manifest.ts'
import { parseReference } from '../../oci/reference.ts'
import { artifactType, signatureTag } from '../../oci/signature-places.ts'
import { encodeUnbuiltConfig, putUnbuiltImage } from '../../oci/unbuilt-image.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { printableLine } from '../quote.ts'
import { readPiped } from '../signing/piped-input.ts'
import { readInputFile } from '../verification/input-file.ts'
import { isTrue } from '../flag-values.ts'
import { findImage } from './image-input.ts'
import type { RegistryFlags } from './registries.ts'
import { connectRegistries } from './registries.ts'
import { checkReferrersMode } from './signing-layout.ts'
import { sbomDeprecation } from './sbom-notice.ts'

export interface AttachSbomFlags extends RegistryFlags {
  readonly sbom: string
  readonly type: string
  readonly 'input-format': string
  readonly 'registry-referrers-mode': string
}

const maxSbomBytes = 128 * 1024 * 1024

/** By type: the formats that --input-format may say, and the media types of JSON and of the other one. */
const kinds: Readonly<Record<string, { readonly formats: readonly string[]; readonly json: string; readonly other: string | undefined }>> =
  {
    spdx: { formats: ['json', 'text'], json: 'text/spdx+json', other: 'text/spdx' },
    cyclonedx: { formats: ['json', 'xml'], json: 'application/vnd.cyclonedx+json', other: 'application/vnd.cyclonedx+xml' },
    syft: { formats: ['json'], json: 'application/vnd.syft+json', other: undefined },
  }

/**
 * Attaches an SBOM; one that was there under the tag before is replaced.
 * @throws UsageError USAGE; TransportError FILE_UNREADABLE; as `findImage`
 */
export async function attachSbom(context: CommandContext, flags: AttachSbomFlags, image: string): Promise<void> {
  const { sbom: file, 'registry-referrers-mode': mode } = flags
  checkReferrersMode(context, mode)
  warn(context, sbomDeprecation)
  warn(
    context,
    `Attaching SBOMs this way does not sign them. To sign them, use 'countersign attest --predicate ${printableLine(file)} --key <key path>'.`,
  )
  if (file === '') throw new UsageError('USAGE', 'name the SBOM with --sbom (- for standard input)')
  const contents =
    file === '-' ? await readPiped(context, 'the SBOM', maxSbomBytes) : readInputFile(context.cwd, file, 'the SBOM', maxSbomBytes)
  const type = mediaTypeOf(flags, contents)
  const reference = parseReference(image)
  const registries = connectRegistries(context, flags)
  const { repository: name, descriptor } = await findImage(registries.open(reference), reference)
  const repository = registries.signaturesOf(reference)
  const layer = { mediaType: type, ...(await repository.putBlob(contents)) }
  const subject = `${name}@${descriptor.digest}`
  if (mode !== 'oci-1-1') {
    const tag = signatureTag(descriptor.digest, 'sbom', flags['attachment-tag-prefix'])
    context.stderr.write(
      `Uploading SBOM file for [${subject}] to [${printableLine(repository.name)}:${tag}] with mediaType [${printableLine(type)}].\n\n`,
    )
    const dockerTypes = isTrue(context.env['COSIGN_DOCKER_MEDIA_TYPES'])
    await repository.putManifest(await putUnbuiltImage(repository, { layers: [layer], dockerTypes }), tag)
    return
  }
  const config = await repository.putBlob(encodeUnbuiltConfig([layer]))
  const { mediaType, digest, size } = descriptor
  const manifest = encodeManifest({
    config: { mediaType: artifactType.legacySbom, ...config },
    layers: [layer],
    subject: { mediaType, digest, size },
    artifactType: artifactType.legacySbom,
  })
  context.stderr.write(
    `Uploading SBOM file for [${subject}] to [${repository.name}@${manifest.digest}] with config.mediaType [${artifactType.legacySbom}] layers[0].mediaType [${type}].\n`,
  )
  await repository.attach(manifest, digest)
}

/** What is JSON is JSON, whatever --input-format says, as in cosign. */
function mediaTypeOf({ type, 'input-format': format }: AttachSbomFlags, contents: Uint8Array): string {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined
  if (kind === undefined) throw new UsageError('USAGE', `unknown SBOM type: ${JSON.stringify(type)}, expected (spdx|cyclonedx|syft)`)
  if (format !== '' && !kind.formats.includes(format))
    throw new UsageError('USAGE', `invalid SBOM input format: ${JSON.stringify(format)}, expected (${kind.formats.join('|')})`)
  return kind.other === undefined || format === 'json' || isJson(contents) ? kind.json : kind.other
}

function isJson(contents: Uint8Array): boolean {
  try {
    parseJson(contents, 'the SBOM')
    return true
  } catch (error) {
    if (error instanceof CountersignError) return false
    throw error
  }
}
