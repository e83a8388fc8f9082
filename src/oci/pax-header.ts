/** Extended headers of pax (POSIX.1-2001, "pax Header Block"): what they say about the entry that follows. */
import { asBuffer } from '../encoding/bytes.ts'

/** What replaces a part of the next entry's header. */
export interface PaxHeader {
  readonly path?: string
  readonly link?: string
  readonly length?: number
}

/**
 * Reads `length key=value` and a line end, each; the length is that of all of it, and only it says where a value ends.
 * @returns undefined for what is damaged, and for GNU's files with holes: those have names and sizes that few programs know of
 */
export function readPaxHeader(content: Uint8Array): PaxHeader | undefined {
  const bytes = asBuffer(content)
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at)
    const length = blank < 0 ? undefined : decimal(bytes.subarray(at, blank).toString('latin1'))
    if (length === undefined || at + length > bytes.length || bytes[at + length - 1] !== 0x0a) return undefined
    const record = bytes.subarray(blank + 1, at + length - 1).toString('utf8')
    const equals = record.indexOf('=')
    if (equals < 1) return undefined
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  const path = records.get('path') ?? ''
  const link = records.get('linkpath') ?? ''
  const size = records.get('size') ?? ''
  const length = decimal(size)
  const hasHoles = [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))
  if (hasHoles || path.includes('\0') || link.includes('\0') || (size !== '' && length === undefined)) return undefined
  // A value that is empty says nothing: the header itself counts.
  return { ...(path === '' ? {} : { path }), ...(link === '' ? {} : { link }), ...(length === undefined ? {} : { length }) }
}

function decimal(text: string): number | undefined {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}
