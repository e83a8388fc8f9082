/** `tree`: what lies beside an image, and what in it. */
import type { Attachment } from '../../oci/attachments.ts'
import { attachmentsOf, storedAt } from '../../oci/attachments.ts'
import type { Manifest } from '../../oci/manifest.ts'
import { parseManifest } from '../../oci/manifest.ts'
import { bundleAnnotation } from '../../oci/signature-places.ts'
import type { Repository } from '../../oci/repository.ts'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { printableLine } from '../quote.ts'
import { findNamedImage } from './named-image.ts'
import type { treeFlags } from './storage-flags.ts'

const titles = {
  sig: '🔐 Signatures for an image tag',
  att: '💾 Attestations for an image tag',
  sbom: '📦 SBOMs for an image tag',
} as const

/** @throws UsageError; CountersignError NOT_FOUND; as the repository */
export async function printTree(context: CommandContext, flags: FlagValues<typeof treeFlags>, argument: string): Promise<void> {
  const image = await findNamedImage(context, flags, argument)
  const { stdout } = context
  stdout.write(`📦 Supply Chain Security Related artifacts for an image: ${image.name}\n`)
  const found = await attachmentsOf(image.signatures, image.descriptor.digest, { tagPrefix: flags['attachment-tag-prefix'] })
  if (found.length === 0) {
    stdout.write(
      `No Supply Chain Security Related Artifacts found for image ${image.name},\n start creating one with simply running$ countersign sign <img>`,
    )
  }
  await printBelow(context, image.signatures, found, image.descriptor.digest, '')
}

async function printBelow(
  context: CommandContext,
  repository: Repository,
  all: readonly Attachment[],
  subject: string,
  indent: string,
): Promise<void> {
  for (const attachment of all.filter((one) => one.subject === subject)) {
    const stored = await storedAt(repository, attachment.descriptor.digest)
    if (stored === undefined) {
      context.stdout.write(`${indent}└── 🔗 listed as an OCI referrer, and not there: ${repository.name}@${attachment.descriptor.digest}\n`)
      continue
    }
    const manifest = parseManifest(stored)
    context.stdout.write(`${indent}└── ${describe(attachment, manifest, repository.name)}\n`)
    const parts = manifest.kind === 'index' ? manifest.manifests : manifest.layers
    for (const { digest } of parts) context.stdout.write(`${indent}   └── 🍒 ${digest}\n`)
    await printBelow(context, repository, all, attachment.descriptor.digest, `${indent}   `)
  }
}

function describe({ kind, tag, descriptor }: Attachment, manifest: Manifest, repository: string): string {
  if (kind !== 'referrer') return `${titles[kind]}: ${repository}:${tag}`
  const type = manifest.annotations[bundleAnnotation.predicateType] ?? manifest.artifactType ?? configType(manifest)
  return `🔗 ${printableLine(type)} artifacts via OCI referrer: ${repository}@${descriptor.digest}`
}

function configType(manifest: Manifest): string {
  return manifest.kind === 'manifest' ? manifest.config.mediaType : manifest.mediaType
}
