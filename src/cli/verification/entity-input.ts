/** The signed entity of a verification: a Sigstore bundle, cosign's local bundle, or a signature and certificate in files. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { claimsToBeBundle, parseBundleLines, readBundle } from '../../bundle/bundle.ts'
import { parseEnvelope } from '../../bundle/dsse.ts'
import type { LegacyBundle } from '../../bundle/legacy-bundle.ts'
import {
  claimsToBeLegacyBundle,
  parseCertificateFile,
  parseSignatureFile,
  parseTimestampFile,
  readLegacyBundle,
} from '../../bundle/legacy-bundle.ts'
import type { KeyMaterial, SignedEntity } from '../../bundle/signed-entity.ts'
import { asBuffer, encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { parseJson } from '../../encoding/json.ts'
import { CountersignError, DecodingError, UsageError } from '../../error.ts'
import { withoutSecrets } from '../../http/address.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from './input-file.ts'

export interface EntityFlags {
  readonly bundle: string
  readonly signature: string
  readonly certificate: string
  readonly 'rfc3161-timestamp': string
  readonly 'allow-certificate-chain': boolean
  readonly 'new-bundle-format': boolean
}

/** What was found, and whether it is one of the formats from before bundles. */
export interface LoadedEntity {
  readonly entities: readonly SignedEntity[]
  readonly isLegacy: boolean
  /** The text of an envelope that is not part of a bundle: entries of Rekor v1 hold its digest. */
  readonly envelope?: Uint8Array
}

/** The largest attestation cosign takes. */
const maxBundleBytes = 128 * 1024 * 1024
/** Of anything that is given in a file of its own. */
export const maxFileBytes = 128 * 1024 * 1024

/**
 * The bundle beside an artifact, when the user named none: `x.sigstore.json`, then `x.sigstore` (client specification
 * 4.1.1). Empty when there is none.
 */
export function discoverBundle(context: CommandContext, artifact: string): string {
  return bundlesBeside(artifact).find((name) => existsSync(resolve(context.cwd, name))) ?? ''
}

/** Where the bundle of an artifact is looked for. None for what has no name, or no place in the file system. */
export function bundlesBeside(artifact: string): readonly string[] {
  if (artifact === '' || artifact === '-' || /^https?:\/\//.test(artifact)) return []
  return [`${artifact}.sigstore.json`, `${artifact}.sigstore`]
}

/** What a separate signature is: one over the artifact, the envelope of an attestation, or whichever it turns out to be. */
export type SignatureKind = 'message' | 'attestation' | 'either'

/** Loads the entity that the flags describe. */
export async function loadEntity(context: CommandContext, flags: EntityFlags, kind: SignatureKind, hasKey: boolean): Promise<LoadedEntity> {
  if (flags.bundle === '') return loadSeparateFiles(context, flags, kind, undefined, hasKey)
  const contents = readInputFile(context.cwd, flags.bundle, 'the bundle', maxBundleBytes)
  try {
    if (isBundleLines(flags.bundle)) {
      return { entities: parseBundleLines(new TextDecoder().decode(contents), bundleOptions(flags)), isLegacy: false }
    }
    const json = parseJson(contents, 'the bundle')
    if (claimsToBeBundle(json)) return { entities: [readBundle(json, bundleOptions(flags))], isLegacy: false }
    if (!claimsToBeLegacyBundle(json)) {
      throw new DecodingError(
        'BUNDLE_INVALID',
        'it is neither a Sigstore bundle (no mediaType of one) nor a local bundle of cosign 1 or 2 (no base64Signature)',
      )
    }
    return await loadSeparateFiles(context, flags, kind, readLegacyBundle(json), hasKey)
  } catch (cause) {
    if (!(cause instanceof DecodingError)) throw cause
    const { describeMistake } = await import('./mistaken-file.ts')
    const mistake = describeMistake(contents, 'a Sigstore bundle', 'a local bundle of cosign 1 or 2')
    throw new DecodingError(cause.code, `the bundle ${flags.bundle} cannot be used: ${mistake ?? cause.message}`, { cause })
  }
}

function isBundleLines(file: string): boolean {
  return file.endsWith('.jsonl')
}

function bundleOptions(flags: EntityFlags): { readonly allowCertificateChain: boolean } {
  return { allowCertificateChain: flags['allow-certificate-chain'] }
}

async function loadSeparateFiles(
  context: CommandContext,
  flags: EntityFlags,
  kind: SignatureKind,
  bundle: LegacyBundle | undefined,
  hasKey: boolean,
): Promise<LoadedEntity> {
  const signature = flags.signature === '' ? bundle?.signature : await readSignature(context, flags.signature, kind)
  if (signature === undefined) throw new UsageError('USAGE', "missing flag '--signature'")
  const isEnvelope = kind === 'attestation' || (kind === 'either' && resemblesEnvelope(signature))
  const content: SignedEntity['content'] = isEnvelope
    ? parseEnvelope(signature)
    : { kind: 'message-signature', signature, digest: undefined }
  const timestampFile = flags['rfc3161-timestamp']
  const entity: SignedEntity = {
    content,
    keyMaterial: await readKeyMaterial(context, flags, bundle, hasKey),
    logEntries: bundle?.logEntry === undefined ? [] : [bundle.logEntry],
    timestamps:
      timestampFile === '' ? [] : [parseTimestampFile(readInputFile(context.cwd, timestampFile, 'the RFC 3161 timestamp', maxFileBytes))],
    format: 'legacy',
  }
  return { entities: [entity], isLegacy: true, ...(isEnvelope ? { envelope: signature } : {}) }
}

/** A signature or an envelope: a path, a URL, or the base64 text itself. @throws TransportError, DecodingError */
export async function readSignature(context: CommandContext, reference: string, kind: SignatureKind): Promise<Uint8Array> {
  const contents = await readReference(context, reference, 'the signature')
  if (kind === 'message') return parseSignatureFile(contents)
  // An envelope is JSON; the local bundle and some scripts hold it in base64.
  return (kind === 'attestation' ? beginsObject(contents) : resemblesEnvelope(contents)) ? contents : parseSignatureFile(contents)
}

/** A signature may begin with any byte, and yet is never JSON with a payload. */
export function resemblesEnvelope(contents: Uint8Array): boolean {
  return beginsObject(contents) && asBuffer(contents).includes('"payload"')
}

/** Whether the first byte, or the first behind white space of JSON, is a brace. */
function beginsObject(contents: Uint8Array): boolean {
  return contents.find((octet) => octet !== 0x20 && octet !== 0x0a && octet !== 0x0d && octet !== 0x09) === 0x7b
}

/** A file, a URL, or the contents themselves in base64. @throws TransportError */
export async function readReference(context: CommandContext, reference: string, what: string): Promise<Uint8Array> {
  if (existsSync(resolve(context.cwd, reference))) return readInputFile(context.cwd, reference, what, maxFileBytes)
  if (/^https?:\/\//.test(reference)) {
    const { fetchBytes } = await import('../../http/fetch.ts')
    return fetchBytes(reference, { maxBytes: maxFileBytes, env: context.env, signal: context.signal })
  }
  const decoded = Buffer.from(reference, 'base64')
  if (reference.length >= 16 && decoded.toString('base64') === reference) return encodeUtf8(reference)
  // Not there and not base64: the message that a missing file gets.
  return readInputFile(context.cwd, reference, what, maxFileBytes)
}

async function readKeyMaterial(
  context: CommandContext,
  flags: EntityFlags,
  bundle: LegacyBundle | undefined,
  hasKey: boolean,
): Promise<KeyMaterial> {
  const own = flags.certificate === '' ? undefined : await readCertificate(context, flags.certificate)
  const bundled = bundle?.certificate
  if (own !== undefined && bundled !== undefined && own[0] !== undefined && !equalBytes(own[0], bundled)) {
    throw new UsageError('USAGE', 'the cert passed in does not match the cert in the provided bundle')
  }
  const [leaf, ...chain] = own ?? (bundled === undefined ? [] : [bundled])
  if (leaf !== undefined) return { kind: 'certificate', leaf, chain }
  if (!hasKey && bundle !== undefined) {
    throw new UsageError(
      'USAGE',
      bundle.holdsPublicKey
        ? 'bundle does not contain cert for verification, please provide public key: it holds a public key, which is not to be trusted because it came with the signature (pass the key you trust with --key)'
        : 'bundle does not contain cert for verification, please provide public key',
    )
  }
  return { kind: 'none' }
}

/** The certificates of a file or an address, the signer's first. @throws TransportError, DecodingError CERTIFICATE_INVALID */
export async function readCertificate(context: CommandContext, reference: string): Promise<Uint8Array[]> {
  const contents = await readReference(context, reference, 'the certificate')
  try {
    return parseCertificateFile(contents, 'the certificate')
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new DecodingError('CERTIFICATE_INVALID', `the certificate ${withoutSecrets(reference)} cannot be used: ${cause.message}`, {
      cause,
    })
  }
}
