/**
 * The archives that `docker save` wrote before it wrote image layouts: `manifest.json` names a configuration and layers, and no manifest
 * exists. The one made here names the layers as they are in the archive; it is the image when it is loaded from there by this program.
 */
import { createDigest } from '../crypto/digest.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { parseJson } from '../encoding/json.ts'
import { DecodingError, UsageError } from '../error.ts'
import { contentDigest } from './digest.ts'
import { dockerTable as table } from './image-layout.ts'
import type { LayoutFiles } from './layout-files.ts'
import { mainEntry } from './layout-index.ts'
import { descriptorOf, encodeIndex, encodeManifest, mediaType } from './manifest.ts'

const layerType = 'application/vnd.docker.image.rootfs.diff.tar'
/** What begins so is compressed with gzip (RFC 1952): Docker leaves layers as they are, other tools do not. */
const gzipMark = Uint8Array.of(0x1f, 0x8b)
const maxTableBytes = 4 * 1024 * 1024
const maxConfigBytes = 8 * 1024 * 1024
const maxLayers = 1000

/** Whether the files are such an archive. */
export async function isDockerArchive(files: LayoutFiles): Promise<boolean> {
  return (await files.size('index.json')) === undefined && (await files.size(table)) !== undefined
}

/**
 * Shows the archive as an image layout. Each layer is read once, for its digest.
 * @throws DecodingError MANIFEST_INVALID, JSON_INVALID; UsageError USAGE for several images; TransportError
 */
export async function dockerArchiveAsLayout(files: LayoutFiles): Promise<LayoutFiles> {
  const { name } = files
  const { config, layers, tag } = await readTable(files)
  const configBytes = await files.read(config, maxConfigBytes)
  if (configBytes === undefined) throw missing(name, config)
  const aliases = new Map<string, string>()
  const described = []
  for (const layer of layers) {
    const size = await files.size(layer)
    if (size === undefined) throw missing(name, layer)
    const state = createDigest('sha256')
    let isCompressed: boolean | undefined
    for await (const chunk of files.chunks(layer)) {
      isCompressed ??= equalBytes(chunk.subarray(0, gzipMark.length), gzipMark)
      state.update(chunk)
    }
    const digest = `sha256:${encodeHex(state.finish())}`
    aliases.set(`blobs/${digest.replace(':', '/')}`, layer)
    described.push({ mediaType: isCompressed === true ? `${layerType}.gzip` : layerType, digest, size })
  }
  const configDigest = contentDigest(configBytes)
  aliases.set(`blobs/${configDigest.replace(':', '/')}`, config)
  const manifest = encodeManifest({
    mediaType: mediaType.dockerManifest,
    config: { mediaType: mediaType.dockerConfig, digest: configDigest, size: configBytes.length },
    layers: described,
  })
  const made = new Map([
    ['index.json', encodeIndex([mainEntry(descriptorOf(manifest), tag)]).bytes],
    [`blobs/${manifest.digest.replace(':', '/')}`, manifest.bytes],
  ])
  return withMade(files, made, aliases)
}

interface Listed {
  readonly config: string
  readonly layers: readonly string[]
  readonly tag: string | undefined
}

async function readTable(files: LayoutFiles): Promise<Listed> {
  const bytes = (await files.read(table, maxTableBytes)) ?? new Uint8Array()
  const what = `${files.name}/${table}`
  const list = parseJson(bytes, what, { maxDepth: 16 })
  if (!Array.isArray(list) || list.length === 0) throw new DecodingError('MANIFEST_INVALID', `${what} should list an image`)
  if (list.length > 1) throw new UsageError('USAGE', `${files.name} holds ${list.length} images; save one of them`)
  const fields = new JsonFields(list[0], what, 'MANIFEST_INVALID').spelled('Config', 'Layers', 'RepoTags')
  const layers = texts(fields, 'Layers')
  const [reference] = texts(fields, 'RepoTags')
  const tag = reference?.slice(reference.lastIndexOf(':') + 1)
  return { config: fields.string('Config'), layers, tag: tag === undefined || tag.includes('/') ? undefined : tag }
}

function texts(fields: JsonFields, name: string): string[] {
  return fields.array(name, maxLayers).map((text) => {
    if (typeof text === 'string') return text
    throw fields.invalid(`${fields.pathOf(name)} should hold texts`)
  })
}

function withMade(files: LayoutFiles, made: ReadonlyMap<string, Uint8Array>, aliases: ReadonlyMap<string, string>): LayoutFiles {
  const real = (file: string): string => aliases.get(file) ?? file
  // It says the same as what was made of it.
  const has = (file: string): boolean => file !== table
  const absent = Promise.resolve(undefined)
  return {
    name: files.name,
    size: (file) => (made.has(file) ? Promise.resolve(made.get(file)?.length) : has(file) ? files.size(real(file)) : absent),
    read: (file, maxBytes) => (made.has(file) ? Promise.resolve(made.get(file)) : has(file) ? files.read(real(file), maxBytes) : absent),
    chunks: (file) => files.chunks(real(file)),
    list: () => Promise.resolve([]),
  }
}

function missing(name: string, file: string): DecodingError {
  return new DecodingError('MANIFEST_INVALID', `${name} lists ${JSON.stringify(file.slice(0, 80))} and does not have it`)
}
