/** The certificate for one signature, or a few: asked for with an identity token, and checked before anything is signed. */
import { requestCertificate } from '../clients/fulcio.ts'
import type { ServiceOptions } from '../clients/service.ts'
import { isSameKey } from '../crypto/public-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { encodeUtf8, excerpt } from '../encoding/bytes.ts'
import { CountersignError, VerificationError } from '../error.ts'
import type { IdentityToken } from '../identity/token.ts'
import { describeToken } from '../identity/token.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import { verifyCertificate, verifyScts } from '../verify/certificate.ts'
import type { Certificate } from '../x509/certificate.ts'
import { certificateKey } from '../x509/certificate-key.ts'

export interface SigningCertificateOptions extends ServiceOptions {
  /** The certificate authority's base URL. */
  readonly url: string
  readonly trust: TrustMaterial
  /** How many CT logs must have promised to publish the certificate; default 1. */
  readonly scts?: number
}

/**
 * Gets a certificate for a key.
 * @throws CountersignError SERVICE_REFUSED and what else `requestCertificate` throws; VerificationError KEY_MISMATCH, IDENTITY_MISMATCH,
 * CERTIFICATE_UNTRUSTED, CERTIFICATE_EXPIRED, SCT_UNVERIFIED for a certificate that must not be used
 */
export async function obtainCertificate(token: IdentityToken, signer: Signer, options: SigningCertificateOptions): Promise<Certificate> {
  const { url, trust, scts = 1, ...serviceOptions } = options
  const request = {
    token: token.raw,
    publicKey: signer.publicKey,
    proofOfPossession: await signer.sign(encodeUtf8(token.principal)),
  }
  const { leaf } = await requestCertificate(url, request, serviceOptions, `; it was given ${describeToken(token)}`)
  try {
    checkCertificate(leaf, token, signer, trust, scts)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new VerificationError(
      cause.code,
      `the certificate authority ${url} issued a certificate that must not be used: ${cause.message}`,
      { cause },
    )
  }
  return leaf
}

function checkCertificate(leaf: Certificate, token: IdentityToken, signer: Signer, trust: TrustMaterial, scts: number): void {
  if (!isSameKey(certificateKey(leaf), signer.publicKey)) throw new VerificationError('KEY_MISMATCH', 'it is for another key')
  const [name] = leaf.subjectAlternativeNames
  // What the names of workloads are made of is the authority's business; an e-mail address is taken over as it is.
  if (name?.kind === 'email' && name.value !== token.email) {
    throw new VerificationError(
      'IDENTITY_MISMATCH',
      `it is for ${excerpt(name.value, 200)}, and the identity token is about ${excerpt(token.principal, 200)}`,
    )
  }
  // At its own beginning: this machine's clock need not agree with the authority's to the second.
  const path = verifyCertificate(leaf, trust, [leaf.notBefore])
  if (scts > 0) verifyScts(path, trust, scts, undefined, [])
}
