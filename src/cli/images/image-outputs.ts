/** The files that signing an image writes beside what goes into the registry. */
import { statSync } from 'node:fs'
import path from 'node:path'
import type { SignedEntity } from '../../bundle/signed-entity.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { UsageError } from '../../error.ts'
import type { OutputFile } from '../signing/output-files.ts'
import { checkWritable } from '../signing/output-files.ts'
import { bundleFile, certificateFile } from '../signing/signature-files.ts'
import type { FoundImage } from './image-input.ts'
import type { SignatureLayout } from './signing-layout.ts'

export interface ImageOutputFlags {
  readonly bundle: string
  readonly recursive: boolean
  readonly 'output-certificate'?: string
  readonly 'output-payload'?: string
  readonly 'output-signature'?: string
}

/** The files of one signature; empty names are not written. */
export interface ImageOutputs {
  readonly bundle: string
  /** A local bundle of cosign 1 and 2 instead of a Sigstore bundle. */
  readonly isLegacyBundle: boolean
  readonly signature: string
  readonly payload: string
  readonly certificate: string
}

/**
 * Decides what is written for each image. Where there are several, or an index with what it names, the digest is put behind the
 * name of each file, as cosign does for indexes; --bundle may be a folder.
 * @throws UsageError USAGE where two images would share a file; TransportError FILE_UNWRITABLE
 */
export function planImageOutputs(
  cwd: string,
  flags: ImageOutputFlags,
  layout: SignatureLayout,
  images: readonly FoundImage[],
): ImageOutputs[] {
  const isOld = layout !== 'bundle'
  const several = flags.recursive || images.length > 1
  const named = (file: string | undefined, { descriptor }: FoundImage): string =>
    file === undefined || file === '' ? '' : several ? `${file}-${descriptor.digest.replace(':', '-')}` : file
  const folder = isFolder(cwd, flags.bundle)
  const outputs = images.map((image) => ({
    bundle: folder ? path.join(flags.bundle, bundleName(image)) : named(flags.bundle, image),
    isLegacyBundle: isOld,
    signature: isOld ? named(flags['output-signature'], image) : '',
    payload: isOld ? named(flags['output-payload'], image) : '',
    certificate: isOld ? named(flags['output-certificate'], image) : '',
  }))
  const files = outputs.flatMap(({ bundle, signature, payload, certificate }) => [
    [bundle, 'bundle'] as const,
    [signature, 'signature'] as const,
    [payload, 'payload'] as const,
    [certificate, 'certificate'] as const,
  ])
  const seen = new Set<string>()
  for (const [file, what] of files) {
    if (file === '') continue
    const resolved = path.resolve(cwd, file)
    if (seen.has(resolved)) throw new UsageError('USAGE', `two of the files to write would both be ${file}: sign the images one at a time`)
    seen.add(resolved)
    checkWritable(cwd, file, what)
  }
  return outputs
}

/** The files of a finished signature. @param payload what was signed, where it is not in the signature's envelope */
export function imageFiles(outputs: ImageOutputs, entity: SignedEntity, payload: Uint8Array | undefined): OutputFile[] {
  const { bundle, isLegacyBundle, signature, certificate } = outputs
  const files = bundleFile(bundle, entity, isLegacyBundle)
  if (signature !== '') files.push({ path: signature, what: 'signature', contents: encodeBase64(entity.content.signature) })
  if (outputs.payload !== '' && payload !== undefined) files.push({ path: outputs.payload, what: 'payload', contents: payload })
  files.push(...certificateFile(certificate, entity))
  return files
}

function bundleName({ reference, repository, descriptor }: FoundImage): string {
  const name = reference.registry === '' ? repository : reference.repository
  return `${name.replaceAll('/', '-')}-${descriptor.digest.replace(':', '-')}.sigstore.json`
}

function isFolder(cwd: string, file: string): boolean {
  if (file.endsWith('/')) return true
  try {
    return file !== '' && statSync(path.resolve(cwd, file)).isDirectory()
  } catch {
    // Whether it can be written is looked into next, and said by name.
    return false
  }
}
