/** Signed certificate timestamps (RFC 6962 section 3.2). */
import { digest } from '../crypto/digest.ts'
import { concatBytes, joinBytes, totalLength } from '../encoding/bytes.ts'
import { DerReader } from '../encoding/der.ts'
import type { JsonValue } from '../encoding/json.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { TlsReader, tlsOpaque, tlsUint } from '../encoding/tls.ts'
import { DecodingError } from '../error.ts'
import type { Certificate } from './certificate.ts'
import { tbsPartsWithoutExtension } from './certificate.ts'
import * as oid from './object-identifiers.ts'

/** One SCT of version 1. */
export interface SignedCertificateTimestamp {
  /** SHA-256 of the log's SubjectPublicKeyInfo. */
  readonly logId: Uint8Array
  /** Epoch milliseconds. */
  readonly timestamp: number
  readonly extensions: Uint8Array
  readonly hashAlgorithm: 'sha256' | 'sha384' | 'sha512'
  readonly signatureKind: 'rsa' | 'ecdsa'
  readonly signature: Uint8Array
}

/** One that is signed in a way that is not known here: it may be right, and cannot be checked. */
export interface UncheckableSct extends Omit<SignedCertificateTimestamp, 'hashAlgorithm' | 'signatureKind'> {
  /** Such as `hash 2, signature 3`: the codes of RFC 5246 section 7.4.1.4.1. */
  readonly unknownAlgorithm: string
}

const maxScts = 16
const maxAnswerBytes = 64 * 1024
const hashAlgorithms: Readonly<Record<number, SignedCertificateTimestamp['hashAlgorithm']>> = { 4: 'sha256', 5: 'sha384', 6: 'sha512' }
const signatureKinds: Readonly<Record<number, SignedCertificateTimestamp['signatureKind']>> = { 1: 'rsa', 3: 'ecdsa' }

/**
 * The SCTs inside a certificate; none when it has no such extension.
 * @throws DecodingError SCT_INVALID or DER_INVALID
 */
export function parseEmbeddedScts(certificate: Certificate): (SignedCertificateTimestamp | UncheckableSct)[] {
  if (certificate.embeddedScts === undefined) return []
  const outer = new DerReader(certificate.embeddedScts, 'the SCT list extension')
  const list = outer.octetString('the SCT list')
  outer.end()
  return parseSctList(list)
}

/**
 * SignedCertificateTimestampList. Those of later versions are passed over, as each is wrapped for (RFC 6962 section 3.3).
 * @throws DecodingError SCT_INVALID
 */
export function parseSctList(list: Uint8Array): (SignedCertificateTimestamp | UncheckableSct)[] {
  const outer = new TlsReader(list, 'the SCT list', 'SCT_INVALID')
  const reader = new TlsReader(outer.opaque(2), 'the SCT list', 'SCT_INVALID')
  outer.end()
  const scts: (SignedCertificateTimestamp | UncheckableSct)[] = []
  let count = 0
  for (; !reader.done; count++) {
    if (count === maxScts) throw new DecodingError('SCT_INVALID', `the certificate has more than ${maxScts} SCTs`)
    const sct = reader.opaque(2)
    if (sct.length === 0 || sct[0] === 0) scts.push(readSct(sct))
  }
  if (count === 0) throw new DecodingError('SCT_INVALID', 'the SCT list is empty')
  return scts
}

/**
 * A detached SCT: the answer of the log to `add-chain`, as files for cosign's `--sct` hold it, or the serialised SCT.
 * @throws DecodingError SCT_INVALID, JSON_INVALID
 */
export function parseDetachedSct(bytes: Uint8Array): SignedCertificateTimestamp {
  // A serialised one begins with its version, which is 0.
  if (bytes[0] === 0) return parseSct(bytes)
  return readSctAnswer(parseJson(bytes, 'the SCT', { maxBytes: maxAnswerBytes, maxDepth: 4, maxValues: 64 }))
}

/** Reads a log's answer to `add-chain` (RFC 6962 section 4.1). @throws DecodingError SCT_INVALID */
export function readSctAnswer(json: JsonValue): SignedCertificateTimestamp {
  const fields = new JsonFields(json, 'sct', 'SCT_INVALID')
  const version = fields.int64('sct_version')
  if (version !== 0n) throw fields.invalid(`sct.sct_version should be 0, found ${version}`)
  const timestamp = fields.int64('timestamp')
  if (timestamp < 0n) throw fields.invalid('sct.timestamp is negative')
  const id = fields.bytes('id')
  if (id.length !== 32) throw fields.invalid(`sct.id should have 32 bytes, found ${id.length}`)
  const extensions = fields.optionalBytes('extensions') ?? new Uint8Array(0)
  return parseSct(concatBytes(Uint8Array.of(0), id, tlsUint(timestamp, 8), tlsOpaque(extensions, 2), fields.bytes('signature')))
}

/** One serialised SCT. @throws DecodingError SCT_INVALID, for one of an unknown algorithm too */
export function parseSct(bytes: Uint8Array): SignedCertificateTimestamp {
  const sct = readSct(bytes)
  if (!('unknownAlgorithm' in sct)) return sct
  throw new DecodingError('SCT_INVALID', `the SCT is signed with an unknown algorithm (${sct.unknownAlgorithm})`)
}

function readSct(bytes: Uint8Array): SignedCertificateTimestamp | UncheckableSct {
  const reader = new TlsReader(bytes, 'the SCT', 'SCT_INVALID')
  const version = reader.uint(1)
  if (version !== 0) throw new DecodingError('SCT_INVALID', `the SCT has version ${version + 1}, only version 1 is known`)
  const logId = reader.take(32)
  const timestamp = reader.uint64()
  if (timestamp > BigInt(Number.MAX_SAFE_INTEGER)) throw new DecodingError('SCT_INVALID', 'the time of the SCT is out of range')
  const extensions = reader.opaque(2)
  const hashCode = reader.uint(1)
  const signatureCode = reader.uint(1)
  const signature = reader.opaque(2)
  reader.end()
  const hashAlgorithm = hashAlgorithms[hashCode]
  const signatureKind = signatureKinds[signatureCode]
  if (hashAlgorithm === undefined || signatureKind === undefined) {
    const unknownAlgorithm = `hash ${hashCode}, signature ${signatureCode}`
    return { logId, timestamp: Number(timestamp), extensions, signature, unknownAlgorithm }
  }
  return { logId, timestamp: Number(timestamp), extensions, hashAlgorithm, signatureKind, signature }
}

type SctContent = Pick<SignedCertificateTimestamp, 'timestamp' | 'extensions'>

/**
 * The bytes that an embedded SCT signs: the precertificate entry (RFC 6962 section 3.2).
 * @param issuerSpki SubjectPublicKeyInfo of the certificate that issued the leaf
 */
export function embeddedSctSignedBytes(sct: SctContent, leaf: Certificate, issuerSpki: Uint8Array): Uint8Array {
  const tbs = tbsPartsWithoutExtension(leaf, oid.embeddedScts)
  return joinBytes(sctHead(sct, 1), digest('sha256', issuerSpki), tlsUint(totalLength(tbs), 3), ...tbs, tlsOpaque(sct.extensions, 2))
}

/** The bytes that a detached SCT signs: the certificate itself. */
export function detachedSctSignedBytes(sct: SctContent, leaf: Certificate): Uint8Array {
  return concatBytes(sctHead(sct, 0), tlsOpaque(leaf.bytes, 3), tlsOpaque(sct.extensions, 2))
}

/** Version 1, certificate_timestamp, the time and the kind of entry. */
function sctHead(sct: SctContent, entryType: 0 | 1): Uint8Array {
  return concatBytes(Uint8Array.of(0, 0), tlsUint(sct.timestamp, 8), tlsUint(entryType, 2))
}
