/**
 * Trust material: the keys and authorities of a trusted root, parsed and imported once and used for any number of
 * verifications. What does not depend on a bundle, such as an intermediate's own signature, is checked once and kept.
 */
import type { PublicKey } from '../crypto/public-key.ts'
import { parsePkcs1PublicKey, parsePublicKey } from '../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { signatureAlgorithmFromKeyDetails } from '../crypto/signature.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { CountersignError, DecodingError } from '../error.ts'
import type { Checkpoint } from '../merkle/checkpoint.ts'
import type { Certificate } from '../x509/certificate.ts'
import { parseCertificate } from '../x509/certificate.ts'
import * as oid from '../x509/object-identifiers.ts'
import type { CertificateAuthority } from '../x509/authority.ts'
import { createCertificateAuthority } from '../x509/authority.ts'
import type { TimeWindow } from './time-window.ts'
import type { AuthorityInstance, LogInstance, TrustedRoot } from './trusted-root.ts'
import { parseTrustedRoot, trustedRootLines } from './trusted-root.ts'

/** Everything a verification trusts. Make one and reuse it. */
export interface TrustMaterial {
  readonly logs: readonly TrustedLog[]
  readonly certificateTransparencyLogs: readonly TrustedLog[]
  readonly certificateAuthorities: readonly TrustedCertificateAuthority[]
  readonly timestampAuthorities: readonly TrustedTimestampAuthority[]
  /** Instances left out because their key is of a kind that is not supported: one line each. */
  readonly unusable: readonly string[]
  /**
   * Further trusted roots, without further ones of their own. Each is a world of its own: a signature holds where it holds under one of them
   * by itself, and what one says is no use under another.
   */
  readonly otherRoots?: readonly TrustMaterial[]
}

/** The trusted root and the further ones, each alone. */
export function rootsOf(trust: TrustMaterial): readonly TrustMaterial[] {
  return [trust, ...(trust.otherRoots ?? [])]
}

/** A transparency log or CT log. */
export interface TrustedLog {
  readonly baseUrl: string
  /** Host of `baseUrl`, in lower case: the name a Rekor v2 log signs its checkpoints with. */
  readonly host: string
  readonly key: PublicKey
  readonly algorithm: SignatureAlgorithm
  readonly window: TimeWindow
  readonly logId: Uint8Array
  readonly checkpointKeyId: Uint8Array | undefined
  /** Whom a threshold counts: the operator where it is stated, otherwise the log itself. */
  readonly operator: string
  /** Checkpoints whose signature was already checked, by their text. Bounded: the oldest goes first. */
  readonly checkedCheckpoints: Map<string, Checkpoint>
}

export interface TrustedCertificateAuthority {
  readonly uri: string
  readonly window: TimeWindow
  readonly authority: CertificateAuthority
  /**
   * `fulcio` is an authority of a trusted root: leaves with Fulcio's extensions must follow Fulcio's certificate profile. `own` is one
   * that the user brought as certificate files, whose leaves may say what they like beside. (`verify/certificate.ts` has the rule.)
   */
  readonly profile: 'fulcio' | 'own'
}

export interface TrustedTimestampAuthority {
  readonly uri: string
  readonly window: TimeWindow
  readonly operator: string
  /** The certificate that signs, where the chain begins with it; otherwise tokens must bring one that the CA issued. */
  readonly leaf: Certificate | undefined
  readonly authority: CertificateAuthority
}

/** Trust in nothing: for verification with a key alone. */
export const emptyTrustMaterial: TrustMaterial = {
  logs: [],
  certificateTransparencyLogs: [],
  certificateAuthorities: [],
  timestampAuthorities: [],
  unusable: [],
}

/**
 * Loads trust material from the JSON of a trusted root, or of several, one a line (`gh attestation trusted-root` writes such a file).
 * @throws DecodingError JSON_INVALID, TOO_LARGE, TRUSTED_ROOT_INVALID
 */
export function loadTrustMaterial(trustedRoot: Uint8Array | string, parts: TrustParts = {}): TrustMaterial {
  const lines = trustedRootLines(trustedRoot)
  if (lines === undefined) return createTrustMaterial(parseTrustedRoot(trustedRoot), parts)
  const [first = emptyTrustMaterial, ...otherRoots] = lines.map((line, index) => {
    try {
      return createTrustMaterial(parseTrustedRoot(line), parts)
    } catch (cause) {
      if (!(cause instanceof DecodingError)) throw cause
      throw new DecodingError(cause.code, `root ${index + 1} of the ${lines.length} in the file: ${cause.message}`, { cause })
    }
  })
  return { ...first, otherRoots }
}

/** Parts of a trusted root that may be left out, for a process that verifies one bundle which has no use for them. */
export interface TrustParts {
  /** Default true. */
  readonly timestampAuthorities?: boolean
  /** Certificate authorities and CT logs; default true. */
  readonly certificates?: boolean
}

/**
 * Parses the keys and certificates of a trusted root. An instance with a key of an unsupported kind is left out and
 * noted; a key or certificate that is malformed makes the whole root invalid.
 * @throws DecodingError TRUSTED_ROOT_INVALID
 */
export function createTrustMaterial(root: TrustedRoot, parts: TrustParts = {}): TrustMaterial {
  const unusable: string[] = []
  const load = <Instance, Loaded>(instances: readonly Instance[], what: string, loadOne: (instance: Instance) => Loaded): Loaded[] =>
    instances.flatMap((instance, index) => {
      try {
        return [loadOne(instance)]
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error
        const where = `${what} ${index + 1} of the trusted root`
        if (error.code !== 'KEY_UNSUPPORTED')
          throw new DecodingError('TRUSTED_ROOT_INVALID', `${where}: ${error.message}`, { cause: error })
        unusable.push(`${where} is not used: ${error.message}`)
        return []
      }
    })
  return {
    logs: load(root.transparencyLogs, 'transparency log', loadLog),
    certificateTransparencyLogs: parts.certificates === false ? [] : load(root.certificateTransparencyLogs, 'CT log', loadLog),
    certificateAuthorities:
      parts.certificates === false ? [] : load(root.certificateAuthorities, 'certificate authority', loadCertificateAuthority),
    timestampAuthorities:
      parts.timestampAuthorities === false ? [] : load(root.timestampAuthorities, 'timestamp authority', loadTimestampAuthority),
    unusable,
  }
}

/**
 * The log with this key identifier (protobuf-specs: `logId`, or `checkpointKeyId` where a root states it). There are several where a root
 * trusts a key in several windows.
 */
export function findLogs(logs: readonly TrustedLog[], keyId: Uint8Array): readonly TrustedLog[] {
  const found = logs.filter((log) => equalBytes(log.logId, keyId))
  return found.length > 0 ? found : logs.filter((log) => log.checkpointKeyId !== undefined && equalBytes(log.checkpointKeyId, keyId))
}

/** Makes a timestamp authority from certificates in chain order, the anchor last. */
export function createTimestampAuthority(
  certificates: readonly Certificate[],
  instance: { readonly uri: string; readonly window: TimeWindow; readonly operator: string },
): TrustedTimestampAuthority {
  const [first] = certificates
  const leaf = first !== undefined && first.basicConstraints?.ca !== true ? first : undefined
  const authority = createCertificateAuthority(
    certificates.length > 1 && leaf !== undefined ? certificates.slice(1) : certificates,
    oid.timeStamping,
  )
  return { ...instance, leaf, authority }
}

function loadLog(instance: LogInstance): TrustedLog {
  const isPkcs1 = instance.keyDetails.startsWith('PKCS1_')
  const key = isPkcs1 ? parsePkcs1PublicKey(instance.keyBytes) : parsePublicKey(instance.keyBytes)
  return {
    baseUrl: instance.baseUrl,
    // Asked for only by entries of Rekor v2.
    get host() {
      return hostOf(instance.baseUrl)
    },
    key,
    algorithm: signatureAlgorithmFromKeyDetails(instance.keyDetails, key),
    window: instance.window,
    logId: instance.logId,
    checkpointKeyId: instance.checkpointKeyId,
    operator: instance.operator === '' ? encodeHex(instance.logId) : instance.operator,
    checkedCheckpoints: new Map(),
  }
}

function loadCertificateAuthority(instance: AuthorityInstance): TrustedCertificateAuthority {
  const chain = instance.certificates.map(parseCertificate)
  return { uri: instance.uri, window: instance.window, authority: createCertificateAuthority(chain, oid.codeSigning), profile: 'fulcio' }
}

function loadTimestampAuthority(instance: AuthorityInstance): TrustedTimestampAuthority {
  const certificates = instance.certificates.map(parseCertificate)
  const [first] = instance.certificates
  const operator = instance.operator === '' ? encodeHex((first ?? new Uint8Array(0)).slice(-16)) : instance.operator
  return createTimestampAuthority(certificates, { uri: instance.uri, window: instance.window, operator })
}

function hostOf(baseUrl: string): string {
  // URL would be the obvious way, and costs a process that verifies one file two milliseconds. Scheme-less base URLs are allowed
  // (protobuf-specs, TransparencyLogInstance.base_url).
  const match = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?:\/|$)/.exec(baseUrl)
  return (match?.[1] ?? '').toLowerCase()
}
