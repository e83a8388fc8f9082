/** `clean`: removes what lies beside an image. */
import { CountersignError } from '../../error.ts'
import type { AttachmentKind } from '../../oci/attachments.ts'
import { attachmentsOf, isBundleManifest, storedAt } from '../../oci/attachments.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { parseManifest } from '../../oci/manifest.ts'
import type { Repository } from '../../oci/repository.ts'
import { artifactType } from '../../oci/signature-places.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { confirm } from '../signing/confirmation.ts'
import { findNamedImage } from './named-image.ts'
import type { cleanFlags } from './storage-flags.ts'

type CleanFlags = FlagValues<typeof cleanFlags>

const warnings: Readonly<Record<CleanFlags['type'], string>> = {
  signature: 'this will remove all signatures from the image',
  attestation: 'this will remove all attestations from the image',
  sbom: 'this will remove all SBOMs from the image',
  referrer: 'this will remove all referrer attestations and/or signatures from the image',
  all: 'this will remove all signatures, SBOMs and attestations from the image',
}

const kindsOf: Readonly<Record<CleanFlags['type'], readonly AttachmentKind[]>> = {
  signature: ['sig'],
  attestation: ['att'],
  sbom: ['sbom'],
  referrer: ['referrer'],
  all: ['sig', 'att', 'sbom', 'referrer'],
}

/** What refers to the image and holds no signature, such as documentation, stays. @throws CountersignError ABORTED; as the repository */
export async function cleanImage(context: CommandContext, flags: CleanFlags, argument: string): Promise<void> {
  if (!flags.force) {
    warn(context, warnings[flags.type])
    await confirm(context, '--force')
  }
  const image = await findNamedImage(context, flags, argument)
  const { signatures } = image
  const { digest } = image.descriptor
  await sayWhatStays(context, flags, signatures, digest)
  const found = await attachmentsOf(signatures, digest, { kinds: kindsOf[flags.type], tagPrefix: flags['attachment-tag-prefix'] })
  for (const { kind, descriptor, tag, subject } of found) {
    context.signal.throwIfAborted()
    if (subject !== digest) continue
    if (kind === 'referrer') {
      if (!(await isSigstore(signatures, descriptor, subject))) continue
      await signatures.detach(descriptor.digest, subject).catch(unlessMissing)
    } else if (tag !== undefined) {
      await signatures.remove(tag).catch(unlessMissing)
    }
    context.stderr.write(`Removed ${signatures.name}${tag === undefined ? `@${descriptor.digest}` : `:${tag}`} from ${image.name}\n`)
  }
}

/** As in cosign, the kinds of signatures are those under tags; whoever removes them may not know of the others. */
async function sayWhatStays(context: CommandContext, { type }: CleanFlags, repository: Repository, digest: string): Promise<void> {
  const suffix = type === 'signature' ? 'sig' : type === 'attestation' ? 'att' : undefined
  if (suffix === undefined) return
  const staying = await attachmentsOf(repository, digest, { kinds: ['referrer'], only: new Set([suffix]) })
  if (staying.length > 0)
    warn(
      context,
      `${staying.length} ${type}${staying.length === 1 ? '' : 's'} in bundles that refer to the image stay; --type referrer removes them`,
    )
}

async function isSigstore(repository: Repository, { digest }: Descriptor, subject: string): Promise<boolean> {
  const stored = await storedAt(repository, digest)
  // An entry of a list that names nothing any more.
  if (stored === undefined) return true
  const manifest = parseManifest(stored)
  if (manifest.subject?.digest !== subject) return false
  const type = manifest.artifactType ?? (manifest.kind === 'manifest' ? manifest.config.mediaType : '')
  return isBundleManifest(manifest) || type === artifactType.legacySignature || type === artifactType.legacySbom
}

/** Somebody else was faster. */
function unlessMissing(error: unknown): void {
  if (!(error instanceof CountersignError) || error.code !== 'NOT_FOUND') throw error
}
