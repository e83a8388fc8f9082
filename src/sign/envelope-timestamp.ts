/** A timestamp over an envelope as a file, which is what verifiers of cosign's old formats expect, and not one over its signature. */
import type { DsseEnvelope } from '../bundle/signed-entity.ts'
import { encodeEnvelope } from '../bundle/dsse.ts'
import type { ServiceOptions } from '../clients/service.ts'
import { requestTimestamp } from '../clients/timestamp-authority.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { VerificationError } from '../error.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import { verifyTimestamps } from '../verify/timestamps.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Strangers } from './sign-content.ts'

/**
 * Gets a timestamp over the file that `encodeEnvelope` makes, and verifies it.
 * @param url of the timestamp authority
 * @param certificate the signer's, which must be valid at that time
 * @param strangers what comes of a timestamp of an authority that the trust material does not have: noted, it is returned as it came
 * @returns the TimeStampResp, DER
 * @throws what `requestTimestamp` and `verifyTimestamps` throw; VerificationError TIME_UNVERIFIED, CERTIFICATE_EXPIRED
 */
export async function timestampEnvelope(
  envelope: DsseEnvelope,
  url: string,
  certificate: Certificate | undefined,
  trust: TrustMaterial,
  options: ServiceOptions & { readonly strangers?: Strangers },
): Promise<Uint8Array> {
  const encoded = encodeUtf8(encodeEnvelope(envelope))
  const token = await requestTimestamp(url, encoded, options)
  const { instants } = verifyTimestamps([token], { ...envelope, encoded }, trust, [])
  if (instants.length === 0) {
    if (options.strangers === 'noted') return token
    throw new VerificationError('TIME_UNVERIFIED', `the timestamp of ${url} is of an authority that the trusted root does not have`)
  }
  if (certificate !== undefined && instants.some((instant) => instant < certificate.notBefore || instant > certificate.notAfter)) {
    throw new VerificationError('CERTIFICATE_EXPIRED', `the timestamp of ${url} is not of a time at which the certificate is valid`)
  }
  return token
}
