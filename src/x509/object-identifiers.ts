/** The object identifiers of certificates, certificate transparency and timestamps. */

export const subjectKeyIdentifier = '2.5.29.14'
export const keyUsage = '2.5.29.15'
export const subjectAlternativeName = '2.5.29.17'
export const basicConstraints = '2.5.29.19'
export const nameConstraints = '2.5.29.30'
export const certificatePolicies = '2.5.29.32'
export const authorityKeyIdentifier = '2.5.29.35'
export const extendedKeyUsage = '2.5.29.37'

export const anyExtendedKeyUsage = '2.5.29.37.0'
export const codeSigning = '1.3.6.1.5.5.7.3.3'
export const timeStamping = '1.3.6.1.5.5.7.3.8'

/** RFC 6962 section 3.3: the list of SCTs inside a certificate. */
export const embeddedScts = '1.3.6.1.4.1.11129.2.4.2'
/** RFC 6962 section 3.1: marks a precertificate, which no one may accept as a certificate. */
export const precertificatePoison = '1.3.6.1.4.1.11129.2.4.3'

/** RFC 6962 section 3.1: purpose of a certificate that signs precertificates in the place of their issuer. */
export const precertificateSigning = '1.3.6.1.4.1.11129.2.4.4'

/** The arc of Fulcio's certificate extensions; `.1` to `.24` below it. */
export const sigstore = '1.3.6.1.4.1.57264.1'
/** Type of the otherName that carries a user name (`name!domain`). */
export const sigstoreOtherName = '1.3.6.1.4.1.57264.1.7'

export const signedData = '1.2.840.113549.1.7.2'
export const tstInfo = '1.2.840.113549.1.9.16.1.4'
export const contentTypeAttribute = '1.2.840.113549.1.9.3'
export const messageDigestAttribute = '1.2.840.113549.1.9.4'
export const signingCertificateAttribute = '1.2.840.113549.1.9.16.2.12'
export const signingCertificateV2Attribute = '1.2.840.113549.1.9.16.2.47'

export const rsaEncryption = '1.2.840.113549.1.1.1'

export const sha1 = '1.3.14.3.2.26'
export const sha256 = '2.16.840.1.101.3.4.2.1'
export const sha384 = '2.16.840.1.101.3.4.2.2'
export const sha512 = '2.16.840.1.101.3.4.2.3'
