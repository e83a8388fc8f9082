/**
 * Headers of tar archives (POSIX ustar, with what pax and GNU add). Only what every program reads alike is taken: an archive is verified
 * here and loaded by others, who must not find something else in it.
 */
import { asBuffer } from '../encoding/bytes.ts'

/** What an entry is. `long-name`, `long-link` and `pax` are about the next one, `pax-global` about all that follow. */
export type TarKind = 'file' | 'hard-link' | 'symbolic-link' | 'folder' | 'long-name' | 'long-link' | 'pax' | 'pax-global'

/** What the header of an entry says. */
export interface TarHeader {
  readonly kind: TarKind
  readonly path: string
  readonly link: string
  /** Bytes of content that follow. */
  readonly length: number
}

/** What headers and contents begin at multiples of. */
export const tarBlockBytes = 512

const kinds: Readonly<Record<string, TarKind>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hard-link',
  '2': 'symbolic-link',
  '5': 'folder',
  L: 'long-name',
  K: 'long-link',
  x: 'pax',
  g: 'pax-global',
}

/** Whether the checksum of a block is that of a header. */
export function isTarHeader(block: Uint8Array): boolean {
  let sum = 0
  for (const [at, byte] of block.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte
  return numberAt(block, 148, 8) === sum
}

/** Reads a header; says what is wrong with one that is not to be read. */
export function readTarHeader(block: Uint8Array): TarHeader | string {
  const mark = String.fromCharCode(block[156] ?? 0)
  const kind = Object.hasOwn(kinds, mark) ? kinds[mark] : undefined
  if (kind === undefined) return `it has an entry of the kind ${JSON.stringify(mark)}, which images have none of`
  const length = numberAt(block, 124, 12)
  if (length === undefined) return 'a size in it is wrong'
  const name = textAt(block, 0, 100)
  const magic = asBuffer(block.subarray(257, 263)).toString('latin1')
  // Here the format of star and that of GNU have times, and ustar the beginning of the name.
  const isStar = asBuffer(block.subarray(508, 512)).toString('latin1') === 'tar\0'
  if (block[345] !== 0 && (magic === 'ustar ' || isStar)) return 'it has names that programs read differently'
  const prefix = magic === 'ustar\0' ? textAt(block, 345, 155) : ''
  return { kind, path: prefix === '' ? name : `${prefix}/${name}`, link: textAt(block, 157, 100), length }
}

function textAt(block: Uint8Array, start: number, length: number): string {
  return untilNul(block.subarray(start, start + length))
}

/** The text in front of the first NUL. */
export function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return asBuffer(bytes.subarray(0, end < 0 ? bytes.length : end)).toString('utf8')
}

/** Octal digits, or GNU's binary number behind a first bit; undefined for anything else. */
function numberAt(block: Uint8Array, start: number, length: number): number | undefined {
  const [first = 0, ...others] = block.subarray(start, start + length)
  if (first === 0x80) {
    const value = others.reduce((sum, octet) => sum * 256 + octet, 0)
    return Number.isSafeInteger(value) ? value : undefined
  }
  const text = textAt(block, start, length).trim()
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : undefined
}
