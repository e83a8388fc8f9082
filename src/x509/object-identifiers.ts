/** The object identifiers of certificates, certificate transparency and timestamps. */
export const oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',

  anyExtendedKeyUsage: '2.5.29.37.0',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',

  /** RFC 6962 section 3.3: the list of SCTs inside a certificate. */
  embeddedScts: '1.3.6.1.4.1.11129.2.4.2',
  /** RFC 6962 section 3.1: marks a precertificate, which no one may accept as a certificate. */
  precertificatePoison: '1.3.6.1.4.1.11129.2.4.3',

  /** RFC 6962 section 3.1: purpose of a certificate that signs precertificates in the place of their issuer. */
  precertificateSigning: '1.3.6.1.4.1.11129.2.4.4',

  /** The arc of Fulcio's certificate extensions; `.1` to `.24` below it. */
  sigstore: '1.3.6.1.4.1.57264.1',
  /** Type of the otherName that carries a user name (`name!domain`). */
  sigstoreOtherName: '1.3.6.1.4.1.57264.1.7',

  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentTypeAttribute: '1.2.840.113549.1.9.3',
  messageDigestAttribute: '1.2.840.113549.1.9.4',
  signingCertificateAttribute: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2Attribute: '1.2.840.113549.1.9.16.2.47',

  rsaEncryption: '1.2.840.113549.1.1.1',

  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const
