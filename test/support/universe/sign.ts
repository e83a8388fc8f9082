/** Whole bundles: signed, certified, logged and timestamped in a universe, with any single part bent before that. */
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { CertificateOptions, SubjectName, TestCertificate } from './certificates.ts'
import { issue } from './certificates.ts'
import type { EntryParts } from './entry-bodies.ts'
import {
  dsseBody,
  dsseBodyV2,
  firstIntotoBody,
  hashedrekordBody,
  hashedrekordBodyV2,
  intotoBody,
  protobufAlgorithm,
  rekordBody,
} from './entry-bodies.ts'
import type { DigestName, TestKey } from './keys.ts'
import { digestOf, keyDetailsOf, namedKey, signPrehashed, signWith, usualDigest } from './keys.ts'
import type { EntryJson, EntryOptions } from './logs.ts'
import { logEntry } from './logs.ts'
import type { SctOptions } from './scts.ts'
import type { Universe } from './services.ts'
import { universeOf } from './services.ts'
import type { TimestampOptions } from './timestamps.ts'
import { timestamp } from './timestamps.ts'

/** JSON that a test may take apart. A type, not an interface: only types fit `Record<string, unknown>`. */
export type Json = Record<string, unknown>

/** The subject of every certificate unless a test says otherwise: the workflow that signs. */
export const identity = 'https://github.com/universe/app/.github/workflows/release.yml@refs/heads/main'
/** The OIDC issuer of that subject. */
export const issuer = 'https://token.actions.universe.test'
/** The artifact of every signature unless a test says otherwise. */
export const artifactBytes: Uint8Array = encodeUtf8('an artifact of the universe\n')
/** Of `statementAbout`. */
export const predicateType = 'https://slsa.dev/provenance/v1'

const minute = 60_000

/** What is different in a bundle; everything is consistent with it unless it says otherwise. */
export interface SigningOptions {
  readonly universe?: Universe
  readonly version?: '0.1' | '0.2' | '0.3'
  /** `application/vnd.dev.sigstore.bundle+json;version=…` instead of `….bundle.v…+json`. */
  readonly oldMediaType?: boolean
  /** The signer's key. */
  readonly key?: TestKey
  /** Signs with a managed key instead of a certificate. */
  readonly managed?: boolean
  /** Signs with Ed25519ph and SHA-512, as Rekor v1 asks of Ed25519 keys. */
  readonly prehashed?: boolean
  /** Makes the signature with another key, while everything else speaks of `key`. */
  readonly signer?: TestKey
  /** Makes the signature over other bytes, while everything else speaks of the artifact or statement. */
  readonly signs?: Uint8Array
  readonly subjects?: readonly SubjectName[]
  readonly oidcIssuer?: string
  /** Changes the certificate before it is issued. */
  readonly certificate?: Partial<CertificateOptions>
  /** A certificate that is there already; nothing else is said about it then. */
  readonly issued?: TestCertificate
  /** Who issues it; the intermediate by default. */
  readonly issuedBy?: TestCertificate
  /** SCTs; one by the CT log by default. */
  readonly scts?: readonly Partial<SctOptions>[]
  /** Where it is logged. */
  readonly log?: 'v1' | 'v2' | 'both' | 'none'
  readonly entry?: EntryOptions
  /** Changes the body of the entry before the log sees it. */
  readonly bendBody?: (body: EntryParts) => EntryParts
  /** Replaces the body as a whole. */
  readonly body?: object | string
  /** Timestamps; one with a v2 log, none with v1 by default. */
  readonly timestamps?: readonly Partial<TimestampOptions & { over: Uint8Array; signer: TestCertificate }>[]
  /** Digest of the signature, where it is not the key's usual one. */
  readonly digest?: DigestName
  /** Kind of the log entry of an attestation. In `both` logs it is that of the v1 entry. */
  readonly attestationKind?: 'dsse 0.0.1' | 'intoto 0.0.1' | 'intoto 0.0.2' | 'hashedrekord 0.0.2' | 'dsse 0.0.2'
  /** Kind of the log entry of a plain signature. */
  readonly messageKind?: 'hashedrekord' | 'rekord'
  /** Further certificates behind the leaf. */
  readonly chain?: readonly Uint8Array[]
  readonly hint?: string
}

/** What is different in an attestation. */
export interface StatementOptions extends SigningOptions {
  /** As text when its spelling matters. */
  readonly statement?: Json | string
  readonly payloadType?: string
  readonly keyid?: string
}

/** A bundle, and what it was made of. */
export interface SignedBundle {
  readonly bundle: Json
  readonly json: string
  readonly universe: Universe
  readonly artifact: Uint8Array
  readonly key: TestKey
  /** DER; empty for a managed key. */
  readonly certificate: Uint8Array
  readonly signature: Uint8Array
  /** The log entries as they are in the bundle. */
  readonly entries: readonly EntryJson[]
  /** DER of the timestamps. */
  readonly tokens: readonly Uint8Array[]
}

type Generation = 'v1' | 'v2'
type LoggedContent = Pick<EntryParts, 'digest' | 'digestAlgorithm' | 'envelopeHash'>

/** What is signed, before certificate, log and timestamp come to it. */
interface Signing {
  readonly artifact: Uint8Array
  readonly key: TestKey
  readonly signature: Uint8Array
  /** `messageSignature` or `dsseEnvelope`. */
  readonly content: Json
  loggedIn(generation: Generation): { readonly content: LoggedContent; readonly body: (parts: EntryParts) => object }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Signs an artifact. */
export function signBlob(options: SigningOptions = {}, artifact: Uint8Array = artifactBytes): SignedBundle {
  const key = options.key ?? namedKey('signer')
  const digestAlgorithm = digestFor(options, key)
  const signature = signatureOver(options.signs ?? artifact, options, key)
  const content = { digest: digestOf(digestAlgorithm, artifact), digestAlgorithm }
  const messageDigest = { algorithm: protobufAlgorithm(digestAlgorithm), digest: base64(content.digest) }
  const bodyV1 = options.messageKind === 'rekord' ? rekordBody : hashedrekordBody
  return assemble(options, {
    artifact,
    key,
    signature,
    content: { messageSignature: { messageDigest, signature: base64(signature) } },
    loggedIn: (generation) => ({ content, body: generation === 'v2' ? hashedrekordBodyV2 : bodyV1 }),
  })
}

/** The statement about the artifact that `signStatement` signs. */
export function statementAbout(artifact: Uint8Array = artifactBytes, bend: Json = {}): Json {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'app', digest: { sha256: Buffer.from(digestOf('sha256', artifact)).toString('hex') } }],
    predicateType,
    predicate: { buildDefinition: {} },
    ...bend,
  }
}

/** Signs an attestation in a DSSE envelope. */
export function signStatement(options: StatementOptions = {}, artifact: Uint8Array = artifactBytes): SignedBundle {
  const key = options.key ?? namedKey('signer')
  const { statement = statementAbout(artifact), payloadType = 'application/vnd.in-toto+json', keyid } = options
  const payload = encodeUtf8(typeof statement === 'string' ? statement : JSON.stringify(statement))
  const pae = concatBytes(encodeUtf8(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload)
  const signature = signatureOver(options.signs ?? pae, options, key)
  const envelope = {
    payload: base64(payload),
    payloadType,
    signatures: [{ sig: base64(signature), ...(keyid === undefined ? {} : { keyid }) }],
  }
  const envelopeHash = digestOf('sha256', encodeUtf8(JSON.stringify(envelope)))
  return assemble(options, {
    artifact,
    key,
    signature,
    content: { dsseEnvelope: envelope },
    loggedIn: (generation) => {
      const kind = attestationKind(options, generation)
      if (kind === 'hashedrekord 0.0.2') {
        const digestAlgorithm = digestFor(options, key)
        return { content: { digest: digestOf(digestAlgorithm, pae), digestAlgorithm }, body: hashedrekordBodyV2 }
      }
      const content = { digest: digestOf('sha256', payload), digestAlgorithm: 'sha256', envelopeHash } as const
      if (kind === 'dsse 0.0.2') return { content, body: dsseBodyV2 }
      if (kind === 'intoto 0.0.1') return { content, body: firstIntotoBody }
      return { content, body: kind === 'intoto 0.0.2' ? (parts) => intotoBody(parts, payloadType) : dsseBody }
    },
  })
}

/** Issues a signing certificate of the universe. */
export function issueLeaf(options: SigningOptions = {}): TestCertificate {
  const universe = options.universe ?? universeOf()
  const oidcIssuer = options.oidcIssuer ?? issuer
  return issue(
    {
      key: options.key ?? namedKey('signer'),
      notBefore: universe.time,
      notAfter: universe.time + 10 * minute,
      subjects: options.subjects ?? [{ uri: identity }],
      sigstore: { 1: oidcIssuer, 8: oidcIssuer },
      scts: (options.scts ?? [{}]).map((sct) => ({ log: universe.ctLog, time: universe.time + 1000, ...sct })),
      ...options.certificate,
    },
    options.issuedBy ?? universe.intermediate,
  )
}

function assemble(options: SigningOptions, signing: Signing): SignedBundle {
  const { artifact, key, signature, content } = signing
  const universe = options.universe ?? universeOf()
  const version = options.version ?? '0.3'
  const leaf = options.managed === true ? undefined : (options.issued ?? issueLeaf({ ...options, universe, key }))
  const happensAt = universe.time + minute

  const entries = generationsOf(options).map((generation) => {
    const logged = signing.loggedIn(generation)
    const parts: EntryParts = {
      ...logged.content,
      signature,
      verifier: leaf?.der ?? key.spki,
      verifierKind: leaf === undefined ? 'public-key' : 'certificate',
      keyDetails: keyDetailsOf(key.kind),
    }
    const body = options.body ?? logged.body(options.bendBody?.(parts) ?? parts)
    return logEntry(generation === 'v1' ? universe.rekor : universe.tiles, body, { integratedTime: happensAt / 1000, ...options.entry })
  })
  const tokens = (options.timestamps ?? (options.log === 'v2' ? [{}] : [])).map(({ over, signer, ...rest }) =>
    timestamp(over ?? signature, signer ?? universe.timestampLeaf, { genTime: happensAt, ...rest }),
  )
  const rfc3161Timestamps = tokens.map((token) => ({ signedTimestamp: base64(token) }))
  const bundle: Json = {
    mediaType:
      options.oldMediaType === true
        ? `application/vnd.dev.sigstore.bundle+json;version=${version}`
        : `application/vnd.dev.sigstore.bundle.v${version}+json`,
    verificationMaterial: {
      ...keyMaterial(options, version, leaf, key),
      ...(entries.length === 0 ? {} : { tlogEntries: entries }),
      ...(tokens.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps } }),
    },
    ...content,
  }
  return {
    bundle,
    json: JSON.stringify(bundle),
    universe,
    artifact,
    key,
    certificate: leaf?.der ?? new Uint8Array(0),
    signature,
    entries,
    tokens,
  }
}

function signatureOver(data: Uint8Array, options: SigningOptions, key: TestKey): Uint8Array {
  const signer = options.signer ?? key
  return options.prehashed === true ? signPrehashed(signer, data) : signWith(signer, data, options.digest ?? usualDigest(signer))
}

function digestFor(options: SigningOptions, key: TestKey): DigestName {
  return options.digest ?? (options.prehashed === true ? 'sha512' : usualDigest(key))
}

function attestationKind(options: SigningOptions, generation: Generation): NonNullable<SigningOptions['attestationKind']> {
  const isSecond = options.log === 'both' && generation === 'v2'
  return (isSecond ? undefined : options.attestationKind) ?? (generation === 'v2' ? 'hashedrekord 0.0.2' : 'dsse 0.0.1')
}

function generationsOf({ log = 'v1' }: SigningOptions): readonly Generation[] {
  if (log === 'none') return []
  return log === 'both' ? ['v1', 'v2'] : [log]
}

function keyMaterial(options: SigningOptions, version: string, leaf: TestCertificate | undefined, key: TestKey): Json {
  if (leaf === undefined) return { publicKey: { hint: options.hint ?? base64(digestOf('sha256', key.spki)) } }
  const certificate = { rawBytes: base64(leaf.der) }
  if (version === '0.3' && options.chain === undefined) return { certificate }
  return { x509CertificateChain: { certificates: [certificate, ...(options.chain ?? []).map((der) => ({ rawBytes: base64(der) }))] } }
}
