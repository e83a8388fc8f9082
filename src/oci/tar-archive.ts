/** Files of a tar archive (POSIX ustar, with the longer names of pax and GNU), read where they are: only their places are remembered. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { asBuffer } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
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
const noArchive = 'it is no tar archive (or a compressed one: decompress it first)'

/**
 * Reads the table of an archive. Links lead to other files of it, never out of it.
 * @param file the path
 * @param name as messages name it
 * @throws DecodingError ENCODING_INVALID for what is no tar archive; TransportError FILE_UNREADABLE
 */
export async function openTarArchive(file: string, name: string): Promise<LayoutFiles> {
  const { places, links } = await readTable(file, name)
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
      for await (const part of readChunks(file, name, place)) parts.push(part)
      return Buffer.concat(parts)
    },
    chunks: (wanted) => readChunks(file, name, find(wanted) ?? { start: 0, length: 0 }),
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

async function readTable(file: string, name: string): Promise<Table> {
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
  } catch (cause) {
    throw unreadable(name, cause)
  }
  try {
    const { size } = await handle.stat()
    return await readEntries(handle, size, name)
  } finally {
    await handle.close()
  }
}

async function readEntries(handle: FileHandle, size: number, name: string): Promise<Table> {
  const table: Table = { places: new Map(), links: new Map() }
  let longName: string | undefined
  let longLink: string | undefined
  let seen = 0
  if (size > 0 && size < blockBytes) throw invalid(name, noArchive)
  for (let at = 0; at + blockBytes <= size;) {
    const header = await readBytes(handle, at, blockBytes)
    at += blockBytes
    if (header.every((byte) => byte === 0)) break
    if (!hasChecksum(header)) throw invalid(name, at === blockBytes ? noArchive : 'a header is damaged')
    if (++seen > maxEntries) throw invalid(name, `it has more than ${maxEntries} entries`)
    const length = numberAt(header, 124, 12)
    if (length === undefined || at + length > size) throw invalid(name, 'it is cut off, or a size in it is wrong')
    const kind = String.fromCharCode(header[156] ?? 0)
    if (kind === 'L' || kind === 'K' || kind === 'x') {
      if (length > maxNameBytes) throw invalid(name, 'a name in it is too long')
      const text = asBuffer(await readBytes(handle, at, length)).toString('utf8')
      const pax = kind === 'x' ? paxRecords(text) : new Map<string, string>()
      if (pax.has('size')) throw invalid(name, 'it has a file of more than 8 GiB')
      if (kind === 'L') longName = text.replace(/\0+$/, '')
      if (kind === 'K') longLink = text.replace(/\0+$/, '')
      longName = pax.get('path') ?? longName
      longLink = pax.get('linkpath') ?? longLink
    } else {
      const path = normalized(longName ?? shortName(header))
      const link = longLink ?? textAt(header, 157, 100)
      if (kind === '0' || kind === '\0') table.places.set(path, { start: at, length })
      // A symbolic link starts from its own folder, a hard link from the archive's.
      else if (kind === '2') table.links.set(path, normalized(`${path.split('/').slice(0, -1).join('/')}/${link}`))
      else if (kind === '1') table.links.set(path, normalized(link))
      longName = undefined
      longLink = undefined
    }
    at += Math.ceil(length / blockBytes) * blockBytes
  }
  return table
}

async function readBytes(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await handle.read(bytes, 0, length, at)
  return bytes.subarray(0, bytesRead)
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

/** Octal digits; undefined for anything else, such as GNU's binary sizes of more than 8 GiB. */
function numberAt(header: Uint8Array, start: number, length: number): number | undefined {
  const text = textAt(header, start, length).trim()
  return /^[0-7]{1,11}$/.test(text) ? Number.parseInt(text, 8) : undefined
}

/** The sum of the header's bytes with its own field as blanks. */
function hasChecksum(header: Uint8Array): boolean {
  let sum = 0
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte
  return numberAt(header, 148, 8) === sum
}

/** `length key=value` and a line end, each. */
function paxRecords(text: string): Map<string, string> {
  const records = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^[0-9]+ ([^=]+)=(.*)$/.exec(line)
    if (match !== null) records.set(match[1] ?? '', match[2] ?? '')
  }
  return records
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
