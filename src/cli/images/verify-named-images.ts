/** `dockerfile verify` and `manifest verify`: every image that a file names. */
import path from 'node:path'
import { decodeUtf8 } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import { imagesOfDockerfile } from '../../oci/dockerfile-images.ts'
import { parseReference } from '../../oci/reference.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { printableLine } from '../quote.ts'
import { readInputFile } from '../verification/input-file.ts'
import type { verifyDockerfileFlags, verifyFlags } from './flags.ts'
import { verifySignatures } from './verify-signatures.ts'

const maxHostsLength = 300
const maxWarningLength = 1000
const maxFileBytes = 16 * 1024 * 1024

/** @throws UsageError for a file that names no image; as `verifySignatures` */
export async function verifyDockerfile(
  context: CommandContext,
  flags: FlagValues<typeof verifyDockerfileFlags>,
  file: string,
): Promise<void> {
  const text = decodeUtf8(readInputFile(context.cwd, file, 'the Dockerfile', maxFileBytes), `the Dockerfile ${file}`)
  const { all, base, fromEnvironment } = imagesOfDockerfile(text, context.env)
  if (fromEnvironment.length > 0) {
    warn(
      context,
      `${printableLine(fromEnvironment.join(', '))} of ${file} had a value from the environment: give the build the same (--build-arg)`,
    )
  }
  if (flags['base-image-only'] && base === undefined && all.length > 0) {
    throw new UsageError('USAGE', `the last stage of ${file} is built on nothing (scratch), so it has no base image to verify`)
  }
  const images = flags['base-image-only'] && base !== undefined ? [base] : all
  if (images.length === 0) throw new UsageError('USAGE', 'no images found in Dockerfile')
  await verifyNamed(context, flags, images)
}

/** @throws as `verifyDockerfile` */
export async function verifyManifest(context: CommandContext, flags: FlagValues<typeof verifyFlags>, file: string): Promise<void> {
  if (!['.yaml', '.yml', '.json'].includes(path.extname(file).toLowerCase())) {
    throw new UsageError('USAGE', `only yaml manifests are supported at this time: ${file} should end with .yaml, .yml or .json`)
  }
  const text = decodeUtf8(readInputFile(context.cwd, file, 'the manifest', maxFileBytes), `the manifest ${file}`)
  const { imagesOfManifest } = await import('../../policy/manifest-images.ts')
  const { all: images, others } = imagesOfManifest(text)
  if (others.length > 0) {
    warn(
      context,
      `${file} has images outside of containers, which are not verified: ${printableLine(others.join(', ')).slice(0, maxWarningLength)}`,
    )
  }
  if (images.length === 0) throw new UsageError('USAGE', 'no images found in manifest')
  await verifyNamed(context, flags, images)
}

async function verifyNamed(context: CommandContext, flags: FlagValues<typeof verifyFlags>, images: readonly string[]): Promise<void> {
  context.stderr.write(`Extracted image(s): ${printableLine(images.join(', '))}\n`)
  checkCredentials(flags, images)
  await verifySignatures(context, flags, images)
}

/** Whoever wrote the file has chosen the registries; a password is for the one that the user has in mind. */
function checkCredentials(flags: FlagValues<typeof verifyFlags>, images: readonly string[]): void {
  if (flags['registry-username'] === '' && flags['registry-token'] === '') return
  const registries = [...new Set(images.map((image) => parseReference(image).registry))]
  if (registries.length < 2) return
  const flag = flags['registry-username'] === '' ? '--registry-token' : '--registry-username'
  const hosts = printableLine(registries.join(', ')).slice(0, maxHostsLength)
  throw new UsageError('USAGE', `${flag} would be sent to all of ${hosts}: give each registry its own credentials with countersign login`)
}
