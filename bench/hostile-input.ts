/** Hostile input: made to keep a decoder busy, in any size that is asked for. */

/** One way to be a burden. */
export interface HostileInput {
  readonly name: string
  /** About this many bytes of it. */
  make(size: number): Uint8Array
}

/** Input that is a text. */
export function hostileText(name: string, make: (size: number) => string): HostileInput {
  return { name, make: (size) => Buffer.from(make(size), 'utf8') }
}

/** The text again and again, cut to the size. */
export function repeated(text: string, size: number): string {
  return text.repeat(Math.ceil(size / text.length)).slice(0, size)
}

/** The bytes again and again, cut to the size. */
export function repeatedBytes(bytes: ArrayLike<number>, size: number): Uint8Array {
  return Buffer.alloc(size, Uint8Array.from(bytes))
}

/** What any decoder must survive: bytes without a meaning. */
export const meaninglessBytes: readonly HostileInput[] = [
  { name: 'zero bytes', make: (size) => Buffer.alloc(size) },
  { name: 'bytes of all ones', make: (size) => Buffer.alloc(size, 0xff) },
  { name: 'pseudo-random bytes', make: pseudoRandomBytes },
  hostileText('one letter', (size) => 'A'.repeat(size)),
  hostileText('newlines', (size) => '\n'.repeat(size)),
  hostileText('blanks', (size) => ' '.repeat(size)),
  hostileText('letters of two bytes', (size) => 'é'.repeat(size / 2)),
]

/** What decoders of lines, PEM, notes and numbers must survive. */
export const hostileTexts: readonly HostileInput[] = [
  hostileText('empty lines between letters', (size) => repeated('a\n\n', size)),
  hostileText('short lines', (size) => repeated('a\n', size)),
  hostileText('carriage returns', (size) => repeated('a\r\n', size)),
  hostileText('digits', (size) => '1'.repeat(size)),
  hostileText('digits with dots', (size) => repeated('1.', size)),
  hostileText('path of digits', (size) => `tile/0/${repeated('x001/', size)}`),
  hostileText('one base64 text', (size) => repeated('QUFB', size)),
  hostileText('base64 that ends wrongly', (size) => `${repeated('QUFB', size)}Q=Q`),
  hostileText('base64 with a newline in every line', (size) => repeated(`${'QUFB'.repeat(16)}\n`, size)),
  hostileText('hexadecimal', (size) => repeated('0123456789abcdef', size)),
  hostileText('hexadecimal that ends wrongly', (size) => `${repeated('0123456789abcdef', size)}g`),
  hostileText('PEM without an end', (size) => `-----BEGIN CERTIFICATE-----\n${repeated(`${'QUFB'.repeat(16)}\n`, size)}`),
  hostileText('PEM in one line', (size) => pemBlock('CERTIFICATE', repeated('QUFB', size))),
  hostileText('PEM beginnings', (size) => repeated('-----BEGIN CERTIFICATE-----\n', size)),
  hostileText('PEM ends', (size) => repeated('-----END CERTIFICATE-----\n', size)),
  hostileText('many PEM certificates', (size) => repeated(pemBlock('CERTIFICATE', 'MAA='), size)),
  hostileText('many PEM keys', (size) => repeated(pemBlock('PUBLIC KEY', 'MAA='), size)),
  hostileText('PEM headers', (size) => `-----BEGIN PUBLIC KEY-----\n${repeated('Proc-Type: 4\n', size)}\n`),
  hostileText('PEM with a long label', (size) => `-----BEGIN ${'A '.repeat(size / 2)}-----\n`),
  hostileText('dashes', (size) => '-'.repeat(size)),
  hostileText('note with many signatures', (size) => `origin\n1\n${'A'.repeat(43)}=\n\n${repeated(`— name ${'QUFB'.repeat(17)}\n`, size)}`),
  hostileText('note with a long signature', (size) => `origin\n1\n${'A'.repeat(43)}=\n\n— name ${repeated('QUFB', size)}\n`),
  hostileText('note with a long text', (size) => `${repeated('a line\n', size)}\n— name ${'QUFB'.repeat(17)}\n`),
  hostileText('checkpoint with many extension lines', (size) => `origin\n1\n${'A'.repeat(43)}=\n${repeated('a line\n', size)}`),
  hostileText('checkpoint of a long number', (size) => `origin\n${'1'.repeat(size)}\n${'A'.repeat(43)}=\n`),
  hostileText('signature line of one long name', (size) => `— ${'a'.repeat(size)} ${'QUFB'.repeat(17)}\n`),
]

/** Vectors of the TLS presentation language, with lengths of two bytes. */
export const hostileTls: readonly HostileInput[] = [
  { name: 'empty vectors', make: (size) => Buffer.concat([twoBytes(size - 2), Buffer.alloc(size - 2)]) },
  { name: 'vectors of one byte', make: (size) => Buffer.concat([twoBytes(size - 2), repeatedBytes([0, 1, 0], size - 2)]) },
  { name: 'vectors that are too long', make: (size) => Buffer.concat([twoBytes(size - 2), repeatedBytes([0xff, 0xfe], size - 2)]) },
  {
    name: 'SCTs without an end',
    make: (size) => Buffer.concat([twoBytes(size - 2), repeatedBytes([0, 45, ...new Uint8Array(45)], size - 2)]),
  },
]

function twoBytes(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 0xff, value & 0xff)
}

/** A PEM block, whatever its body. */
export function pemBlock(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
}

/** The same bytes in every run: xorshift32. */
function pseudoRandomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = 0x2545f491
  for (let at = 0; at < size; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state & 0xff
  }
  return bytes
}
