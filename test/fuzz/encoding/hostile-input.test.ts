/** Every decoder of src/encoding on rubbish and on good input made bad: an answer or an error of ours, never anything else. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, decodeBase64Url } from '../../../src/encoding/base64.ts'
import { asBuffer, concatBytes, decodeUtf8, excerpt } from '../../../src/encoding/bytes.ts'
import { canonicalizeJson } from '../../../src/encoding/canonical-json.ts'
import { DerReader, parseDer, parseDerSequence } from '../../../src/encoding/der.ts'
import {
  derBoolean,
  derExplicit,
  derInteger,
  derNamedBits,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
} from '../../../src/encoding/der-writer.ts'
import { parseGeneralizedTime, parseUtcTime } from '../../../src/encoding/der-time.ts'
import { decodeHex } from '../../../src/encoding/hex.ts'
import { JsonFields } from '../../../src/encoding/json-fields.ts'
import { parseJson } from '../../../src/encoding/json.ts'
import { encodeOid, parseOid } from '../../../src/encoding/oid.ts'
import { encodePem, parsePem } from '../../../src/encoding/pem.ts'
import { TlsReader, tlsOpaque, tlsUint } from '../../../src/encoding/tls.ts'
import { DecodingError } from '../../../src/error.ts'

const der = derSequence(
  derExplicit(0, derInteger(2)),
  derInteger(2n ** 150n),
  derSequence(derOid('1.2.840.10045.4.3.2')),
  derSequence(derSet(derSequence(derOid('2.5.4.3'), derUtf8String('countersign')))),
  derSequence(derTime(Date.parse('2024-01-01T00:00:00Z')), derTime(Date.parse('2051-01-01T00:00:00Z'))),
  derExplicit(3, derSequence(derSequence(derOid('2.5.29.15'), derBoolean(true), derOctetString(derNamedBits(0, 5))))),
)
const json = Buffer.from(
  JSON.stringify(
    { mediaType: 'a/b', content: { n: [1, -0.5, 1e-7, null, true], text: 'é\n"\\ 😀\u2028', log: { index: '12', bytes: 'Zm9vYmFy' } } },
    undefined,
    1,
  ),
)
const tls = concatBytes(
  tlsUint(0, 1),
  tlsOpaque(new Uint8Array(32), 1),
  tlsUint(1_700_000_000_000, 8),
  tlsOpaque(tlsOpaque(Buffer.from('foo'), 2), 2),
)

interface Decoder {
  readonly good: Uint8Array
  decode(bytes: Uint8Array): unknown
}

const latin1 = (bytes: Uint8Array): string => asBuffer(bytes).toString('latin1')
const utf16 = (bytes: Uint8Array): string => asBuffer(bytes).toString('utf16le')

const decoders: Readonly<Record<string, Decoder>> = {
  base64: { good: Buffer.from('Zm9vYmE='), decode: (bytes) => decodeBase64(latin1(bytes), 'x') },
  'base64 in wide characters': { good: Buffer.from('Zm9vYmE=', 'utf16le'), decode: (bytes) => decodeBase64(utf16(bytes), 'x') },
  base64url: { good: Buffer.from('Zm9vYmE'), decode: (bytes) => decodeBase64Url(latin1(bytes), 'x') },
  hexadecimal: { good: Buffer.from('00ff'), decode: (bytes) => decodeHex(latin1(bytes), 'x') },
  'hexadecimal in wide characters': { good: Buffer.from('00ff', 'utf16le'), decode: (bytes) => decodeHex(utf16(bytes), 'x') },
  'UTF-8': { good: Buffer.from('aé€😀'), decode: (bytes) => decodeUtf8(bytes, 'x') },
  'an excerpt': { good: Buffer.from('aé€😀', 'utf16le'), decode: (bytes) => excerpt(utf16(bytes)) },
  JSON: { good: json, decode: (bytes) => parseJson(bytes, 'x') },
  'JSON of exact integers': { good: json, decode: (bytes) => parseJson(bytes, 'x', { integers: 'exact' }) },
  'decoded JSON': { good: Buffer.from(json.toString(), 'utf16le'), decode: (bytes) => parseJson(utf16(bytes), 'x') },
  'canonical JSON': { good: json, decode: (bytes) => canonicalizeJson(parseJson(bytes, 'x', { integers: 'exact' })) },
  fields: { good: json, decode: readFields },
  PEM: { good: Buffer.from(encodePem('CERTIFICATE', der)), decode: (bytes) => parsePem(latin1(bytes), 'x') },
  'an element': { good: der, decode: (bytes) => parseDer(bytes, 'x') },
  DER: { good: der, decode: (bytes) => readAll(bytes) },
  'a certificate-like sequence': { good: der, decode: readTyped },
  'an object identifier': { good: parseDer(derOid('1.2.840.10045.4.3.2'), 'x').content, decode: (bytes) => parseOid(bytes, 'x') },
  'dotted text': { good: Buffer.from('1.2.840.10045.4.3.2'), decode: (bytes) => encodeOid(latin1(bytes)) },
  UTCTime: { good: Buffer.from('240229235959Z'), decode: (bytes) => parseUtcTime(bytes, 'x') },
  GeneralizedTime: { good: Buffer.from('20240229235959.125Z'), decode: (bytes) => parseGeneralizedTime(bytes, 'x') },
  'TLS vectors': { good: tls, decode: readTls },
}

const reads: readonly ((reader: DerReader) => unknown)[] = [
  (reader) => reader.boolean('x'),
  (reader) => reader.integer('x'),
  (reader) => reader.smallInteger('x'),
  (reader) => reader.bitString('x'),
  (reader) => reader.namedBits('x'),
  (reader) => reader.octetString('x'),
  (reader) => reader.null('x'),
  (reader) => reader.oid('x'),
  (reader) => reader.utf8String('x'),
  (reader) => reader.certificateTime('x'),
  (reader) => reader.generalizedTime('x'),
  (reader) => reader.sequence('x'),
  (reader) => reader.set('x'),
  (reader) => reader.context(0, 'x'),
]

/** Walks over everything, and reads each of the first elements as every type. */
function readAll(bytes: Uint8Array, depth = 0): void {
  const reader = new DerReader(bytes, 'x', depth)
  for (let count = 0; !reader.done; count++) {
    const element = reader.any('x')
    if (count < 20) for (const read of reads) survives(() => read(new DerReader(element.bytes, 'x')))
    if ((element.tag & 0x20) !== 0) readAll(element.content, depth + 1)
  }
}

function readTyped(bytes: Uint8Array): void {
  const reader = parseDerSequence(bytes, 'x')
  reader.context(0, 'version')?.smallInteger('version')
  reader.integer('serial')
  reader.sequence('algorithm').oid('algorithm')
  const attribute = reader.sequence('name').set('relative name').sequence('attribute')
  attribute.oid('type')
  attribute.utf8String('value')
  const validity = reader.sequence('validity')
  validity.certificateTime('notBefore')
  validity.certificateTime('notAfter')
  const extension = reader.context(3, 'extensions')?.sequence('extensions').sequence('extension')
  extension?.oid('id')
  extension?.boolean('critical')
  new DerReader(extension?.octetString('value') ?? bytes, 'x').namedBits('usage')
  reader.end()
}

function readFields(bytes: Uint8Array): void {
  const root = new JsonFields(parseJson(bytes, 'x', { integers: 'exact' }), 'root', 'BUNDLE_INVALID').only('mediaType', 'content')
  root.string('mediaType')
  const content = root.object('content')
  content.array('n', 5)
  content.optionalString('text')
  content.object('log').int64('index')
  content.object('log').bytes('bytes')
}

function readTls(bytes: Uint8Array): void {
  const reader = new TlsReader(bytes, 'x', 'SCT_INVALID')
  reader.uint(1)
  reader.opaque(1)
  reader.uint64()
  const list = new TlsReader(reader.opaque(2), 'x', 'SCT_INVALID')
  while (!list.done) list.opaque(2)
  reader.end()
}

/** What is thrown must be ours, with a message that a person can read in one look. */
function survives(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof DecodingError)) throw error
    expect(error.code).toMatch(/^(?:ENCODING|DER|JSON|PEM|BUNDLE|SCT)_INVALID$|^TOO_LARGE$/)
    expect(error.message.length).toBeLessThan(600)
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
  }
}

const change = fc.record({ place: fc.nat(), octet: fc.nat(255), how: fc.constantFrom('set', 'flip', 'cut', 'insert', 'repeat') })

function changed(
  good: Uint8Array,
  changes: readonly { readonly place: number; readonly octet: number; readonly how: string }[],
): Uint8Array {
  const octets = [...good]
  for (const { place, octet, how } of changes) {
    const at = octets.length === 0 ? 0 : place % octets.length
    if (how === 'set') octets[at] = octet
    else if (how === 'flip') octets[at] = (octets[at] ?? 0) ^ (1 << (octet & 7))
    else if (how === 'cut') octets.splice(at, octet % 16)
    else if (how === 'insert') octets.splice(at, 0, octet)
    else octets.splice(at, 0, ...octets.slice(at, at + (octet % 32)))
  }
  return Uint8Array.from(octets)
}

describe.each(Object.entries(decoders))('the decoder of %s', (_, { good, decode }) => {
  it('takes good input', () => {
    expect(() => decode(good)).not.toThrow()
  })

  it('survives bytes changed, cut out, put in and repeated', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => survives(() => decode(changed(good, changes)))),
      { numRuns: 400 },
    )
  })

  it('survives every beginning, every end, and rubbish', () => {
    for (let at = 0; at <= good.length; at++) {
      survives(() => decode(good.subarray(0, at)))
      survives(() => decode(good.subarray(at)))
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => survives(() => decode(bytes))),
      { numRuns: 200 },
    )
  })

  it('survives what is long, deep and repeated', () => {
    for (const bytes of burdens) survives(() => decode(bytes))
  })
})

/** A hundred thousand bytes of each. */
const burdens: readonly Uint8Array[] = [
  ...['[', '{"a":', '[[],', '"', '\\', '"\\', String.raw`"\u0041`, String.raw`\ud800`, '9', '1.', '1e', '-', ' ', '\n', ' \n', ':'].map(
    (text) => Buffer.alloc(100_000, text),
  ),
  ...['-----', '-----BEGIN A-----', '-----BEGIN A-----\n', '-----END A-----\n', 'QUFB', '=', 'é', '€', '\0', '\u0085', '\u202e', '2.'].map(
    (text) => Buffer.alloc(100_000, text),
  ),
  ...['3080', '3084ffffffff', '30833fffff', '0500', '020100', '0280', '06', '0680', '0681ff', 'a0', '80', 'ff', '31', '1f'].map((octets) =>
    Buffer.alloc(100_000, octets, 'hex'),
  ),
  Buffer.from(`"${String.raw`\"`.repeat(50_000)}"`),
  Buffer.from(`-----BEGIN A-----\n ${' '.repeat(100_000)}A\n-----END A-----\n`),
  Buffer.from(`{${Array.from({ length: 10_000 }, (_, index) => `"${index * 65_536}":0`).join(',')}}`),
  derOctetString(derOctetString(Buffer.alloc(100_000))),
]
