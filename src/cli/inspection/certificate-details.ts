/** What is shown of a certificate, worked out once for the tree and the JSON. */
import { signatureAlgorithmFromOid } from '../../crypto/signature-algorithm.ts'
import type { SignatureAlgorithm } from '../../crypto/signature-algorithm.ts'
import { DerReader } from '../../encoding/der.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import * as oid from '../../x509/object-identifiers.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'
import type { DistinguishedName } from './distinguished-name.ts'
import { describeName } from './distinguished-name.ts'
import type { ExtensionDetails } from './extension-details.ts'
import { describeExtensions } from './extension-details.ts'
import type { PublicKeyDetails } from './public-key-details.ts'
import { describePublicKey } from './public-key-details.ts'

/** A certificate, described. */
export interface CertificateDetails {
  readonly certificate: Certificate
  /** As Go names it, such as `ECDSA-SHA384`; the object identifier when it has no name. */
  readonly signatureAlgorithm: string
  readonly subject: DistinguishedName
  readonly issuer: DistinguishedName
  readonly publicKey: Attempt<PublicKeyDetails>
  readonly keyUsages: readonly string[]
  readonly purposes: readonly Purpose[]
  /** Those that none of the other members describes. */
  readonly extensions: readonly ExtensionDetails[]
}

/** An extended key usage. */
export interface Purpose {
  readonly oid: string
  /** Undefined for a purpose that is not known. */
  readonly name: string | undefined
}

const algorithmNames: Readonly<Partial<Record<SignatureAlgorithm, string>>> = {
  'ecdsa-sha256': 'ECDSA-SHA256',
  'ecdsa-sha384': 'ECDSA-SHA384',
  'ecdsa-sha512': 'ECDSA-SHA512',
  'rsa-pkcs1-sha256': 'SHA256-RSA',
  'rsa-pkcs1-sha384': 'SHA384-RSA',
  'rsa-pkcs1-sha512': 'SHA512-RSA',
  'rsa-pss-sha256': 'SHA256-RSAPSS',
  'rsa-pss-sha384': 'SHA384-RSAPSS',
  'rsa-pss-sha512': 'SHA512-RSAPSS',
  ed25519: 'Ed25519',
}

/** Algorithms of old, which nothing accepts any more. */
const weakAlgorithms: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'MD5-RSA',
  '1.2.840.113549.1.1.5': 'SHA1-RSA',
  '1.2.840.10045.4.1': 'ECDSA-SHA1',
  '1.2.840.10040.4.3': 'DSA-SHA1',
  '2.16.840.1.101.3.4.3.2': 'DSA-SHA256',
}

/** By their bits, RFC 5280 section 4.2.1.3. */
const keyUsageNames = [
  'Digital Signature',
  'Content Commitment',
  'Key Encipherment',
  'Data Encipherment',
  'Key Agreement',
  'Cert Sign',
  'CRL Sign',
  'Encipher Only',
  'Decipher Only',
]

const purposeNames: Readonly<Record<string, string>> = {
  [oid.anyExtendedKeyUsage]: 'Any',
  '1.3.6.1.5.5.7.3.1': 'Server Auth',
  '1.3.6.1.5.5.7.3.2': 'Client Auth',
  [oid.codeSigning]: 'Code Signing',
  '1.3.6.1.5.5.7.3.4': 'Email Protection',
  '1.3.6.1.5.5.7.3.5': 'IPSEC End System',
  '1.3.6.1.5.5.7.3.6': 'IPSEC Tunnel',
  '1.3.6.1.5.5.7.3.7': 'IPSEC User',
  [oid.timeStamping]: 'Time Stamping',
  '1.3.6.1.5.5.7.3.9': 'OCSP Signing',
}

/**
 * Describes a DER certificate.
 * @throws DecodingError as `parseCertificate`
 */
export function describeCertificate(der: Uint8Array): CertificateDetails {
  const certificate = parseCertificate(der)
  return {
    certificate,
    signatureAlgorithm: algorithmNameOf(certificate),
    subject: describeName(certificate.subject),
    issuer: describeName(certificate.issuer),
    publicKey: attempt(() => describePublicKey(certificate.spki)),
    keyUsages: keyUsagesOf(certificate),
    purposes: (certificate.extendedKeyUsage ?? []).map((purpose) => ({ oid: purpose, name: purposeNames[purpose] })),
    extensions: describeExtensions(certificate),
  }
}

function algorithmNameOf({ signatureAlgorithm }: Certificate): string {
  const known = attempt(() => signatureAlgorithmFromOid(signatureAlgorithm.oid, signatureAlgorithm.parameters)).value
  return (known === undefined ? undefined : algorithmNames[known]) ?? weakAlgorithms[signatureAlgorithm.oid] ?? signatureAlgorithm.oid
}

/** All of them: the certificate keeps only those that verification asks for. */
function keyUsagesOf({ extensions }: Certificate): string[] {
  const extension = extensions.find((candidate) => candidate.oid === oid.keyUsage)
  if (extension === undefined) return []
  const bits = new DerReader(extension.value, 'the key usage').namedBits('the key usage')
  return keyUsageNames.filter((_, bit) => bits[bit] === true)
}
