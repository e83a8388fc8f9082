/** `download`: what lies beside an image, as it is stored; nothing of it is verified. */
import { parseStatement } from '../../bundle/statement.ts'
import { acceptedPredicateTypes } from '../../bundle/predicate-type.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { asBuffer } from '../../encoding/bytes.ts'
import type { JsonValue } from '../../encoding/json.ts'
import { parseJson } from '../../encoding/json.ts'
import { CountersignError } from '../../error.ts'
import { signatureAnnotation } from '../../bundle/image-signature.ts'
import { findSignatures } from '../../oci/find-signatures.ts'
import type { FoundSignature } from '../../oci/found-signature.ts'
import { signPredicateType } from '../../oci/signature-places.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { formatJsonLine } from '../inspection/json-text.ts'
import { maxAttachmentBytes } from './attachment-size.ts'
import type { NamedImage } from './named-image.ts'
import { findNamedImage } from './named-image.ts'
import type { downloadAttestationFlags, downloadSignatureFlags } from './storage-flags.ts'

/** One line of JSON for each signature: a bundle, or cosign's own form. @throws CountersignError NOT_FOUND; as `findSignatures` */
export async function downloadSignatures(
  context: CommandContext,
  flags: FlagValues<typeof downloadSignatureFlags>,
  argument: string,
): Promise<void> {
  const image = await findNamedImage(context, flags, argument)
  const found = await find(context, image, 'signature', flags['attachment-tag-prefix'])
  const signatures = found.filter((one) => one.payload !== undefined || isSignature(one))
  if (signatures.length === 0) throw new CountersignError('NOT_FOUND', `${image.name}: no signatures associated`)
  for (const one of signatures) context.stdout.write(`${one.payload === undefined ? inOneLine(one.bytes) : legacyForm(one)}\n`)
}

/** One line of JSON for each attestation: a bundle, or an envelope. @throws CountersignError NOT_FOUND; as `findSignatures` */
export async function downloadAttestations(
  context: CommandContext,
  flags: FlagValues<typeof downloadAttestationFlags>,
  argument: string,
): Promise<void> {
  const wanted = flags['predicate-type'] === '' ? undefined : acceptedPredicateTypes(flags['predicate-type'])
  const image = await findNamedImage(context, flags, argument, flags.platform)
  const found = await find(context, image, 'attestation', flags['attachment-tag-prefix'])
  const attestations = found.filter((one) => {
    const type = predicateTypeOf(one)
    return type !== undefined && (wanted === undefined ? type !== signPredicateType : wanted.includes(type))
  })
  if (attestations.length === 0 && wanted !== undefined)
    throw new CountersignError('NOT_FOUND', `no attestations with predicate type '${flags['predicate-type']}' found`)
  if (attestations.length === 0) warn(context, `${image.name}: no attestations associated`)
  for (const { bytes } of attestations) context.stdout.write(`${inOneLine(bytes)}\n`)
}

async function find(
  context: CommandContext,
  { signatures, descriptor }: NamedImage,
  kind: 'signature' | 'attestation',
  tagPrefix: string,
): Promise<readonly FoundSignature[]> {
  const findings = await findSignatures(signatures, descriptor.digest, {
    kinds: [kind],
    tagPrefix,
    allowCertificateChain: true,
    maxLayerBytes: maxAttachmentBytes(context.env),
  })
  const [failure] = findings.failures
  if (failure !== undefined) throw failure
  for (const sentence of findings.unreadable) warn(context, `unreadable: ${sentence}`)
  return findings.signatures
}

function isSignature(found: FoundSignature): boolean {
  const { kind } = found.entity.content
  return kind === 'message-signature' || predicateTypeOf(found) === signPredicateType
}

/** Undefined for what is no attestation; empty for one whose statement cannot be read. */
function predicateTypeOf({ entity: { content } }: FoundSignature): string | undefined {
  if (content.kind !== 'dsse-envelope') return undefined
  try {
    return parseStatement(content.payload).predicateType
  } catch (error) {
    if (error instanceof CountersignError) return ''
    throw error
  }
}

/** As it is stored, except for line ends between its members and for what a terminal would act on. */
function inOneLine(bytes: Uint8Array): string {
  const text = asBuffer(bytes).toString('utf8').trim()
  return /^[ -~]*$/.test(text) ? text : formatJsonLine(parseJson(bytes, 'what is stored', { integers: 'exact' }))
}

/** What cosign prints of a signature in a layer. Its certificates are Go structures there, of which `Raw` is the certificate. */
function legacyForm({ entity: { content, keyMaterial }, payload, layer }: FoundSignature): string {
  const signature = content.kind === 'message-signature' ? content.signature : new Uint8Array()
  const raw = (der: Uint8Array): JsonValue => ({ Raw: encodeBase64(der) })
  const certificate = keyMaterial.kind === 'certificate' ? keyMaterial : undefined
  return formatJsonLine({
    Base64Signature: encodeBase64(signature),
    Payload: encodeBase64(payload ?? new Uint8Array()),
    Cert: certificate === undefined ? null : raw(certificate.leaf),
    Chain: certificate === undefined || certificate.chain.length === 0 ? null : certificate.chain.map(raw),
    Bundle: annotation(layer, signatureAnnotation.rekorBundle),
    RFC3161Timestamp: annotation(layer, signatureAnnotation.timestamp),
  })
}

function annotation({ annotations }: FoundSignature['layer'], name: string): JsonValue {
  const text = annotations?.[name] ?? ''
  return text === '' ? null : parseJson(text, name)
}
