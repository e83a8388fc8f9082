/** What becomes of a submitted chain in the log: a leaf of the tree, and beside it what data tiles need more. */
import { digest } from '../../crypto/digest.ts'
import { concatBytes, equalBytes } from '../../encoding/bytes.ts'
import { tlsOpaque, tlsUint } from '../../encoding/tls.ts'
import { DecodingError } from '../../error.ts'
import { tbsWithoutExtension } from '../../x509/certificate.ts'
import type { LoggedCertificate } from '../../x509/merkle-tree-leaf.ts'
import { encodeMerkleTreeLeaf } from '../../x509/merkle-tree-leaf.ts'
import * as oid from '../../x509/object-identifiers.ts'
import type { NewEntry } from '../tile-log/log.ts'
import type { AcceptedChain } from './chain.ts'
import { encodeExtra } from './extra.ts'

const derNull = Uint8Array.of(0x05, 0x00)

/**
 * A precertificate as the log keeps it (RFC 6962 section 3.2).
 * @throws DecodingError CERTIFICATE_INVALID when it is not poisoned as section 3.1 demands
 */
export function precertificateEntry({ leaf, path }: AcceptedChain, withLeafIndex: boolean): NewEntry {
  const { issuer, issuerKeyHash, fingerprints } = path
  const poison = leaf.extensions.find((extension) => extension.oid === oid.precertificatePoison)
  if (poison === undefined) throw invalid('is not poisoned: this is a certificate, which add-chain takes')
  if (!poison.critical || !equalBytes(poison.value, derNull)) throw invalid('has a poison that is not critical, or not NULL')
  if (leaf.extensions.length === 1) throw invalid('has no extension but its poison')
  if (issuer.extendedKeyUsage?.includes(oid.precertificateSigning) === true)
    throw invalid('was issued by a precertificate signing certificate, which this log does not take')
  const tbs = tbsWithoutExtension(leaf, oid.precertificatePoison)
  const entry: LoggedCertificate = { kind: 'precertificate', issuerKeyHash, tbs }
  return newEntry(entry, encodeExtra({ precertificate: leaf.bytes, fingerprints }), withLeafIndex)
}

/**
 * A certificate as the log keeps it.
 * @throws DecodingError CERTIFICATE_INVALID when it is a precertificate
 */
export function certificateEntry({ leaf, path: { fingerprints } }: AcceptedChain, withLeafIndex: boolean): NewEntry {
  if (leaf.extensions.some((extension) => extension.oid === oid.precertificatePoison))
    throw invalid('is poisoned: this is a precertificate, which add-pre-chain takes')
  const extra = encodeExtra({ precertificate: undefined, fingerprints })
  return newEntry({ kind: 'certificate', der: leaf.bytes }, extra, withLeafIndex)
}

/** CtExtensions with the index of the leaf (C2SP static-ct-api, "SCT Extension"). */
export function leafIndexExtension(index: bigint): Uint8Array {
  return concatBytes(Uint8Array.of(0), tlsOpaque(tlsUint(index, 5), 2))
}

function newEntry(entry: LoggedCertificate, extra: Uint8Array, withLeafIndex: boolean): NewEntry {
  const none = new Uint8Array(0)
  return {
    leaf: ({ index, timestampMs }) =>
      encodeMerkleTreeLeaf({ timestamp: timestampMs, entry, extensions: withLeafIndex ? leafIndexExtension(index) : none }),
    // The same certificate at another time is the same entry: what a leaf says without time and place.
    identity: digest('sha256', encodeMerkleTreeLeaf({ timestamp: 0, entry, extensions: none })),
    extra,
  }
}

function invalid(reason: string): DecodingError {
  return new DecodingError('CERTIFICATE_INVALID', `the submitted certificate ${reason}`)
}
