/**
 * What the log keeps of an entry beside its leaf: the part of a TileLeaf (C2SP static-ct-api, "Log entries") that stands behind
 * the TimestampedEntry, so that data tiles are put together without a change.
 */
import { concatBytes } from '../../encoding/bytes.ts'
import { TlsReader, tlsUint } from '../../encoding/tls.ts'

/** The submitted precertificate, if it was one, and the SHA-256 of each of its issuers, the accepted root's last. */
export interface EntryExtra {
  readonly precertificate: Uint8Array | undefined
  readonly fingerprints: readonly Uint8Array[]
}

const fingerprintSize = 32

export function encodeExtra({ precertificate, fingerprints }: EntryExtra): Uint8Array {
  const length = tlsUint(fingerprints.length * fingerprintSize, 2)
  if (precertificate === undefined) return concatBytes(length, ...fingerprints)
  return concatBytes(tlsUint(precertificate.length, 3), precertificate, length, ...fingerprints)
}

/** @throws DecodingError LOG_ENTRY_INVALID */
export function parseExtra(extra: Uint8Array, kind: 'certificate' | 'precertificate'): EntryExtra {
  const reader = new TlsReader(extra, 'what is kept beside the leaf', 'LOG_ENTRY_INVALID')
  const precertificate = kind === 'precertificate' ? reader.opaque(3) : undefined
  const chain = new TlsReader(reader.opaque(2), 'the fingerprints of the chain', 'LOG_ENTRY_INVALID')
  reader.end()
  const fingerprints: Uint8Array[] = []
  while (!chain.done) fingerprints.push(chain.take(fingerprintSize))
  return { precertificate, fingerprints }
}
