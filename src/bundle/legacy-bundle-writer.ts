/** Writes what cosign 1 and 2 wrote instead of bundles. */
import { encodeBase64 } from '../encoding/base64.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { encodePem } from '../encoding/pem.ts'
import { encodeEnvelope } from './dsse.ts'
import type { LogEntry, SignedEntity } from './signed-entity.ts'

/**
 * cosign's local bundle. Of the log entries, the first with a promise is in it; a public key never is (GHSA-fx35-mq7g-6g98).
 */
export function encodeLegacyBundle({ content, keyMaterial, logEntries }: SignedEntity): string {
  const promised = logEntries.find(({ signedEntryTimestamp }) => signedEntryTimestamp !== undefined)
  return JSON.stringify({
    // Of an attestation, the whole envelope.
    base64Signature: encodeBase64(content.kind === 'dsse-envelope' ? encodeUtf8(encodeEnvelope(content)) : content.signature),
    ...(keyMaterial.kind === 'certificate' ? { cert: encodeBase64(encodeUtf8(encodePem('CERTIFICATE', keyMaterial.leaf))) } : {}),
    ...(promised === undefined ? {} : { rekorBundle: rekorBundle(promised) }),
  })
}

/** The timestamp file of `--rfc3161-timestamp`. */
export function encodeTimestampFile(response: Uint8Array): string {
  return JSON.stringify({ SignedRFC3161Timestamp: encodeBase64(response) })
}

/** The annotation of an image's signature that holds its log entry: as in the local bundle. */
export function encodeRekorBundle(entry: LogEntry): string {
  return JSON.stringify(rekorBundle(entry))
}

function rekorBundle({ signedEntryTimestamp, body, integratedTime, logIndex, logId }: LogEntry): object {
  return {
    SignedEntryTimestamp: encodeBase64(signedEntryTimestamp ?? new Uint8Array(0)),
    Payload: {
      body: encodeBase64(body),
      integratedTime: Number(integratedTime),
      logIndex: Number(logIndex),
      logID: encodeHex(logId),
    },
  }
}
