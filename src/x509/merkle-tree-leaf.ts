/** What a certificate transparency log keeps in its tree: MerkleTreeLeaf (RFC 6962 section 3.4). */
import { concatBytes } from '../encoding/bytes.ts'
import { TlsReader, tlsUint } from '../encoding/tls.ts'
import { DecodingError } from '../error.ts'

/** What was logged: a precertificate without its poison and with the key of its issuer, or a certificate as it is. */
export type LoggedCertificate =
  | {
      readonly kind: 'precertificate'
      /** SHA-256 of the issuer's SubjectPublicKeyInfo. */
      readonly issuerKeyHash: Uint8Array
      /** TBSCertificate, DER. */
      readonly tbs: Uint8Array
    }
  | { readonly kind: 'certificate'; readonly der: Uint8Array }

/** A leaf, of version 1. */
export interface MerkleTreeLeaf {
  /** Epoch milliseconds. */
  readonly timestamp: number
  readonly entry: LoggedCertificate
  /** CtExtensions, without their length. */
  readonly extensions: Uint8Array
}

const issuerKeyHashSize = 32
const none = new Uint8Array(0)

/**
 * Writes a leaf. An SCT for the entry signs exactly these bytes (section 3.2): both begin with a version and a type that are 0.
 * @throws DecodingError ENCODING_INVALID when a part is too long for its length
 */
export function encodeMerkleTreeLeaf({ timestamp, entry, extensions }: MerkleTreeLeaf): Uint8Array {
  const isPrecertificate = entry.kind === 'precertificate'
  const signed = isPrecertificate ? entry.tbs : entry.der
  return concatBytes(
    Uint8Array.of(0, 0),
    tlsUint(timestamp, 8),
    tlsUint(isPrecertificate ? 1 : 0, 2),
    isPrecertificate ? entry.issuerKeyHash : none,
    tlsUint(signed.length, 3),
    signed,
    tlsUint(extensions.length, 2),
    extensions,
  )
}

/** The TimestampedEntry in an encoded leaf: all but version and type. */
export function timestampedEntryOf(leaf: Uint8Array): Uint8Array {
  return leaf.subarray(2)
}

/** Parses a leaf. @throws DecodingError LOG_ENTRY_INVALID */
export function parseMerkleTreeLeaf(leaf: Uint8Array): MerkleTreeLeaf {
  const reader = new TlsReader(leaf, 'the leaf', 'LOG_ENTRY_INVALID')
  const version = reader.uint(1)
  const type = reader.uint(1)
  if (version !== 0 || type !== 0) throw invalid(`has version ${version} and type ${type}, expected 0 and 0`)
  const timestamp = reader.uint64()
  if (timestamp > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('has a time that is out of range')
  const entry = parseEntry(reader)
  const extensions = reader.opaque(2)
  reader.end()
  return { timestamp: Number(timestamp), entry, extensions }
}

function parseEntry(reader: TlsReader): LoggedCertificate {
  const kind = reader.uint(2)
  if (kind === 0) return { kind: 'certificate', der: reader.opaque(3) }
  if (kind === 1) return { kind: 'precertificate', issuerKeyHash: reader.take(issuerKeyHashSize), tbs: reader.opaque(3) }
  throw invalid(`has an entry of type ${kind}, expected 0 or 1`)
}

function invalid(reason: string): DecodingError {
  return new DecodingError('LOG_ENTRY_INVALID', `the leaf of a certificate transparency log ${reason}`)
}
