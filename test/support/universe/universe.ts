/**
 * The test universe: a Sigstore of its own, whose bundles may be bent in any single place *before* they are signed, so
 * that exactly one thing is wrong with them. Built without the code it tests but for its encoders.
 */
import { createHash } from 'node:crypto'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { CertificateOptions, SctOptions, SubjectName, TestCertificate } from './certificates.ts'
import { codeSigning, distinguishedName, issue, pemOf, timeStamping } from './certificates.ts'
import type { KeyKind, TestKey } from './keys.ts'
import { keyDetailsOf, namedKey, newKey, signWith } from './keys.ts'
import type { EntryOptions, TestLog } from './logs.ts'
import { canonical, logEntry, rekorV1, rekorV2 } from './logs.ts'
import type { TimestampOptions } from './timestamps.ts'
import { timestamp } from './timestamps.ts'

export type Json = Record<string, unknown>

/** When everything in the universe happens: certificates are issued at this instant. */
export const epoch = Date.UTC(2026, 0, 15, 12, 0, 0)
const minute = 60_000
const day = 24 * 60 * minute
const year = 365 * day

export const identity = 'https://github.com/universe/app/.github/workflows/release.yml@refs/heads/main'
export const issuer = 'https://token.actions.universe.test'
export const artifactBytes: Uint8Array = encodeUtf8('an artifact of the universe\n')
export const predicateType = 'https://slsa.dev/provenance/v1'

export interface UniverseOptions {
  readonly rootKey?: KeyKind
  readonly issuingKey?: KeyKind
  readonly ctKey?: KeyKind
  readonly timestampKey?: KeyKind
  readonly logKey?: KeyKind
  /** Distinguishes the keys of one universe from those of another. */
  readonly name?: string
}

export interface Universe {
  readonly root: TestCertificate
  readonly intermediate: TestCertificate
  readonly ctLog: TestKey
  readonly rekor: TestLog
  readonly tiles: TestLog
  readonly timestampRoot: TestCertificate
  readonly timestampLeaf: TestCertificate
  /** The trusted root as JSON; `bend` may change it. */
  trustedRoot(bend?: (root: TrustedRootJson) => void): string
}

export interface InstanceJson {
  baseUrl: string
  hashAlgorithm: string
  publicKey: { rawBytes: string; keyDetails: string; validFor?: { start?: string; end?: string } }
  logId: { keyId: string }
  checkpointKeyId?: { keyId: string }
  operator?: string
}

export interface AuthorityJson {
  subject: { organization: string; commonName: string }
  uri: string
  certChain: { certificates: { rawBytes: string }[] }
  validFor?: { start?: string; end?: string }
  operator?: string
}

export interface TrustedRootJson {
  mediaType: string
  tlogs: InstanceJson[]
  certificateAuthorities: AuthorityJson[]
  ctlogs: InstanceJson[]
  timestampAuthorities: AuthorityJson[]
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const sha = (algorithm: string, ...parts: Uint8Array[]): Uint8Array =>
  createHash(algorithm)
    .update(concatBytes(...parts))
    .digest()
const iso = (instant: number): string => new Date(instant).toISOString()

const universes = new Map<string, Universe>()

/** The universe with these options: made once. Its keys are like the public instance's, a P-384 CA above P-256 leaves. */
export function universeOf(options: UniverseOptions = {}): Universe {
  const known = universes.get(JSON.stringify(options))
  if (known !== undefined) return known
  const made = createUniverse(options)
  universes.set(JSON.stringify(options), made)
  return made
}

function createUniverse(options: UniverseOptions): Universe {
  const key = (role: string, kind: KeyKind): TestKey => namedKey(`${options.name ?? ''} ${role}`, kind)
  const validity = { notBefore: epoch - year, notAfter: epoch + 9 * year }
  const root = issue({ key: key('root', options.rootKey ?? 'p384'), name: 'root', ca: true, ...validity })
  const intermediate = issue(
    {
      key: key('intermediate', options.issuingKey ?? 'p384'),
      name: 'intermediate',
      ca: true,
      pathLength: 0,
      extendedKeyUsage: [codeSigning],
      ...validity,
    },
    root,
  )
  const ctLog = key('ct log', options.ctKey ?? 'p256')
  const rekor = rekorV1(key('rekor', options.logKey ?? 'p256'))
  const tiles = rekorV2(key('tiles', 'ed25519'))
  const timestampRoot = issue({ key: key('tsa root', 'p384'), name: 'tsa-root', ca: true, ...validity })
  const timestampLeaf = issue(
    {
      key: key('tsa', options.timestampKey ?? 'p256'),
      name: 'tsa',
      extendedKeyUsage: [timeStamping],
      extendedKeyUsageCritical: true,
      ...validity,
    },
    timestampRoot,
  )
  const validFor = (): { start: string } => ({ start: iso(epoch - year) })
  const instance = (log: TestLog): InstanceJson => ({
    baseUrl: log.baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(log.key.spki), keyDetails: keyDetailsOf(log.key.kind), validFor: validFor() },
    logId: { keyId: base64(log.logId) },
  })
  const authority = (commonName: string, chain: readonly TestCertificate[]): AuthorityJson => ({
    subject: { organization: 'universe.test', commonName },
    uri: `https://${commonName}.universe.test`,
    certChain: { certificates: chain.map(({ der }) => ({ rawBytes: base64(der) })) },
    validFor: validFor(),
  })
  return {
    root,
    intermediate,
    ctLog,
    rekor,
    tiles,
    timestampRoot,
    timestampLeaf,
    trustedRoot(bend) {
      const json: TrustedRootJson = {
        mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
        tlogs: [instance(rekor), instance(tiles)],
        certificateAuthorities: [authority('fulcio', [intermediate, root])],
        ctlogs: [
          {
            baseUrl: 'https://ct.universe.test',
            hashAlgorithm: 'SHA2_256',
            publicKey: { rawBytes: base64(ctLog.spki), keyDetails: keyDetailsOf(ctLog.kind), validFor: validFor() },
            logId: { keyId: base64(sha('sha256', ctLog.spki)) },
          },
        ],
        timestampAuthorities: [authority('tsa', [timestampLeaf, timestampRoot])],
      }
      bend?.(json)
      return JSON.stringify(json)
    },
  }
}

export interface SigningOptions {
  readonly universe?: Universe
  readonly version?: '0.1' | '0.2' | '0.3'
  /** `application/vnd.dev.sigstore.bundle+json;version=…` instead of `….bundle.v…+json`. */
  readonly oldMediaType?: boolean
  /** The signer's key. */
  readonly key?: TestKey
  /** Signs with a managed key instead of a certificate. */
  readonly managed?: boolean
  readonly subjects?: readonly SubjectName[]
  readonly oidcIssuer?: string
  /** Changes the certificate before it is issued. */
  readonly certificate?: Partial<CertificateOptions>
  /** Who issues it; the intermediate by default. */
  readonly issuedBy?: TestCertificate
  /** SCTs; one by the CT log by default. */
  readonly scts?: readonly Partial<SctOptions>[]
  /** Where it is logged. */
  readonly log?: 'v1' | 'v2' | 'none'
  readonly entry?: EntryOptions
  /** Changes the body of the entry before the log sees it. */
  readonly bendBody?: (body: EntryParts) => EntryParts
  /** Replaces the body as a whole. */
  readonly body?: object
  /** Timestamps; one with a v2 log, none with v1 by default. */
  readonly timestamps?: readonly Partial<TimestampOptions & { over: Uint8Array; signer: TestCertificate }>[]
  /** Digest of the signature, where it is not the key's usual one. */
  readonly digest?: 'sha256' | 'sha384' | 'sha512'
  /** Kind of the log entry of an attestation. */
  readonly attestationKind?: 'dsse 0.0.1' | 'intoto 0.0.2' | 'hashedrekord 0.0.2' | 'dsse 0.0.2'
  /** Kind of the log entry of a plain signature. */
  readonly messageKind?: 'hashedrekord' | 'rekord'
  /** Further certificates behind the leaf. */
  readonly chain?: readonly Uint8Array[]
  readonly hint?: string
}

/** What an entry speaks of. */
export interface EntryParts {
  readonly digest: Uint8Array
  readonly digestAlgorithm: 'sha256' | 'sha384' | 'sha512'
  readonly signature: Uint8Array
  /** DER of the certificate or SubjectPublicKeyInfo. */
  readonly verifier: Uint8Array
  readonly verifierKind: 'certificate' | 'public-key'
  readonly keyDetails: string
}

export interface SignedBundle {
  readonly bundle: Json
  readonly json: string
  readonly universe: Universe
  readonly artifact: Uint8Array
  readonly key: TestKey
  /** DER; empty for a managed key. */
  readonly certificate: Uint8Array
  readonly signature: Uint8Array
  /** DER of the timestamps. */
  readonly tokens: readonly Uint8Array[]
}

/** Signs an artifact. */
export function signBlob(options: SigningOptions = {}, artifact: Uint8Array = artifactBytes): SignedBundle {
  const key = options.key ?? namedKey('signer')
  const digestAlgorithm = options.digest ?? usualDigest(key)
  const signature = signWith(key, artifact, key.kind === 'ed25519' ? null : digestAlgorithm)
  const logged: SignedContent = { signature, digest: sha(digestAlgorithm, artifact), digestAlgorithm }
  const kind = options.messageKind ?? 'hashedrekord'
  const content = {
    messageSignature: {
      messageDigest: { algorithm: digestAlgorithm.replace('sha', 'SHA2_'), digest: base64(logged.digest) },
      signature: base64(signature),
    },
  }
  return assemble(options, artifact, key, content, logged, (parts, log) =>
    log === 'v2' ? bodyV2(parts) : kind === 'rekord' ? rekordBody(parts) : hashedrekordBody(parts),
  )
}

/** The statement about the artifact that `signStatement` signs. */
export function statementAbout(artifact: Uint8Array = artifactBytes, bend: Json = {}): Json {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'app', digest: { sha256: Buffer.from(sha('sha256', artifact)).toString('hex') } }],
    predicateType,
    predicate: { buildDefinition: {} },
    ...bend,
  }
}

/** Signs an attestation in a DSSE envelope. */
export function signStatement(
  options: SigningOptions & { readonly statement?: Json | string; readonly payloadType?: string; readonly keyid?: string } = {},
  artifact: Uint8Array = artifactBytes,
): SignedBundle {
  const key = options.key ?? namedKey('signer')
  const statement = options.statement ?? statementAbout(artifact)
  const payload = encodeUtf8(typeof statement === 'string' ? statement : JSON.stringify(statement))
  const payloadType = options.payloadType ?? 'application/vnd.in-toto+json'
  const pae = concatBytes(encodeUtf8(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload)
  const digestAlgorithm = options.digest ?? usualDigest(key)
  const signature = signWith(key, pae, key.kind === 'ed25519' ? null : digestAlgorithm)
  const kind = options.attestationKind ?? (options.log === 'v2' ? 'hashedrekord 0.0.2' : 'dsse 0.0.1')
  const hashed = kind === 'hashedrekord 0.0.2' ? pae : payload
  const entryDigest = kind === 'hashedrekord 0.0.2' ? digestAlgorithm : 'sha256'
  const logged: SignedContent = { signature, digest: sha(entryDigest, hashed), digestAlgorithm: entryDigest }
  const content = {
    dsseEnvelope: {
      payload: base64(payload),
      payloadType,
      signatures: [{ sig: base64(signature), ...(options.keyid === undefined ? {} : { keyid: options.keyid }) }],
    },
  }
  return assemble(options, artifact, key, content, logged, (parts) => {
    if (kind === 'hashedrekord 0.0.2') return bodyV2(parts)
    if (kind === 'dsse 0.0.2') return dsseBodyV2(parts)
    return kind === 'intoto 0.0.2' ? intotoBody(parts, payloadType) : dsseBody(parts)
  })
}

interface SignedContent {
  readonly signature: Uint8Array
  readonly digest: Uint8Array
  readonly digestAlgorithm: EntryParts['digestAlgorithm']
}

/** cosign's local bundle of a signature that Rekor v1 has logged. */
export function legacyBundle(signed: SignedBundle, cert?: string): Json {
  const entries = (signed.bundle['verificationMaterial'] as { tlogEntries?: Json[] }).tlogEntries ?? []
  const entry = entries[0] as
    | { inclusionPromise?: { signedEntryTimestamp: string }; canonicalizedBody: string; integratedTime: string; logIndex: string }
    | undefined
  return {
    base64Signature: base64(signed.signature),
    cert: cert ?? base64(encodeUtf8(pemOf(signed.certificate))),
    ...(entry === undefined
      ? {}
      : {
          rekorBundle: {
            SignedEntryTimestamp: entry.inclusionPromise?.signedEntryTimestamp,
            Payload: {
              body: entry.canonicalizedBody,
              integratedTime: Number(entry.integratedTime),
              logIndex: Number(entry.logIndex),
              logID: Buffer.from(signed.universe.rekor.logId).toString('hex'),
            },
          },
        }),
  }
}

/** Issues a signing certificate of the universe. */
export function issueLeaf(options: SigningOptions = {}): TestCertificate {
  const universe = options.universe ?? universeOf()
  const oidcIssuer = options.oidcIssuer ?? issuer
  const by = options.issuedBy ?? universe.intermediate
  const scts = (options.scts ?? [{}]).map((sct) => ({ log: universe.ctLog, time: epoch + 1000, ...sct }))
  return issue(
    {
      key: options.key ?? namedKey('signer'),
      notBefore: epoch,
      notAfter: epoch + 10 * minute,
      subjects: options.subjects ?? [{ uri: identity }],
      sigstore: { 1: oidcIssuer, 8: oidcIssuer },
      scts,
      ...options.certificate,
    },
    by,
  )
}

function assemble(
  options: SigningOptions,
  artifact: Uint8Array,
  key: TestKey,
  content: Json,
  logged: SignedContent,
  bodyOf: (parts: EntryParts, log: 'v1' | 'v2') => object,
): SignedBundle {
  const universe = options.universe ?? universeOf()
  const version = options.version ?? '0.3'
  const leaf = options.managed === true ? undefined : issueLeaf({ ...options, universe, key })
  const log = options.log ?? 'v1'
  const parts: EntryParts = {
    ...logged,
    verifier: leaf?.der ?? key.spki,
    verifierKind: leaf === undefined ? 'public-key' : 'certificate',
    keyDetails: keyDetailsOf(key.kind),
  }
  const body = options.body ?? bodyOf(options.bendBody?.(parts) ?? parts, log === 'v2' ? 'v2' : 'v1')
  const entryOptions = { integratedTime: (epoch + minute) / 1000, ...options.entry }
  const entries = log === 'none' ? [] : [logEntry(log === 'v1' ? universe.rekor : universe.tiles, body, entryOptions)]
  const tokens = (options.timestamps ?? (log === 'v2' ? [{}] : [])).map(({ over, signer, ...rest }) =>
    timestamp(over ?? logged.signature, signer ?? universe.timestampLeaf, {
      genTime: epoch + minute,
      issuerName: distinguishedName('tsa-root'),
      ...rest,
    }),
  )
  const bundle: Json = {
    mediaType:
      options.oldMediaType === true
        ? `application/vnd.dev.sigstore.bundle+json;version=${version}`
        : `application/vnd.dev.sigstore.bundle.v${version}+json`,
    verificationMaterial: {
      ...keyMaterial(options, version, leaf, key),
      ...(entries.length === 0 ? {} : { tlogEntries: entries }),
      ...(tokens.length === 0
        ? {}
        : { timestampVerificationData: { rfc3161Timestamps: tokens.map((token) => ({ signedTimestamp: base64(token) })) } }),
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
    signature: logged.signature,
    tokens,
  }
}

function keyMaterial(options: SigningOptions, version: string, leaf: TestCertificate | undefined, key: TestKey): Json {
  if (leaf === undefined) return { publicKey: { hint: options.hint ?? base64(sha('sha256', key.spki)) } }
  const certificate = { rawBytes: base64(leaf.der) }
  if (version === '0.3' && options.chain === undefined) return { certificate }
  return { x509CertificateChain: { certificates: [certificate, ...(options.chain ?? []).map((der) => ({ rawBytes: base64(der) }))] } }
}

function usualDigest(key: TestKey): 'sha256' | 'sha384' | 'sha512' {
  return key.kind === 'p384' ? 'sha384' : key.kind === 'p521' ? 'sha512' : 'sha256'
}

function pemVerifier({ verifier, verifierKind }: EntryParts): string {
  return base64(encodeUtf8(pemOf(verifier, verifierKind === 'certificate' ? 'CERTIFICATE' : 'PUBLIC KEY')))
}

function hexDigest({ digest, digestAlgorithm }: EntryParts): Json {
  return { algorithm: digestAlgorithm, value: Buffer.from(digest).toString('hex') }
}

function hashedrekordBody(parts: EntryParts): object {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: { data: { hash: hexDigest(parts) }, signature: { content: base64(parts.signature), publicKey: { content: pemVerifier(parts) } } },
  }
}

function rekordBody(parts: EntryParts): object {
  return {
    apiVersion: '0.0.1',
    kind: 'rekord',
    spec: {
      data: { hash: hexDigest(parts) },
      signature: { format: 'x509', content: base64(parts.signature), publicKey: { content: pemVerifier(parts) } },
    },
  }
}

function dsseBody(parts: EntryParts): object {
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: '00'.repeat(32) },
      payloadHash: hexDigest(parts),
      signatures: [{ signature: base64(parts.signature), verifier: pemVerifier(parts) }],
    },
  }
}

function intotoBody(parts: EntryParts, payloadType: string): object {
  return {
    apiVersion: '0.0.2',
    kind: 'intoto',
    spec: {
      content: {
        envelope: { payloadType, signatures: [{ publicKey: pemVerifier(parts), sig: base64(encodeUtf8(base64(parts.signature))) }] },
        hash: { algorithm: 'sha256', value: '00'.repeat(32) },
        payloadHash: hexDigest(parts),
      },
    },
  }
}

function protobufVerifier({ verifier, verifierKind, keyDetails }: EntryParts): Json {
  return { keyDetails, [verifierKind === 'certificate' ? 'x509Certificate' : 'publicKey']: { rawBytes: base64(verifier) } }
}

function protobufDigest({ digest, digestAlgorithm }: EntryParts): Json {
  return { algorithm: digestAlgorithm.replace('sha', 'SHA2_'), digest: base64(digest) }
}

function bodyV2(parts: EntryParts): object {
  return {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: { data: protobufDigest(parts), signature: { content: base64(parts.signature), verifier: protobufVerifier(parts) } },
    },
  }
}

function dsseBodyV2(parts: EntryParts): object {
  return {
    apiVersion: '0.0.2',
    kind: 'dsse',
    spec: {
      dsseV002: {
        payloadHash: protobufDigest(parts),
        signatures: [{ content: base64(parts.signature), verifier: protobufVerifier(parts) }],
      },
    },
  }
}

export { canonical, newKey, namedKey }
