/** Writes SCTs as certificates carry them (RFC 6962 sections 3.2 and 3.3). */
import { concatBytes } from '../encoding/bytes.ts'
import { derOctetString } from '../encoding/der-writer.ts'
import { tlsOpaque, tlsUint } from '../encoding/tls.ts'
import { encodeExtension } from './certificate-writer.ts'
import { oid } from './object-identifiers.ts'
import type { SignedCertificateTimestamp } from './sct.ts'

const hashCodes = { sha256: 4, sha384: 5, sha512: 6 } as const
const signatureCodes = { rsa: 1, ecdsa: 3 } as const

/** One serialised SCT of version 1. */
export function encodeSct(sct: SignedCertificateTimestamp): Uint8Array {
  return concatBytes(
    Uint8Array.of(0),
    sct.logId,
    tlsUint(sct.timestamp, 8),
    tlsOpaque(sct.extensions, 2),
    Uint8Array.of(hashCodes[sct.hashAlgorithm], signatureCodes[sct.signatureKind]),
    tlsOpaque(sct.signature, 2),
  )
}

/** The certificate extension with these SCTs. */
export function sctListExtension(...scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  const list = concatBytes(...scts.map((sct) => tlsOpaque(encodeSct(sct), 2)))
  return encodeExtension(oid.embeddedScts, false, derOctetString(tlsOpaque(list, 2)))
}

/** The bytes that the SCT of a precertificate signs. @param tbs the TBSCertificate without poison and without SCT list */
export function precertificateSignedBytes(
  sct: Pick<SignedCertificateTimestamp, 'timestamp' | 'extensions'>,
  tbs: Uint8Array,
  issuerKeyHash: Uint8Array,
): Uint8Array {
  return concatBytes(
    Uint8Array.of(0, 0),
    tlsUint(sct.timestamp, 8),
    tlsUint(1, 2),
    issuerKeyHash,
    tlsOpaque(tbs, 3),
    tlsOpaque(sct.extensions, 2),
  )
}
