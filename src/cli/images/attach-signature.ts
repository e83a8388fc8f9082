/** `attach signature` and `attach attestation`: what was signed elsewhere, put beside the image. */
import { claimsToBeBundle, readBundle } from '../../bundle/bundle.ts'
import { inTotoPayloadType, parseEnvelopeFields } from '../../bundle/dsse.ts'
import { parseCertificateFile, parseSignatureFile, parseTimestampFile, readRekorBundle } from '../../bundle/legacy-bundle.ts'
import type { KeyMaterial, LogEntry, SignedEntity } from '../../bundle/signed-entity.ts'
import { parseSimpleSigning } from '../../bundle/simple-signing.ts'
import type { Statement } from '../../bundle/statement.ts'
import { parseStatement } from '../../bundle/statement.ts'
import { parseRekorV1Entry } from '../../api/rekor-v1.ts'
import { asBuffer, excerpt } from '../../encoding/bytes.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { splitJsonObjects } from '../../encoding/json-documents.ts'
import { CountersignError, UsageError, VerificationError } from '../../error.ts'
import { encodeImagePayload } from '../../oci/image-statement.ts'
import { parseReference } from '../../oci/reference.ts'
import { storeBundle, storeLayer } from '../../oci/store-signatures.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { printableLine } from '../quote.ts'
import { readPiped } from '../signing/piped-input.ts'
import { readInputFile } from '../verification/input-file.ts'
import type { FoundImage } from './image-input.ts'
import { findImage } from './image-input.ts'
import type { RegistryFlags } from './registries.ts'
import { connectRegistries } from './registries.ts'
import { isTrue } from '../flag-values.ts'
import type { SigningTarget } from './signing-targets.ts'
import { creationTime } from './storing.ts'

export interface AttachSignatureFlags extends RegistryFlags {
  readonly certificate: string
  readonly 'certificate-chain': string
  readonly payload: string
  readonly 'rekor-response': string
  readonly signature: string
  readonly tsr: string
}

export interface AttachAttestationFlags extends RegistryFlags {
  readonly attestation: readonly string[]
}

const maxBytes = 128 * 1024 * 1024

/**
 * Attaches a signature: a payload and its signature with what proves it, or a bundle. Nothing is verified, but that it is about this
 * image: what is about another one would never be found to be valid.
 * @throws UsageError USAGE; VerificationError ARTIFACT_MISMATCH; DecodingError; as `findImage`, `storeLayer` and `storeBundle`
 */
export async function attachSignature(context: CommandContext, flags: AttachSignatureFlags, image: string): Promise<void> {
  const target = await findTarget(context, flags, image)
  const given = flags.payload === '' ? undefined : readInputFile(context.cwd, flags.payload, 'the payload', maxBytes)
  const bundle = given === undefined || flags.signature !== '' ? undefined : asBundle(given)
  if (bundle !== undefined && given !== undefined) return attachBundle(context, target, given, bundle)
  if (flags.signature === '')
    throw new UsageError('USAGE', 'name the signature with --signature (- for standard input), or a Sigstore bundle with --bundle')
  const payload = given ?? impliedPayload(context, target.image)
  const { dockerManifestDigest } = parseSimpleSigning(payload)
  if (dockerManifestDigest !== target.image.descriptor.digest) throw otherImage('the payload', dockerManifestDigest, target.image)
  const signature =
    flags.signature === '-'
      ? await readPiped(context, 'the signature', maxBytes)
      : readInputFile(context.cwd, flags.signature, 'the signature', maxBytes)
  const entity: SignedEntity = {
    content: { kind: 'message-signature', signature: parseSignatureFile(signature), digest: undefined },
    keyMaterial: readKeyMaterial(context, flags),
    logEntries: flags['rekor-response'] === '' ? [] : [readLogEntry(context, flags['rekor-response'])],
    timestamps: flags.tsr === '' ? [] : [parseTimestampFile(readInputFile(context.cwd, flags.tsr, 'the timestamp', maxBytes))],
    format: 'legacy',
  }
  await storeLayer(target.signatures, target.image.descriptor.digest, {
    kind: 'signature',
    contents: payload,
    entity,
    ...layerOptions(context, flags),
  })
}

/**
 * Attaches attestations: DSSE envelopes, any number in a file, or bundles.
 * @throws as `attachSignature`
 */
export async function attachAttestations(context: CommandContext, flags: AttachAttestationFlags, image: string): Promise<void> {
  if (flags.attestation.length === 0) throw new UsageError('USAGE', 'name the files with the envelopes with --attestation')
  const target = await findTarget(context, flags, image)
  for (const file of flags.attestation) {
    context.stderr.write(`Using payload from: ${printableLine(file)}\n`)
    for (const document of splitJsonObjects(readInputFile(context.cwd, file, 'the attestation', maxBytes), `the attestation ${file}`)) {
      try {
        const bundle = asBundle(document)
        await (bundle === undefined ? attachEnvelope(context, flags, target, document) : attachBundle(context, target, document, bundle))
      } catch (cause) {
        if (!(cause instanceof CountersignError)) throw cause
        throw new CountersignError(cause.code, `attaching payload from ${file}: ${cause.message}`, { cause })
      }
    }
  }
}

async function attachEnvelope(context: CommandContext, flags: RegistryFlags, target: SigningTarget, envelope: Uint8Array): Promise<void> {
  const fields = new JsonFields(parseJson(envelope, 'the envelope'), 'envelope', 'BUNDLE_INVALID')
  const type = fields.optionalString('payloadType') ?? ''
  if (type !== inTotoPayloadType)
    throw new UsageError('USAGE', `invalid payloadType ${excerpt(type)} on envelope. Expected ${inTotoPayloadType}`)
  const content = parseEnvelopeFields(fields, 'several')
  const { predicateType } = checkStatement(content.payload, target.image)
  await storeLayer(target.signatures, target.image.descriptor.digest, {
    kind: 'attestation',
    contents: envelope,
    entity: { content, keyMaterial: { kind: 'none' }, logEntries: [], timestamps: [], format: 'legacy' },
    predicateType,
    ...layerOptions(context, flags),
  })
}

/** To the byte as it was given. */
async function attachBundle(
  context: CommandContext,
  { image, signatures }: SigningTarget,
  bundle: Uint8Array,
  { content }: SignedEntity,
): Promise<void> {
  if (content.kind !== 'dsse-envelope')
    throw new UsageError('USAGE', 'the bundle is of the signature of a file, and those of images hold a statement')
  const { predicateType } = checkStatement(content.payload, image)
  await storeBundle(signatures, image.descriptor, {
    bundle: asBuffer(bundle).toString('utf8'),
    content: 'dsse-envelope',
    predicateType,
    created: creationTime(context),
  })
}

async function findTarget(context: CommandContext, flags: RegistryFlags, text: string): Promise<SigningTarget> {
  const reference = parseReference(text)
  const registries = connectRegistries(context, flags)
  return { image: await findImage(registries.open(reference), reference), signatures: registries.signaturesOf(reference) }
}

function layerOptions(context: CommandContext, flags: RegistryFlags): { tagPrefix: string; dockerTypes: boolean; signal: AbortSignal } {
  return {
    tagPrefix: flags['attachment-tag-prefix'],
    dockerTypes: isTrue(context.env['COSIGN_DOCKER_MEDIA_TYPES']),
    signal: context.signal,
  }
}

/** As cosign: what "generate" prints for the image by its digest. */
function impliedPayload(context: CommandContext, { repository, descriptor }: FoundImage): Uint8Array {
  warn(
    context,
    `using obsolete implied signature payload data (with digested reference ${repository}@${descriptor.digest}); specify it explicitly with --payload instead`,
  )
  return encodeImagePayload({ digest: descriptor.digest }, repository)
}

function asBundle(contents: Uint8Array): SignedEntity | undefined {
  let json
  try {
    json = parseJson(contents, 'the bundle')
  } catch {
    // A payload need not be JSON; what it is then, whoever reads it as a payload says.
    return undefined
  }
  return isJsonObject(json) && claimsToBeBundle(json) ? readBundle(json, { allowCertificateChain: true }) : undefined
}

function checkStatement(payload: Uint8Array, image: FoundImage): Statement {
  const statement = parseStatement(payload)
  const [algorithm = '', hex] = image.descriptor.digest.split(':')
  if (statement.subjects.some(({ digests }) => digests.get(algorithm)?.toLowerCase() === hex)) return statement
  throw otherImage('the attestation', `${statement.subjects.length} subjects without its digest`, image)
}

function otherImage(what: string, about: string, { name, descriptor }: FoundImage): VerificationError {
  return new VerificationError('ARTIFACT_MISMATCH', `${what} is about ${excerpt(about, 100)}, and ${name} is ${descriptor.digest}`)
}

function readKeyMaterial(context: CommandContext, flags: AttachSignatureFlags): KeyMaterial {
  const { certificate, 'certificate-chain': chain } = flags
  if (certificate === '') {
    if (chain !== '') throw new UsageError('USAGE', '--certificate-chain is the chain of a certificate: name that with --certificate')
    return { kind: 'none' }
  }
  const [leaf, ...others] = parseCertificateFile(readInputFile(context.cwd, certificate, 'the certificate', maxBytes), 'the certificate')
  if (leaf === undefined || others.length > 0) throw new UsageError('USAGE', `the certificate ${certificate} should be one certificate`)
  const authorities =
    chain === '' ? [] : parseCertificateFile(readInputFile(context.cwd, chain, 'the certificate chain', maxBytes), 'the certificate chain')
  return { kind: 'certificate', leaf, chain: authorities }
}

/** The log's own answer, or what cosign keeps of it. */
function readLogEntry(context: CommandContext, file: string): LogEntry {
  const contents = readInputFile(context.cwd, file, 'the log entry', maxBytes)
  const json = parseJson(contents, `the log entry ${file}`)
  if (isJsonObject(json) && 'SignedEntryTimestamp' in json) return readRekorBundle(new JsonFields(json, 'rekorBundle', 'LOG_ENTRY_INVALID'))
  return parseRekorV1Entry(contents).entry
}
