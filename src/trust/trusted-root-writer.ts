/** Trusted roots as every Sigstore client reads them: proto3 JSON of the old media type, which all known ones have. */
import { noteKeyHash } from '../merkle/signed-note.ts'
import { digest } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { keyDetailsOf } from '../crypto/signature.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { UsageError } from '../error.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { describeName } from '../x509/name.ts'
import type { TimeWindow } from './time-window.ts'
import { encodeTimeWindow } from './time-window.ts'
import type { AuthorityInstance, LogInstance, TrustedRoot } from './trusted-root.ts'
import { trustedRootMediaTypes } from './trusted-root.ts'

/** A log to be trusted. */
export interface LogDescription {
  readonly api: 'rekor-v1' | 'rekor-v2' | 'ct'
  /** May be empty where the log is of another API than Rekor v2, or has an origin. */
  readonly baseUrl: string
  /** The name under which the log signs checkpoints, where its identifier is made of that. Default for Rekor v2 the host of `baseUrl`. */
  readonly origin?: string | undefined
  readonly publicKey: PublicKey
  readonly window: TimeWindow
}

/**
 * The instance of a log in a trusted root. The identifier of a log with an origin is the whole hash that its checkpoint key ID is
 * cut from, and of other logs the SHA-256 of the key.
 * @throws UsageError USAGE for a key without a name in protobuf-specs, or a base URL that is none
 */
export function createLogInstance({ api, baseUrl, publicKey, window, origin }: LogDescription): LogInstance {
  if ((baseUrl !== '' || (api === 'rekor-v2' && origin === undefined)) && !URL.canParse(baseUrl))
    throw new UsageError('USAGE', `the base URL of a log should be a URL, found ${baseUrl}`)
  const name = origin ?? (api === 'rekor-v2' ? new URL(baseUrl).hostname : undefined)
  return {
    baseUrl,
    keyBytes: publicKey.spki,
    keyDetails: keyDetailsOf(publicKey),
    window,
    logId: name === undefined ? digest('sha256', publicKey.spki) : noteKeyHash(name, publicKey),
    checkpointKeyId: undefined,
    operator: '',
  }
}

/** What a trusted root is made of. */
export type TrustedRootParts = Omit<TrustedRoot, 'mediaType'>

/** A trusted root of the media type that every client takes. */
export function createTrustedRoot(parts: TrustedRootParts): TrustedRoot {
  return { mediaType: trustedRootMediaTypes[0], ...parts }
}

/** TransparencyLogInstance of protobuf-specs, as JSON. */
interface LogInstanceJson {
  readonly baseUrl: string
  readonly hashAlgorithm: string
  readonly publicKey: object
  readonly logId: { readonly keyId: string }
  readonly checkpointKeyId?: { readonly keyId: string }
  readonly operator?: string
}

/**
 * The trusted root as JSON with an indent, fields in the order of protobuf-specs. Authorities are named after their anchor.
 * @throws DecodingError CERTIFICATE_INVALID for an anchor that cannot be parsed
 */
export function encodeTrustedRoot(root: TrustedRoot): string {
  return `${JSON.stringify(trustedRootJson(root), undefined, 2)}\n`
}

/** The trusted root as a JSON object, to be part of another document. Throws as `encodeTrustedRoot`. */
export function trustedRootJson(root: TrustedRoot): object {
  return {
    mediaType: root.mediaType,
    tlogs: root.transparencyLogs.map(logJson),
    certificateAuthorities: root.certificateAuthorities.map(authorityJson),
    ctlogs: root.certificateTransparencyLogs.map(logJson),
    timestampAuthorities: root.timestampAuthorities.map(authorityJson),
  }
}

function logJson(log: LogInstance): LogInstanceJson {
  return {
    baseUrl: log.baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: encodeBase64(log.keyBytes), keyDetails: log.keyDetails, validFor: encodeTimeWindow(log.window) },
    logId: { keyId: encodeBase64(log.logId) },
    ...(log.checkpointKeyId === undefined ? {} : { checkpointKeyId: { keyId: encodeBase64(log.checkpointKeyId) } }),
    ...(log.operator === '' ? {} : { operator: log.operator }),
  }
}

function authorityJson({ uri, certificates, window, operator }: AuthorityInstance): object {
  const anchor = certificates.at(-1)
  const { commonName, organization } = anchor === undefined ? {} : describeName(parseCertificate(anchor).subject)
  return {
    subject: { ...(organization === undefined ? {} : { organization }), ...(commonName === undefined ? {} : { commonName }) },
    uri,
    certChain: { certificates: certificates.map((der) => ({ rawBytes: encodeBase64(der) })) },
    validFor: encodeTimeWindow(window),
    ...(operator === '' ? {} : { operator }),
  }
}
