/** The witnesses of a signature: timestamp authorities and transparency logs, asked side by side. */
import type { ProposedEntry } from '../api/rekor-v1-proposal.ts'
import type { HashedRekordRequest } from '../api/rekor-v2.ts'
import { encodeEnvelope } from '../bundle/dsse.ts'
import type { LogEntry } from '../bundle/signed-entity.ts'
import { addRekorV1Entry } from '../clients/rekor-v1.ts'
import { addRekorV2Entry } from '../clients/rekor-v2.ts'
import type { ServiceOptions } from '../clients/service.ts'
import { requestTimestamp } from '../clients/timestamp-authority.ts'
import { encodePublicKeyPem } from '../crypto/public-key.ts'
import { keyDetailsOf } from '../crypto/signature.ts'
import type { Signer } from '../crypto/signer.ts'
import { encodePem } from '../encoding/pem.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import type { SignedContent } from './signed-content.ts'
import type { LogService, SigningServices } from './signing-services.ts'

/** What witnesses say. Nothing in it is verified. */
export interface Testimony {
  readonly logEntries: readonly LogEntry[]
  /** TimeStampResp, DER. */
  readonly timestamps: readonly Uint8Array[]
}

export interface WitnessOptions extends ServiceOptions {
  /** Which TLS timestamp authorities are reached with, where it is not that of the other services. */
  readonly timestampTls?: ServiceOptions['tls']
  /** Where log IDs are looked up. */
  readonly trust: TrustMaterial
}

/**
 * Has a signature timestamped and logged. Neither kind of service needs the other's answer, so all are asked at once; when one
 * fails, the others are told to stop.
 * @param certificate DER of the signer's certificate; undefined for a key of one's own
 * @throws what the clients throw: the first failure
 */
export async function witness(
  signed: SignedContent,
  signer: Signer,
  certificate: Uint8Array | undefined,
  services: SigningServices,
  options: WitnessOptions,
): Promise<Testimony> {
  const { trust, timestampTls, signal, ...rest } = options
  const stop = new AbortController()
  const clientOptions = { ...rest, signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]) }
  const timestampOptions = { ...clientOptions, ...(timestampTls === undefined ? {} : { tls: timestampTls }) }
  const timestamps = services.timestampAuthorities.map((url) => requestTimestamp(url, signed.content.signature, timestampOptions))
  const logEntries = services.logs.map((log) => enter(log, signed, signer, certificate, clientOptions, trust))
  const all = [...timestamps, ...logEntries]
  try {
    await Promise.all(all)
  } catch (error) {
    stop.abort()
    await Promise.allSettled(all)
    throw error
  }
  return { timestamps: await Promise.all(timestamps), logEntries: await Promise.all(logEntries) }
}

function enter(
  log: LogService,
  signed: SignedContent,
  signer: Signer,
  certificate: Uint8Array | undefined,
  options: ServiceOptions,
  trust: TrustMaterial,
): Promise<LogEntry> {
  if (log.apiVersion === 1) return addRekorV1Entry(log.url, proposal(signed, signer, certificate), options)
  const host = new URL(log.url).hostname
  const logId = trust.logs.find((trusted) => trusted.host === host)?.logId
  return addRekorV2Entry(log.url, requestFor(signed, signer, certificate), { ...options, logId })
}

function proposal({ content, digest }: SignedContent, { publicKey }: Signer, certificate: Uint8Array | undefined): ProposedEntry {
  const verifier = certificate === undefined ? encodePublicKeyPem(publicKey) : encodePem('CERTIFICATE', certificate)
  if (content.kind === 'dsse-envelope') return { kind: 'dsse', envelope: encodeEnvelope(content), verifiers: [verifier] }
  return { kind: 'hashedrekord', digest, signature: content.signature, verifier }
}

/** Rekor v2 logs an envelope, too, as a signature over a digest: that of its pre-authentication encoding. */
function requestFor({ content, digest }: SignedContent, signer: Signer, certificate: Uint8Array | undefined): HashedRekordRequest {
  const keyDetails = keyDetailsOf(signer.publicKey, signer.algorithm)
  const verifier =
    certificate === undefined
      ? ({ kind: 'public-key', der: signer.publicKey.spki, keyDetails } as const)
      : ({ kind: 'certificate', der: certificate, keyDetails } as const)
  return { kind: 'hashedrekord', digest: digest.value, signature: content.signature, verifier }
}
