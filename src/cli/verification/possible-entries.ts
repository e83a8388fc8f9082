/** What the entry of a signature would be in a Rekor v1 log, which names entries by the hash of their contents: so it can be asked for. */
import { encodeDsseV001, encodeHashedRekordV001, encodeIntotoV001, encodeIntotoV002 } from '../../bundle/encode-log-entry-body.ts'
import { encodeEnvelope } from '../../bundle/dsse.ts'
import type { DsseEnvelope, SignedEntity } from '../../bundle/signed-entity.ts'
import { digest } from '../../crypto/digest.ts'
import { encodePublicKeyPem } from '../../crypto/public-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { asBuffer, encodeUtf8 } from '../../encoding/bytes.ts'
import { encodePem } from '../../encoding/pem.ts'
import { leafHash } from '../../merkle/hash.ts'
import type { Policy } from '../../verify/policy.ts'
import type { Signer } from '../../verify/signer.ts'

/** A signature whose entry is looked for, and what the entry must say. */
export interface LoggedSignature {
  readonly entity: SignedEntity
  readonly signer: Signer
  readonly artifact: Policy['artifact']
  /** The text of an attestation's envelope as it came, where there is one: logs know it by the hash of that. */
  readonly envelope: Uint8Array | undefined
}

/** The certificate or key of a signature as entries hold it. */
export function verifierPemOf({ certificate, key }: Signer): string {
  return certificate === undefined ? encodePublicKeyPem(key) : encodePem('CERTIFICATE', certificate.bytes)
}

/** The leaf hashes of the entries that cosign, sigstore-js and we have made of such a signature, the likeliest first. */
export function possibleLeaves({ entity, signer, artifact, envelope }: LoggedSignature): Uint8Array[] {
  const { content } = entity
  const verifierPem = verifierPemOf(signer)
  if (content.kind === 'dsse-envelope') return possibleEnvelopeBodies(content, envelope, verifierPem).map(leafHash)
  if (artifact === 'any-subject') return []
  const algorithms = new Set(['sha256' as const, ...signer.algorithms.flatMap((algorithm) => digestOf(algorithm) ?? [])])
  return [...algorithms].flatMap((algorithm) => {
    const value = artifact.digest(algorithm)
    if (value === undefined) return []
    return [leafHash(encodeHashedRekordV001({ algorithm, value }, { signature: content.signature, verifierPem }))]
  })
}

/**
 * An entry holds the digest of the envelope's text as it was submitted. That need not be the text which the signer kept: Go programs
 * write envelopes in several ways.
 */
function possibleEnvelopeBodies(envelope: DsseEnvelope, text: Uint8Array | undefined, verifierPem: string): Uint8Array[] {
  const { payload, payloadType, signature, keyId } = envelope
  const withKeyId = JSON.stringify({
    payloadType,
    payload: encodeBase64(payload),
    signatures: [{ keyid: keyId, sig: encodeBase64(signature) }],
  })
  const kept = text === undefined ? [] : [asBuffer(text).toString('utf8'), asBuffer(text).toString('utf8').trimEnd()]
  const hashes = [...new Set([...kept, encodeEnvelope(envelope), withKeyId])].map((one) => digest('sha256', encodeUtf8(one)))
  const payloadSha256 = digest('sha256', payload)
  return [
    ...hashes.map((hash) => encodeDsseV001(hash, payloadSha256, [{ signature, verifierPem }])),
    ...hashes.map((hash) =>
      encodeIntotoV002({ payloadType, signatures: [{ signature, verifierPem, keyId }], envelopeSha256: hash, payloadSha256 }),
    ),
    // Of the envelope's text, only that which the signer kept would do.
    ...(text === undefined ? [] : [encodeIntotoV001(digest('sha256', text), payloadSha256, verifierPem)]),
  ]
}
