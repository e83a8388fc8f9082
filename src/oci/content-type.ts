/**
 * What kind of file it is, by its first bytes (WHATWG, MIME Sniffing, https://mimesniff.spec.whatwg.org), with the answers of Go's
 * `http.DetectContentType`, which cosign names uploaded files by.
 */
import { asBuffer } from '../encoding/bytes.ts'

/** As many bytes are looked at. */
export const sniffedBytes = 512

const fallback = 'application/octet-stream'
const html = /^[\t\n\f\r ]*<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[ >]/i
const xml = /^[\t\n\f\r ]*<\?xml/
// A dot is any byte.
const signatures: readonly (readonly [RegExp, string])[] = [
  [/^%PDF-/, 'application/pdf'],
  [/^%!PS-Adobe-/, 'application/postscript'],
  [/^(?:\xFE\xFF|\xFF\xFE)..|^\xEF\xBB\xBF./s, 'text/plain'],
  [/^\x00\x00[\x01\x02]\x00/, 'image/x-icon'],
  [/^BM/, 'image/bmp'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^RIFF....WEBPVP/s, 'image/webp'],
  [/^\x89PNG\r\n\x1A\n/, 'image/png'],
  [/^\xFF\xD8\xFF/, 'image/jpeg'],
  [/^FORM....AIFF/s, 'audio/aiff'],
  [/^ID3/, 'audio/mpeg'],
  [/^OggS\x00/, 'application/ogg'],
  [/^MThd\x00\x00\x00\x06/, 'audio/midi'],
  [/^RIFF....AVI /s, 'video/avi'],
  [/^RIFF....WAVE/s, 'audio/wave'],
  [/^\x1A\x45\xDF\xA3/, 'video/webm'],
  [/^.{34}LP/s, 'application/vnd.ms-fontobject'],
  [/^\x00\x01\x00\x00/, 'font/ttf'],
  [/^OTTO/, 'font/otf'],
  [/^ttcf/, 'font/collection'],
  [/^wOFF/, 'font/woff'],
  [/^wOF2/, 'font/woff2'],
  [/^\x1F\x8B\x08/, 'application/x-gzip'],
  [/^PK\x03\x04/, 'application/zip'],
  [/^Rar!\x1A\x07(?:\x01)?\x00/, 'application/x-rar-compressed'],
  [/^\x00asm/, 'application/wasm'],
]
const binary = /[\x00-\x08\x0B\x0E-\x1A\x1C-\x1F]/

/** The media type, without parameters. @param start the first bytes of the file; more than `sniffedBytes` are not looked at */
export function detectContentType(start: Uint8Array): string {
  const text = asBuffer(start).toString('latin1', 0, sniffedBytes)
  if (html.test(text)) return 'text/html'
  if (xml.test(text)) return 'text/xml'
  const known = signatures.find(([pattern]) => pattern.test(text))
  if (known !== undefined) return known[1]
  if (isMp4(text)) return 'video/mp4'
  return binary.test(text) ? fallback : 'text/plain'
}

/** A box of the type `ftyp` with a brand of MP4 (section 6.2.1). */
function isMp4(text: string): boolean {
  if (text.length < 12 || text.slice(4, 8) !== 'ftyp') return false
  const size = asBuffer(Uint8Array.from(text.slice(0, 4), (character) => character.charCodeAt(0))).readUInt32BE(0)
  if (size % 4 !== 0 || text.length < size) return false
  for (let at = 8; at < size; at += 4) if (at !== 12 && text.slice(at, at + 3) === 'mp4') return true
  return false
}
