/**
 * The body that a log entry must have, recomputed from the bundle (Rekor v2 specification 6.1.4 prefers this to reading the
 * body). For the commonest shape, a P-256 certificate's signature over an artifact: where the bytes are the same, nothing
 * is left to compare, and the body need not be parsed. Other bodies are read field by field.
 */
import type { LogEntry, SignedEntity } from '../bundle/signed-entity.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { asBuffer, encodeUtf8 } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import type { Artifact } from './artifact.ts'
import type { Signer } from './signer.ts'

/** Whether the body is, byte for byte, the canonical entry of this signature, certificate and artifact. */
export function isExpectedBody(entry: LogEntry, entity: SignedEntity, signer: Signer, artifact: Artifact | 'any-subject'): boolean {
  const { certificate, key } = signer
  if (entry.kind !== 'hashedrekord' || entity.content.kind !== 'message-signature' || artifact === 'any-subject') return false
  if (certificate === undefined || key.kind !== 'ecdsa' || key.curve !== 'P-256') return false
  const digest = artifact.digest('sha256')
  if (digest === undefined) return false
  const signature = encodeBase64(entity.content.signature)
  const body = asBuffer(entry.body).toString('latin1')
  if (entry.version === '0.0.1') return body === bodyV001(encodeHex(digest), signature, certificate.bytes)
  return entry.version === '0.0.2' && body === bodyV002(encodeBase64(digest), signature, encodeBase64(certificate.bytes))
}

function bodyV001(digest: string, signature: string, certificate: Uint8Array): string {
  const content = encodeBase64(encodeUtf8(certificatePem(encodeBase64(certificate))))
  return `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"${digest}"}},"signature":{"content":"${signature}","publicKey":{"content":"${content}"}}}}`
}

function bodyV002(digest: string, signature: string, certificate: string): string {
  return `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${digest}"},"signature":{"content":"${signature}","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","x509Certificate":{"rawBytes":"${certificate}"}}}}}}`
}

function certificatePem(base64: string): string {
  let lines = ''
  for (let at = 0; at < base64.length; at += 64) lines += `${base64.slice(at, at + 64)}\n`
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`
}
