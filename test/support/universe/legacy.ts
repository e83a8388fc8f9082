/** What cosign 1 and 2 wrote instead of bundles. */
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { pemOf } from './certificates.ts'
import type { EntryJson } from './logs.ts'
import type { Json, SignedBundle } from './sign.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** What Rekor v1 answered about an entry, as cosign 1 and 2 kept it. */
export function rekorBundleOf(entry: EntryJson): Json {
  return {
    SignedEntryTimestamp: entry.inclusionPromise?.signedEntryTimestamp,
    Payload: {
      body: entry.canonicalizedBody,
      integratedTime: Number(entry.integratedTime),
      logIndex: Number(entry.logIndex),
      logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
    },
  }
}

/**
 * cosign's local bundle of a signature that Rekor v1 has logged.
 * @param cert replaces the base64 of the certificate's PEM; nothing stands there for a managed key
 */
export function legacyBundle(signed: SignedBundle, cert = usualCertificate(signed)): Json {
  const [entry] = signed.entries
  const rekorBundle = entry && rekorBundleOf(entry)
  return {
    base64Signature: signatureFile(signed),
    ...(cert === undefined ? {} : { cert }),
    ...(rekorBundle === undefined ? {} : { rekorBundle }),
  }
}

/** The contents of `--output-signature` and `--output-certificate`. The certificate is the empty text for a managed key. */
export function legacyFiles(signed: SignedBundle): { readonly signature: string; readonly certificate: string } {
  return {
    signature: signatureFile(signed),
    certificate: signed.certificate.length === 0 ? '' : pemOf(signed.certificate),
  }
}

function usualCertificate(signed: SignedBundle): string | undefined {
  return signed.certificate.length === 0 ? undefined : base64(encodeUtf8(pemOf(signed.certificate)))
}

/** Of an attestation, cosign's "signature" is the whole envelope. */
function signatureFile({ bundle, signature }: SignedBundle): string {
  const envelope = bundle['dsseEnvelope']
  return base64(envelope === undefined ? signature : encodeUtf8(JSON.stringify(envelope)))
}
