/** A certificate, and a public key, as JSON. */
import { digest } from '../../crypto/digest.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { JsonObject } from '../../encoding/json.ts'
import type { SignedCertificateTimestamp, UncheckableSct } from '../../x509/sct.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'
import { describeCertificate } from './certificate-details.ts'
import type { ExtensionDetails } from './extension-details.ts'
import { formatInstant } from './instant.ts'
import { describePublicKey } from './public-key-details.ts'
import type { PublicKeyDetails } from './public-key-details.ts'

/** A DER certificate as JSON: `{ sha256, problem }` when it cannot be parsed. */
export function certificateJson(der: Uint8Array): JsonObject {
  const sha256 = encodeHex(digest('sha256', der))
  const { value: details, problem } = attempt(() => describeCertificate(der))
  if (details === undefined) return { sha256, problem }
  const { certificate, subject, issuer } = details
  return {
    sha256,
    serialNumber: encodeHex(certificate.serialNumber),
    subject: subject.text,
    issuer: issuer.text,
    notBefore: formatInstant(certificate.notBefore),
    notAfter: formatInstant(certificate.notAfter),
    subjectAlternativeNames: certificate.subjectAlternativeNames.map(({ kind, value }) => ({ kind, value })),
    publicKey: { sha256: encodeHex(digest('sha256', certificate.spki)), ...keyMembers(details.publicKey) },
    keyUsage: details.keyUsages,
    extendedKeyUsage: details.purposes.map(({ oid, name }) => ({ oid, name })),
    basicConstraints:
      certificate.basicConstraints === undefined
        ? undefined
        : { ca: certificate.basicConstraints.ca, pathLength: certificate.basicConstraints.pathLength },
    subjectKeyId: optionalHex(certificate.subjectKeyIdentifier),
    authorityKeyId: optionalHex(certificate.authorityKeyIdentifier),
    extensions: details.extensions.map(extensionJson),
    signatureAlgorithm: details.signatureAlgorithm,
    signature: encodeBase64(certificate.signature),
  }
}

/** A SubjectPublicKeyInfo as JSON. */
export function publicKeyJson(spki: Uint8Array): JsonObject {
  return { sha256: encodeHex(digest('sha256', spki)), ...keyMembers(attempt(() => describePublicKey(spki))) }
}

function keyMembers({ value: key, problem }: Attempt<PublicKeyDetails>): JsonObject {
  if (key === undefined) return { problem }
  switch (key.algorithm) {
    case 'ECDSA':
      return { algorithm: key.algorithm, curve: key.curve, point: encodeHex(key.point) }
    case 'Ed25519':
      return { algorithm: key.algorithm, point: encodeHex(key.point) }
    case 'RSA':
      return { algorithm: key.algorithm, bits: key.bits }
    case 'Unknown':
      return { algorithm: key.algorithm, oid: key.oid }
  }
}

function extensionJson(extension: ExtensionDetails): JsonObject {
  const { oid, critical } = extension
  switch (extension.kind) {
    case 'text':
      return { oid, critical, name: extension.name, value: extension.text }
    case 'scts': {
      const { value: scts, problem } = extension.scts
      return { oid, critical, name: 'signedCertificateTimestamps', value: scts?.map(sctJson), problem }
    }
    case 'opaque':
      return { oid, critical, bytes: encodeBase64(extension.bytes) }
  }
}

function sctJson(sct: SignedCertificateTimestamp | UncheckableSct): JsonObject {
  return {
    version: 1,
    logId: encodeHex(sct.logId),
    timestamp: formatInstant(sct.timestamp),
    extensions: encodeBase64(sct.extensions),
    ...('unknownAlgorithm' in sct
      ? { unknownAlgorithm: sct.unknownAlgorithm }
      : { hashAlgorithm: sct.hashAlgorithm, signatureKind: sct.signatureKind }),
    signature: encodeBase64(sct.signature),
  }
}

function optionalHex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : encodeHex(bytes)
}
