/** Files of a tar archive, read where they are: only their places are remembered. A compressed archive is decompressed first. */
import { close, fstat, open, read } from 'node:fs'
import { promisify } from 'node:util'
import { asBuffer } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import type { Compression } from './compressed-archive.ts'
import type { LayoutFiles } from './layout-files.ts'
import { readChunks, tooLarge, unreadable } from './layout-files.ts'
import type { PaxHeader } from './pax-header.ts'
import { readPaxHeader } from './pax-header.ts'
import type { TarHeader } from './tar-header.ts'
import { isTarHeader, readTarHeader, tarBlockBytes, untilNul } from './tar-header.ts'
import { TarTree } from './tar-tree.ts'

const maxEntries = 200_000
const maxNameBytes = 64 * 1024
const noArchive = 'it is no tar archive'
const damaged = 'a header is damaged'
const file = { open: promisify(open), close: promisify(close), stat: promisify(fstat), read: promisify(read) }

/** What compressed files begin with, in hexadecimal; zstd also with a frame that is skipped. */
const marks: Readonly<Record<string, RegExp>> = {
  gzip: /^1f8b/,
  zstd: /^(?:28b52ffd|5.2a4d18)/,
  bzip2: /^425a68/,
  xz: /^fd377a585a00/,
}

/**
 * Reads the table of an archive. Links lead to other files of it, never out of it.
 * @param place the path
 * @param name as messages name it
 * @throws DecodingError ENCODING_INVALID for what is no tar archive, and for one in which others may find something else; TransportError
 *   FILE_UNREADABLE, TOO_LARGE
 */
export async function openTarArchive(place: string, name: string): Promise<LayoutFiles> {
  const { tree, source } = await readTable(place, name)
  return {
    name,
    size: (wanted) => Promise.resolve(tree.find(wanted)?.length),
    read: async (wanted, maxBytes) => {
      const found = tree.find(wanted)
      if (found === undefined) return undefined
      if (found.length > maxBytes) throw tooLarge(`${name}/${wanted}`, found.length, maxBytes)
      const parts: Uint8Array[] = []
      for await (const part of readChunks(source, name, found)) parts.push(part)
      return Buffer.concat(parts)
    },
    chunks: (wanted) => readChunks(source, name, tree.find(wanted) ?? { start: 0, length: 0 }),
    list: (folder) => Promise.resolve(tree.list(folder)),
  }
}

async function readTable(place: string, name: string): Promise<{ readonly tree: TarTree; readonly source: string | number }> {
  const descriptor = await file.open(place, 'r').catch((cause: unknown) => {
    throw unreadable(name, cause)
  })
  let compression: Compression | undefined
  try {
    compression = compressionOf(await readBytes(descriptor, 0, 8), name)
    if (compression === undefined) return { tree: await readEntries(descriptor, (await file.stat(descriptor)).size, name), source: place }
  } finally {
    await file.close(descriptor)
  }
  const { decompress } = await import('./compressed-archive.ts')
  const { descriptor: source, size } = await decompress(place, name, compression)
  return { tree: await readEntries(source, size, name), source }
}

function compressionOf(start: Uint8Array, name: string): Compression | undefined {
  const hex = asBuffer(start).toString('hex')
  const [found] = Object.entries(marks).find(([, mark]) => mark.test(hex)) ?? []
  if (found === undefined || found === 'gzip' || found === 'zstd') return found
  throw invalid(name, `it is compressed with ${found}: decompress it first`)
}

/** What stands in front of an entry and is about it. */
interface AboutNext {
  longName?: string
  longLink?: string
  pax?: PaxHeader
}

async function readEntries(descriptor: number, size: number, name: string): Promise<TarTree> {
  const tree = new TarTree()
  let about: AboutNext = {}
  let seen = 0
  if (size > 0 && size < tarBlockBytes) throw invalid(name, noArchive)
  for (let at = 0; at + tarBlockBytes <= size;) {
    const block = await readBytes(descriptor, at, tarBlockBytes)
    at += tarBlockBytes
    if (block.every((byte) => byte === 0)) break
    if (!isTarHeader(block)) throw invalid(name, at === tarBlockBytes ? noArchive : damaged)
    if (++seen > maxEntries) throw invalid(name, `it has more than ${maxEntries} entries`)
    const header = readTarHeader(block)
    if (typeof header === 'string') throw invalid(name, header)
    const isAboutOthers = /^(?:long-|pax)/.test(header.kind)
    const length = (isAboutOthers ? undefined : about.pax?.length) ?? header.length
    if (at + length > size) throw invalid(name, 'it is cut off, or a size in it is wrong')
    if (isAboutOthers) {
      if (length > maxNameBytes) throw invalid(name, 'a name in it is too long')
      if (!takeNotice(about, header, await readBytes(descriptor, at, length))) throw invalid(name, damaged)
    } else {
      const reason = addEntry(tree, header, about, { start: at, length })
      if (reason !== undefined) throw invalid(name, reason)
      about = {}
    }
    at += Math.ceil(length / tarBlockBytes) * tarBlockBytes
  }
  const broken = tree.brokenLink()
  if (broken === undefined) return tree
  throw invalid(name, `it has the link ${JSON.stringify(broken.slice(0, 120))}, which leads to no file of it`)
}

/** @returns false for what is damaged, or said twice in ways that programs choose from differently */
function takeNotice(about: AboutNext, { kind }: TarHeader, content: Uint8Array): boolean {
  if (kind === 'long-name' && about.longName === undefined && about.pax === undefined) {
    about.longName = untilNul(content)
    return true
  }
  if (kind === 'long-link' && about.longLink === undefined && about.pax === undefined) {
    about.longLink = untilNul(content)
    return true
  }
  if (about.longName !== undefined || about.longLink !== undefined || about.pax !== undefined) return false
  const pax = readPaxHeader(content)
  // What is about all that follows is heeded by some programs only.
  if (pax === undefined || (kind === 'pax-global' && Object.keys(pax).length > 0)) return false
  if (kind === 'pax') about.pax = pax
  return true
}

/** @returns what is wrong */
function addEntry(
  tree: TarTree,
  header: TarHeader,
  { longName, longLink, pax }: AboutNext,
  content: { readonly start: number; readonly length: number },
): string | undefined {
  const path = longName ?? pax?.path ?? header.path
  const link = longLink ?? pax?.link ?? header.link
  const kind = header.kind === 'file' && path.endsWith('/') ? 'folder' : header.kind
  if (kind === 'file') return tree.addFile(path, content)
  // Some programs pass over it, and others read the next entry there.
  if (content.length > 0) return 'it has a folder or a link with content'
  if (kind === 'hard-link') return tree.addHardLink(path, link)
  return kind === 'symbolic-link' ? tree.addSymbolicLink(path, link) : tree.addFolder(path)
}

async function readBytes(descriptor: number, at: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(descriptor, new Uint8Array(length), 0, length, at)
  return buffer.subarray(0, bytesRead)
}

function invalid(name: string, reason: string): DecodingError {
  return new DecodingError('ENCODING_INVALID', `${name} cannot be read as an archive: ${reason}`)
}
