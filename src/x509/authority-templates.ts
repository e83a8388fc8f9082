/** The certificates that a private Sigstore stands on: roots, the intermediate that issues, the timestamp authority. */
import type { PublicKey } from '../crypto/public-key.ts'
import type { LocalSigner } from '../crypto/signer.ts'
import {
  authorityExtension,
  authorityKeyIdentifierExtension,
  encodeName,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  signCertificate,
  subjectKeyIdentifierExtension,
} from './certificate-writer.ts'
import * as oid from './object-identifiers.ts'

/** What is different in each. Instants are epoch milliseconds. */
export interface AuthorityOptions {
  readonly organization: string
  readonly commonName: string
  readonly serialNumber: Uint8Array
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Who issues a certificate. */
export interface AuthorityIssuer {
  readonly signer: LocalSigner
  /** Its name, a whole DER element. */
  readonly name: Uint8Array
}

// Numbers of RFC 5280 section 4.2.1.3.
const digitalSignature = 0
const keyCertSign = 5
const cRLSign = 6

/** A self-signed root: it may issue authorities of any purpose, so it has no extended key usage. DER. */
export function createRootCertificate(options: AuthorityOptions, signer: LocalSigner): Uint8Array {
  const name = encodeName(options)
  return signCertificate(
    {
      ...options,
      issuer: name,
      subject: name,
      spki: signer.publicKey.spki,
      extensions: [
        keyUsageExtension(keyCertSign, cRLSign),
        authorityExtension(),
        subjectKeyIdentifierExtension(keyIdentifier(signer.publicKey)),
      ],
    },
    signer,
  )
}

/** The intermediate that issues code signing leaves and no further authority. DER. */
export function createIssuingCertificate(options: AuthorityOptions, publicKey: PublicKey, issuer: AuthorityIssuer): Uint8Array {
  return signCertificate(
    {
      ...options,
      issuer: issuer.name,
      subject: encodeName(options),
      spki: publicKey.spki,
      extensions: [
        keyUsageExtension(keyCertSign, cRLSign),
        extendedKeyUsageExtension(false, oid.codeSigning),
        authorityExtension(0),
        subjectKeyIdentifierExtension(keyIdentifier(publicKey)),
        authorityKeyIdentifierExtension(keyIdentifier(issuer.signer.publicKey)),
      ],
    },
    issuer.signer,
  )
}

/** The leaf that signs timestamps: RFC 3161 section 2.3 wants its one purpose critical. DER. */
export function createTimestampingCertificate(options: AuthorityOptions, publicKey: PublicKey, issuer: AuthorityIssuer): Uint8Array {
  return signCertificate(
    {
      ...options,
      issuer: issuer.name,
      subject: encodeName(options),
      spki: publicKey.spki,
      extensions: [
        keyUsageExtension(digitalSignature),
        extendedKeyUsageExtension(true, oid.timeStamping),
        subjectKeyIdentifierExtension(keyIdentifier(publicKey)),
        authorityKeyIdentifierExtension(keyIdentifier(issuer.signer.publicKey)),
      ],
    },
    issuer.signer,
  )
}
