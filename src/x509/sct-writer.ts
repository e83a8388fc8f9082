/** Writes SCTs as certificates carry them (RFC 6962 sections 3.2 and 3.3). */
import { concatBytes } from '../encoding/bytes.ts'
import { derHeader } from '../encoding/der-writer.ts'
import * as tag from '../encoding/universal-tag.ts'
import { tlsUint } from '../encoding/tls.ts'
import { UsageError } from '../error.ts'
import { encodeExtension } from './certificate-writer.ts'
import * as oid from './object-identifiers.ts'
import type { SignedCertificateTimestamp } from './sct.ts'

const hashCodes = { sha256: 4, sha384: 5, sha512: 6 } as const
const signatureCodes = { rsa: 1, ecdsa: 3 } as const

const hashSize = 32

/** One serialised SCT of version 1. @throws UsageError USAGE for a log ID of other than 32 bytes */
export function encodeSct(sct: SignedCertificateTimestamp): Uint8Array {
  if (sct.logId.length !== hashSize) throw new UsageError('USAGE', `a log ID has ${hashSize} bytes, found ${sct.logId.length}`)
  return concatBytes(
    Uint8Array.of(0),
    sct.logId,
    tlsUint(sct.timestamp, 8),
    tlsUint(sct.extensions.length, 2),
    sct.extensions,
    Uint8Array.of(hashCodes[sct.hashAlgorithm], signatureCodes[sct.signatureKind]),
    tlsUint(sct.signature.length, 2),
    sct.signature,
  )
}

/** The certificate extension with these SCTs. @throws UsageError USAGE for none: a list has at least one (section 3.3) */
export function sctListExtension(...scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  if (scts.length === 0) throw new UsageError('USAGE', 'an SCT list has at least one SCT')
  const list = concatBytes(
    ...scts.flatMap((sct) => {
      const encoded = encodeSct(sct)
      return [tlsUint(encoded.length, 2), encoded]
    }),
  )
  const length = tlsUint(list.length, 2)
  return encodeExtension(oid.embeddedScts, false, concatBytes(derHeader(tag.octetString, length.length + list.length), length, list))
}

/** The bytes that the SCT of a precertificate signs. @param tbs the TBSCertificate without poison and without SCT list */
export function precertificateSignedBytes(
  sct: Pick<SignedCertificateTimestamp, 'timestamp' | 'extensions'>,
  tbs: Uint8Array,
  issuerKeyHash: Uint8Array,
): Uint8Array {
  if (issuerKeyHash.length !== hashSize)
    throw new UsageError('USAGE', `the hash of an issuer's key has ${hashSize} bytes, found ${issuerKeyHash.length}`)
  return concatBytes(
    Uint8Array.of(0, 0),
    tlsUint(sct.timestamp, 8),
    tlsUint(1, 2),
    issuerKeyHash,
    tlsUint(tbs.length, 3),
    tbs,
    tlsUint(sct.extensions.length, 2),
    sct.extensions,
  )
}
