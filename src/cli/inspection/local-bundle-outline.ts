/** Reads the outline of the local bundle that cosign 1 and 2 wrote for files. */
import { parseCertificateFile, readLegacyBundle, readRekorBundle } from '../../bundle/legacy-bundle.ts'
import { parsePublicKeyPem } from '../../crypto/public-key.ts'
import { decodeBase64 } from '../../encoding/base64.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import type { JsonValue } from '../../encoding/json.ts'
import { parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'
import { outlineEnvelope } from './bundle-outline.ts'
import type { BundleOutline, ContentOutline, KeyOutline, LogEntryOutline } from './outline.ts'

const openingBrace = 0x7b

/**
 * Reads a local bundle from JSON that is already parsed. A certificate or log entry that is malformed is kept as the
 * reason why.
 * @throws DecodingError BUNDLE_INVALID when the signature is not base64 or a member has the wrong type
 */
export function outlineLocalBundle(value: JsonValue): BundleOutline {
  const bundle = new JsonFields(value, 'bundle', 'BUNDLE_INVALID')
  const rekorBundle = bundle.optionalObject('rekorBundle')
  return {
    format: 'cosign-local-bundle',
    mediaType: '',
    version: undefined,
    material: {
      key: outlineKey(bundle.optionalString('cert') ?? ''),
      logEntries: rekorBundle === undefined ? [] : [outlineLogEntry(rekorBundle)],
      timestamps: undefined,
    },
    content: outlineContent(bundle.bytes('base64Signature')),
    refusal: attempt(() => readLegacyBundle(value)).problem,
  }
}

/** The signature of an attestation is its envelope. */
function outlineContent(signature: Uint8Array): ContentOutline {
  const message: ContentOutline = { kind: 'message-signature', digest: undefined, signature }
  if (signature[0] !== openingBrace) return message
  return attempt(() => outlineEnvelope(new JsonFields(parseJson(signature, 'the envelope'), 'envelope', 'BUNDLE_INVALID'))).value ?? message
}

/** PEM or base64 of PEM, of a certificate or, as cosign before 3.1.3 wrote it for signatures with a key, of that key. */
function outlineKey(text: string): KeyOutline | undefined {
  if (text === '') return undefined
  const certificates = attempt(() => parseCertificateFile(encodeUtf8(text), 'bundle.cert'))
  if (certificates.value !== undefined) {
    const [certificate, ...chain] = certificates.value
    if (certificate === undefined || chain.length > 0) return { kind: 'certificate-chain', certificates: certificates.value }
    return { kind: 'certificate', certificate }
  }
  const pem = attempt(() => decodeUtf8(decodeBase64(text, 'bundle.cert'), 'bundle.cert')).value ?? text
  const key = attempt(() => parsePublicKeyPem(pem))
  return key.value === undefined ? { kind: 'malformed', problem: certificates.problem } : { kind: 'public-key', spki: key.value.spki }
}

function outlineLogEntry(rekorBundle: JsonFields): Attempt<LogEntryOutline> {
  return attempt(() => {
    const { kind, version, ...entry } = readRekorBundle(rekorBundle)
    return { ...entry, kindVersion: { kind, version }, inclusionProof: undefined }
  })
}
