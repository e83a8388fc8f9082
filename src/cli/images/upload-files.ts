/** `upload`: files as artifacts of a registry, one as an image, several as an index. */
import { statSync } from 'node:fs'
import path from 'node:path'
import { encodeHex } from '../../encoding/hex.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { TransportError, UsageError } from '../../error.ts'
import { detectContentType, sniffedBytes } from '../../oci/content-type.ts'
import type { Descriptor, Platform } from '../../oci/manifest.ts'
import { descriptorOf, encodeIndex, encodeManifest, mediaType } from '../../oci/manifest.ts'
import type { ImageReference } from '../../oci/reference.ts'
import { parseReference, referenceText, repositoryText } from '../../oci/reference.ts'
import type { BlobContent } from '../../oci/repository.ts'
import { putUnbuiltImage } from '../../oci/unbuilt-image.ts'
import { createDigest } from '../../crypto/digest.ts'
import type { CommandContext } from '../context.ts'
import { printableLine } from '../quote.ts'
import { checkBlobs, openBlob } from '../signing/blob-input.ts'
import type { RegistryFlags } from './registries.ts'
import { connectRegistries } from './registries.ts'
import { isTrue } from '../flag-values.ts'

export interface UploadBlobFlags extends RegistryFlags {
  readonly annotation: ReadonlyMap<string, string>
  readonly ct: string
  readonly files: readonly string[]
}

interface FileToUpload {
  readonly name: string
  readonly platform: Platform | undefined
}

const wasm = {
  config: 'application/vnd.wasm.config.v1+json',
  layer: 'application/vnd.wasm.content.layer.v1+wasm',
} as const
const emptyWasmConfig =
  '{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}'

/**
 * Uploads files.
 * @throws UsageError USAGE; TransportError FILE_UNREADABLE; as `Repository.putBlob`
 */
export async function uploadBlobs(context: CommandContext, flags: UploadBlobFlags, image: string): Promise<void> {
  const reference = writable(image)
  const files = readFiles(context, flags.files)
  const repository = connectRegistries(context, flags).open(reference)
  const annotations = Object.fromEntries(flags.annotation)
  const dockerTypes = isTrue(context.env['COSIGN_DOCKER_MEDIA_TYPES'])
  const isIndex = files.length > 1
  const manifests: Descriptor[] = []
  for (const { name, platform } of files) {
    const file = await openFile(context, name)
    const type = flags.ct === '' ? detectContentType(file.start) : flags.ct
    context.stderr.write(
      `Uploading file from [${printableLine(name)}] to [${referenceText(reference)}] with media type [${printableLine(type)}]\n`,
    )
    const layer = { mediaType: type, ...(await repository.putBlob(file.content)) }
    const address = `${reference.registry}/v2/${reference.repository}/blobs/${layer.digest}`
    context.stderr.write(`File [${printableLine(name)}] is available directly at [${address}]\n`)
    const manifest = await putUnbuiltImage(repository, { layers: [layer], dockerTypes, annotations })
    await repository.putManifest(manifest, isIndex ? undefined : reference.tag)
    manifests.push({
      ...descriptorOf(manifest),
      ...(platform === undefined ? {} : { platform }),
      artifactType: dockerTypes ? mediaType.dockerConfig : mediaType.config,
    })
  }
  const [only] = manifests
  if (!isIndex && only !== undefined) {
    context.stderr.write('Uploaded image to:\n')
    context.stdout.write(`${repositoryText(reference)}@${only.digest}\n`)
    return
  }
  const index = encodeIndex(manifests, Object.keys(annotations).length === 0 ? {} : { annotations })
  context.stderr.write(`Uploading multi-platform index to ${repositoryText(reference)}@${index.digest}\n`)
  await repository.putManifest(index, reference.tag)
  context.stdout.write(`${repositoryText(reference)}@${index.digest}\n`)
}

/** Uploads a WebAssembly module. @throws as `uploadBlobs` */
export async function uploadWasm(context: CommandContext, flags: RegistryFlags & { readonly file: string }, image: string): Promise<void> {
  const reference = writable(image)
  checkBlobs(context, [flags.file])
  const repository = connectRegistries(context, flags).open(reference)
  context.stderr.write(`Uploading wasm file from [${printableLine(flags.file)}] to [${referenceText(reference)}].\n`)
  const { content } = await openFile(context, flags.file)
  const [config, layer] = await Promise.all([repository.putBlob(encodeUtf8(emptyWasmConfig)), repository.putBlob(content)])
  const manifest = encodeManifest({
    config: { mediaType: wasm.config, ...config },
    layers: [{ mediaType: wasm.layer, ...layer }],
  })
  await repository.putManifest(manifest, reference.tag)
}

/** What is made has a digest of its own, so that it cannot be said where it is to be. */
function writable(image: string): ImageReference {
  const reference = parseReference(image)
  if (reference.digest === undefined) return reference
  throw new UsageError('USAGE', `${image} names a digest, and what is uploaded gets one of its own: name a tag`)
}

/** `path[:os[/architecture[/variant]]]`. A file that has such a name as a whole is meant as a whole. */
function readFiles(context: CommandContext, given: readonly string[]): FileToUpload[] {
  if (given.length === 0) throw new UsageError('USAGE', 'name the files to upload with --files')
  const files = given.map((text) => {
    const colon = text.lastIndexOf(':')
    const isWhole = colon < 1 || statSync(path.resolve(context.cwd, text), { throwIfNoEntry: false }) !== undefined
    return isWhole
      ? { name: text, platform: undefined }
      : { name: text.slice(0, colon), platform: readPlatform(text.slice(colon + 1), text) }
  })
  checkBlobs(
    context,
    files.map(({ name }) => name),
  )
  if (files.length === 1) return files
  const seen = new Set<string>()
  for (const { name, platform } of files) {
    if (platform === undefined) throw new UsageError('USAGE', `each file must include a unique platform, ${name} had no platform`)
    const key = JSON.stringify(platform)
    if (seen.has(key)) throw new UsageError('USAGE', `each file must include a unique platform, that of ${name} is another file's, too`)
    seen.add(key)
  }
  return files
}

function readPlatform(text: string, whole: string): Platform {
  const [os = '', architecture = '', variant, ...rest] = text.split('/')
  if (os === '' || rest.length > 0) throw new UsageError('USAGE', `expected path[:os[/architecture[/variant]]], found ${whole}`)
  return { architecture, os, ...(variant === undefined ? {} : { variant }) }
}

/** A file to upload: hashed first, then read again as it is sent. What has changed in between is refused. */
async function openFile(context: CommandContext, name: string): Promise<{ readonly content: BlobContent; readonly start: Uint8Array }> {
  const payload = openBlob(context, name)
  if (payload instanceof Uint8Array) return { content: payload, start: payload }
  const state = createDigest('sha256')
  let size = 0
  let start = new Uint8Array(0)
  for await (const chunk of payload) {
    if (size === 0) start = Uint8Array.from(chunk.subarray(0, sniffedBytes))
    state.update(chunk)
    size += chunk.length
  }
  return {
    start,
    content: {
      digest: `sha256:${encodeHex(state.finish())}`,
      size,
      chunks() {
        const again = openBlob(context, name)
        if (!(again instanceof Uint8Array)) return again
        throw new TransportError('CONTENT_MISMATCH', `the file ${name} was changed while it was being uploaded`)
      },
    },
  }
}
