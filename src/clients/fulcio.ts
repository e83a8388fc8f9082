/** Asks a certificate authority with Fulcio's API, version 2, for a signing certificate. */
import { encodeSigningCertificateRequest, fulcioPaths, maxFulcioAnswerBytes, parseSigningCertificate } from '../api/fulcio.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import type { Certificate } from '../x509/certificate.ts'
import { ask, endpoint, jsonRequest, readAnswer, refusal } from './service.ts'
import type { ServiceOptions } from './service.ts'

export interface CertificateRequest {
  /** The identity token, which goes into a header and is shown in no error. */
  readonly token: string
  readonly publicKey: PublicKey
  /** The key's signature over the name of the token's principal. */
  readonly proofOfPossession: Uint8Array
}

export interface IssuedCertificate {
  readonly leaf: Certificate
  /** What came after it: intermediates, perhaps the root. Nothing of it is trusted. */
  readonly chain: readonly Certificate[]
}

const timeoutMs = 30_000

/**
 * Gets a certificate. Whether it is the right one is for the caller to check.
 * @param hint what the caller knows about why the token may be refused
 * @throws CountersignError SERVICE_REFUSED; DecodingError JSON_INVALID, REQUEST_INVALID, CERTIFICATE_INVALID for an answer that holds no
 * certificate; TransportError as `ask`
 */
export async function requestCertificate(
  baseUrl: string,
  request: CertificateRequest,
  options: ServiceOptions = {},
  hint = '',
): Promise<IssuedCertificate> {
  const service = { kind: 'certificate authority', url: baseUrl }
  const body = encodeSigningCertificateRequest(request.publicKey, request.proofOfPossession)
  const asked = jsonRequest(body, timeoutMs, { authorization: `Bearer ${request.token}` })
  const response = await ask(
    service,
    endpoint(baseUrl, fulcioPaths.signingCertificate),
    { ...asked, maxBytes: maxFulcioAnswerBytes },
    options,
  )
  if (response.status !== 200 && response.status !== 201) throw refusal(service, response, hint)
  return readAnswer(service, () => parseSigningCertificate(response.body))
}
