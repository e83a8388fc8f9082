/** `bundle create`: a Sigstore bundle of what cosign 1 and 2 wrote. */
import { parseBundle } from '../../bundle/bundle.ts'
import { checkFitsBundle, encodeBundle } from '../../bundle/encode-bundle.ts'
import type { LogEntry, SignedEntity } from '../../bundle/signed-entity.ts'
import { digest } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { keyHint } from '../../crypto/public-key.ts'
import { loadEd25519ph } from '../../crypto/signature.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { UsageError, VerificationError } from '../../error.ts'
import type { Artifact } from '../../verify/artifact.ts'
import { digestsNeeded, mayUseEd25519 } from '../../verify/digests-needed.ts'
import { verifyEntryContent } from '../../verify/log-entry-content.ts'
import type { Policy } from '../../verify/policy.ts'
import { verifyContent } from '../../verify/signature.ts'
import { signerOf } from '../../verify/signer.ts'
import { parseTimestampResponse } from '../../x509/timestamp-token.ts'
import type { CommandContext } from '../context.ts'
import { checkDocumentOutput, writeDocument } from '../document-output.ts'
import { securityKeyRefusal } from '../flag-groups.ts'
import { checkUrl } from '../trust/service-spec.ts'
import { loadArtifact } from '../verification/artifact-input.ts'
import { loadEntity } from '../verification/entity-input.ts'
import { loadPublicKey } from '../verification/key-input.ts'
import type { Log } from '../verification/log-search.ts'
import type { LoggedSignature } from '../verification/possible-entries.ts'
import type { BundleCreateFlags } from './bundle-flags.ts'
import { completeEntry, findEntry } from './logged-entry.ts'

/**
 * Makes a bundle and writes or prints it.
 * @throws UsageError USAGE; TransportError FILE_UNREADABLE, FILE_UNWRITABLE, NETWORK_FAILED; DecodingError for malformed material;
 * VerificationError SIGNATURE_INVALID, ARTIFACT_MISMATCH, LOG_ENTRY_MISMATCH, … where the parts do not belong together;
 * CountersignError NOT_FOUND for a signature that the log does not have
 */
export async function createBundle(context: CommandContext, flags: BundleCreateFlags): Promise<void> {
  const output = { out: flags.out, what: 'bundle' }
  const log = checkFlags(context, flags)
  checkDocumentOutput(context, output)
  const key = flags.key === '' ? undefined : await loadPublicKey(context, flags.key)
  const { entity, envelope } = await loadMaterial(context, flags, key)
  if (mayUseEd25519(entity, key)) await loadEd25519ph()
  const artifact = await loadArtifact(context, flags.artifact, () => digestsNeeded(entity, key))
  const policy: Policy = { artifact, signer: key === undefined ? { kind: 'certificate', identities: [] } : { kind: 'key', key } }
  const signer = signerOf(entity, policy)
  verifyContent(entity, signer, policy)
  checkTimestamps(entity)
  const logEntries = await loggedEntries({ entity, signer, artifact, envelope }, log)
  const bundle = encodeBundle({ ...withDigest(entity, artifact), logEntries })
  // What is written can be read.
  parseBundle(bundle)
  writeDocument(context, output, bundle)
  if (flags.out === '') context.stdout.write('\n')
}

/** @returns the log to ask, undefined for none */
function checkFlags(context: CommandContext, flags: BundleCreateFlags): Log | undefined {
  if (flags.artifact === '') throw usage('must supply --artifact')
  if (flags.bundle === '' && flags.signature === '' && flags.attestation === '')
    throw usage('must at least supply signature via --bundle or --signature, or an attestation via --attestation')
  if (flags.sk) throw usage(securityKeyRefusal)
  if (flags.key !== '' && flags.certificate !== '')
    throw usage('a signature is made with a certificate or with a key: give --certificate or --key, not both')
  const url = checkUrl(flags['rekor-url'], '--rekor-url')
  return flags['ignore-tlog'] ? undefined : { url, options: { env: context.env, signal: context.signal } }
}

interface Material {
  /** The signature with its certificate or key, an entry of a local bundle, a timestamp. */
  readonly entity: SignedEntity
  /** The text of an attestation's envelope. */
  readonly envelope: Uint8Array | undefined
}

async function loadMaterial(context: CommandContext, flags: BundleCreateFlags, key: PublicKey | undefined): Promise<Material> {
  const files = { 'rfc3161-timestamp': flags['rfc3161-timestamp'], 'allow-certificate-chain': false, 'new-bundle-format': false }
  const main = { ...files, bundle: flags.bundle, certificate: flags.certificate, signature: flags.attestation || flags.signature }
  const kind = flags.attestation === '' ? 'either' : 'attestation'
  const { entities, isLegacy, envelope } = await loadEntity(context, main, kind, key !== undefined)
  const [entity] = entities
  if (!isLegacy || entity === undefined)
    throw usage(`${flags.bundle} is a Sigstore bundle already: "bundle upgrade" makes one of version 0.3 of an older one`)
  checkFitsBundle(entity.content)
  if (flags.attestation !== '' && flags.signature !== '') await checkSameSignature(context, flags, entity)
  const { keyMaterial } = entity
  if (keyMaterial.kind === 'certificate') {
    if (key !== undefined) throw usage(`--key is given, and ${flags.bundle} holds a certificate: a signature is made with one of them`)
    return { entity: { ...entity, keyMaterial: { ...keyMaterial, chain: [] } }, envelope }
  }
  if (key === undefined) throw usage('a bundle says whose the signature is: give the certificate with --certificate, or the key with --key')
  return { entity: { ...entity, keyMaterial: { kind: 'public-key', hint: keyHint(key) } }, envelope }
}

/** Beside an attestation, --signature repeats its signature, or the envelope. */
async function checkSameSignature(context: CommandContext, flags: BundleCreateFlags, { content }: SignedEntity): Promise<void> {
  const alone = { bundle: '', certificate: '', 'rfc3161-timestamp': '', 'allow-certificate-chain': false, 'new-bundle-format': false }
  const { entities } = await loadEntity(context, { ...alone, signature: flags.signature }, 'either', true)
  if (entities.some((other) => equalBytes(other.content.signature, content.signature))) return
  throw new VerificationError('SIGNATURE_INVALID', 'the signature of --signature is not that of --attestation: leave out one of them')
}

/** A timestamp is of the signature; who made it is for verification to say. */
function checkTimestamps({ timestamps, content }: SignedEntity): void {
  for (const timestamp of timestamps) {
    const { imprint } = parseTimestampResponse(timestamp)
    const isOf = (bytes: Uint8Array): boolean => equalBytes(imprint.digest, digest(imprint.algorithm, bytes))
    if (isOf(content.signature)) continue
    const file = content.kind === 'dsse-envelope' ? content.encoded : undefined
    const found =
      file !== undefined && isOf(file)
        ? 'the whole envelope, as cosign 2 had it made, and bundles hold timestamps of signatures: leave out --rfc3161-timestamp'
        : 'something else than the signature'
    throw new VerificationError('TIMESTAMP_UNVERIFIED', `the RFC 3161 timestamp is of ${found}`)
  }
}

async function loggedEntries(signed: LoggedSignature, log: Log | undefined): Promise<LogEntry[]> {
  const { entity, signer, artifact } = signed
  const [own] = entity.logEntries
  if (log === undefined) {
    if (own === undefined) return []
    throw usage('cannot ignore transparency log when the provided bundle contains a Signed Entry Timestamp')
  }
  // Before anybody is asked: an entry about something else is wrong whatever the log says.
  if (own !== undefined) verifyEntryContent(own, inBundle(entity), signer, artifact)
  const entry = own === undefined ? await findEntry(signed, log) : await completeEntry(own, log)
  verifyEntryContent(entry, inBundle(entity), signer, artifact)
  return [entry]
}

/** As whoever reads the bundle has it: without the text of the envelope. */
function inBundle(entity: SignedEntity): SignedEntity {
  const { content } = entity
  if (content.kind !== 'dsse-envelope') return entity
  const { encoded: _, ...envelope } = content
  return { ...entity, content: envelope }
}

/** A bundle says which artifact it is for; where that is known by another digest alone, it is silent. */
function withDigest(entity: SignedEntity, artifact: Artifact): SignedEntity {
  const value = artifact.digest('sha256')
  if (entity.content.kind !== 'message-signature' || value === undefined) return entity
  return { ...entity, content: { ...entity.content, digest: { algorithm: 'sha256', value } } }
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
