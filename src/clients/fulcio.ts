/** Asks a certificate authority with Fulcio's API, version 2, for a signing certificate. */
import type { PublicKey } from '../crypto/public-key.ts'
import { encodePublicKeyPem } from '../crypto/public-key.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { DecodingError } from '../error.ts'
import { parseCertificatePem } from '../x509/certificate.ts'
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
const maxAnswerBytes = 1024 * 1024
const maxCertificates = 16
const signingCertPath = '/api/v2/signingCert'

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
  const asked = jsonRequest(encodeRequest(request), timeoutMs, { authorization: `Bearer ${request.token}` })
  const response = await ask(service, endpoint(baseUrl, signingCertPath), { ...asked, maxBytes: maxAnswerBytes }, options)
  if (response.status !== 200 && response.status !== 201) throw refusal(service, response, hint)
  return readAnswer(service, () => parseAnswer(response.body))
}

function encodeRequest({ publicKey, proofOfPossession }: CertificateRequest): string {
  const algorithm = { ecdsa: 'ECDSA', rsa: 'RSA_PSS', ed25519: 'ED25519' }[publicKey.kind]
  return JSON.stringify({
    publicKeyRequest: {
      publicKey: { algorithm, content: encodePublicKeyPem(publicKey) },
      proofOfPossession: encodeBase64(proofOfPossession),
    },
  })
}

function parseAnswer(body: Uint8Array): IssuedCertificate {
  const answer = new JsonFields(parseJson(body, 'the answer', { maxBytes: maxAnswerBytes }), 'answer', 'REQUEST_INVALID')
  const certificate = answer.optionalObject('signedCertificateEmbeddedSct') ?? answer.object('signedCertificateDetachedSct')
  const texts = certificate.object('chain').array('certificates', maxCertificates)
  const [leaf, ...chain] = texts.flatMap((text) => {
    if (typeof text !== 'string') throw certificate.invalid(`${certificate.path}.chain.certificates should be an array of strings`)
    return parseCertificatePem(text, 'the certificate')
  })
  if (leaf === undefined) throw new DecodingError('CERTIFICATE_INVALID', 'the answer holds no certificate')
  return { leaf, chain }
}
