/**
 * Files of a tar archive (POSIX ustar, with the longer names and larger files of pax and GNU), read where they are: only their places are
 * remembered. A compressed archive is decompressed first.
 */
import { close, fstat, open, read } from 'node:fs'
import { promisify } from 'node:util'
import { asBuffer } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import type { Compression } from './compressed-archive.ts'
import type { LayoutFiles } from './layout-files.ts'
import { readChunks, tooLarge, unreadable } from './layout-files.ts'

interface Place {
  readonly start: number
  readonly length: number
}

const blockBytes = 512
const maxEntries = 200_000
const maxNameBytes = 64 * 1024
const maxLinks = 8
const noArchive = 'it is no tar archive'
const damaged = 'a header is damaged'
const file = { open: promisify(open), close: promisify(close), stat: promisify(fstat), read: promisify(read) }

/** What compressed files begin with, in hexadecimal. */
const marks: Readonly<Record<string, string>> = { gzip: '1f8b', zstd: '28b52ffd', bzip2: '425a68', xz: 'fd377a585a00' }

/**
 * Reads the table of an archive. Links lead to other files of it, never out of it.
 * @param place the path
 * @param name as messages name it
 * @throws DecodingError ENCODING_INVALID for what is no tar archive; TransportError FILE_UNREADABLE, TOO_LARGE
 */
export async function openTarArchive(place: string, name: string): Promise<LayoutFiles> {
  const { places, links, source } = await readTable(place, name)
  const find = (wanted: string): Place | undefined => {
    let at = wanted
    for (let followed = 0; followed <= maxLinks; followed++) {
      const place = places.get(at)
      if (place !== undefined) return place
      const target = links.get(at)
      if (target === undefined) return undefined
      at = target
    }
    return undefined
  }
  return {
    name,
    size: (wanted) => Promise.resolve(find(wanted)?.length),
    read: async (wanted, maxBytes) => {
      const place = find(wanted)
      if (place === undefined) return undefined
      if (place.length > maxBytes) throw tooLarge(`${name}/${wanted}`, place.length, maxBytes)
      const parts: Uint8Array[] = []
      for await (const part of readChunks(source, name, place)) parts.push(part)
      return Buffer.concat(parts)
    },
    chunks: (wanted) => readChunks(source, name, find(wanted) ?? { start: 0, length: 0 }),
    list: (folder) =>
      Promise.resolve(
        [...places.keys(), ...links.keys()].flatMap((path) => {
          const rest = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : ''
          return rest === '' || rest.includes('/') ? [] : [rest]
        }),
      ),
  }
}

interface Table {
  readonly places: Map<string, Place>
  readonly links: Map<string, string>
}

async function readTable(place: string, name: string): Promise<Table & { readonly source: string | number }> {
  const descriptor = await file.open(place, 'r').catch((cause: unknown) => {
    throw unreadable(name, cause)
  })
  let compression: Compression | undefined
  try {
    compression = compressionOf(await readBytes(descriptor, 0, 8), name)
    if (compression === undefined) return { ...(await readEntries(descriptor, (await file.stat(descriptor)).size, name)), source: place }
  } finally {
    await file.close(descriptor)
  }
  const { decompress } = await import('./compressed-archive.ts')
  const { descriptor: source, size } = await decompress(place, name, compression)
  return { ...(await readEntries(source, size, name)), source }
}

function compressionOf(start: Uint8Array, name: string): Compression | undefined {
  const hex = asBuffer(start).toString('hex')
  const [found] = Object.entries(marks).find(([, mark]) => hex.startsWith(mark)) ?? []
  if (found === undefined || found === 'gzip' || found === 'zstd') return found
  throw invalid(name, `it is compressed with ${found}: decompress it first`)
}

async function readEntries(descriptor: number, size: number, name: string): Promise<Table> {
  const table: Table = { places: new Map(), links: new Map() }
  let longName: string | undefined
  let longLink: string | undefined
  let longSize: number | undefined
  let seen = 0
  if (size > 0 && size < blockBytes) throw invalid(name, noArchive)
  for (let at = 0; at + blockBytes <= size;) {
    const header = await readBytes(descriptor, at, blockBytes)
    at += blockBytes
    if (header.every((byte) => byte === 0)) break
    if (!hasChecksum(header)) throw invalid(name, at === blockBytes ? noArchive : damaged)
    if (++seen > maxEntries) throw invalid(name, `it has more than ${maxEntries} entries`)
    const kind = String.fromCharCode(header[156] ?? 0)
    const isAboutNext = kind === 'L' || kind === 'K' || kind === 'x'
    const length = (isAboutNext ? undefined : longSize) ?? numberAt(header, 124, 12)
    if (length === undefined || at + length > size) throw invalid(name, 'it is cut off, or a size in it is wrong')
    if (isAboutNext) {
      if (length > maxNameBytes) throw invalid(name, 'a name in it is too long')
      const bytes = asBuffer(await readBytes(descriptor, at, length))
      const text = bytes.toString('utf8')
      const pax = kind === 'x' ? paxRecords(bytes, name) : new Map<string, string>()
      if (kind === 'L') longName = text.replace(/\0+$/, '')
      if (kind === 'K') longLink = text.replace(/\0+$/, '')
      longName = pax.get('path') ?? longName
      longLink = pax.get('linkpath') ?? longLink
      longSize = decimal(pax.get('size'), name) ?? longSize
    } else {
      const path = normalized(longName ?? shortName(header))
      const link = longLink ?? textAt(header, 157, 100)
      if (kind === '0' || kind === '\0') table.places.set(path, { start: at, length })
      // A symbolic link starts from its own folder, a hard link from the archive's.
      else if (kind === '2') table.links.set(path, normalized(`${path.split('/').slice(0, -1).join('/')}/${link}`))
      else if (kind === '1') table.links.set(path, normalized(link))
      longName = undefined
      longLink = undefined
      longSize = undefined
    }
    at += Math.ceil(length / blockBytes) * blockBytes
  }
  return table
}

async function readBytes(descriptor: number, at: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(descriptor, new Uint8Array(length), 0, length, at)
  return buffer.subarray(0, bytesRead)
}

function shortName(header: Uint8Array): string {
  const prefix = textAt(header, 257, 5) === 'ustar' ? textAt(header, 345, 155) : ''
  const name = textAt(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

function textAt(header: Uint8Array, start: number, length: number): string {
  const field = asBuffer(header.subarray(start, start + length))
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString('utf8')
}

/** Octal digits, or GNU's binary number behind a first bit; undefined for anything else. */
function numberAt(header: Uint8Array, start: number, length: number): number | undefined {
  const [first = 0, ...others] = header.subarray(start, start + length)
  if (first === 0x80) {
    const value = others.reduce((sum, octet) => sum * 256 + octet, 0)
    return Number.isSafeInteger(value) ? value : undefined
  }
  const text = textAt(header, start, length).trim()
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : undefined
}

/** The sum of the header's bytes with its own field as blanks. */
function hasChecksum(header: Uint8Array): boolean {
  let sum = 0
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte
  return numberAt(header, 148, 8) === sum
}

/** `length key=value` and a line end, each; the length is that of all of it, and only it says where a value ends. */
function paxRecords(bytes: Buffer, name: string): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const blank = bytes.indexOf(0x20, at)
    const length = decimal(blank < 0 ? '' : bytes.subarray(at, blank).toString('latin1'), name) ?? 0
    const record = bytes.subarray(blank + 1, at + length - 1).toString('utf8')
    const equals = record.indexOf('=')
    if (at + length > bytes.length || bytes[at + length - 1] !== 0x0a || equals < 1) throw invalid(name, damaged)
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

function decimal(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw invalid(name, damaged)
  return value
}

/** Without `.` and `..`: a path never leaves the archive. */
function normalized(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function invalid(name: string, reason: string): DecodingError {
  return new DecodingError('ENCODING_INVALID', `${name} cannot be read as an archive: ${reason}`)
}
