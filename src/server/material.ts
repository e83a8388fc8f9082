/** Everything secret and lasting that a server is made of: its keys and the certificates over them. */
import { randomBytes } from 'node:crypto'
import type { KeyKind, PrivateKey } from '../crypto/private-key.ts'
import { generatePrivateKey } from '../crypto/private-key.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { createIssuingCertificate, createRootCertificate, createTimestampingCertificate } from '../x509/authority-templates.ts'
import { maxNameCharacters } from '../x509/certificate-writer.ts'
import type { Certificate } from '../x509/certificate.ts'
import { parseCertificate } from '../x509/certificate.ts'
import type { LogState } from './tile-log/log.ts'

/** A key with its certificates. Instants are epoch milliseconds. */
export interface CertifiedKey {
  readonly key: PrivateKey
  /** DER; the certificate of the key first, the root last. */
  readonly chain: readonly Uint8Array[]
  readonly since: number
  readonly until?: number | undefined
  /** Those before it, whose signatures stay valid; the newest first. */
  readonly earlier?: readonly EarlierChain[]
}

/** Certificates whose key is not used any more. */
export interface EarlierChain {
  readonly chain: readonly Uint8Array[]
  readonly since: number
  readonly until: number
}

/**
 * The chains of before whose windows reach the beginning of the next one, the newest first. Those that were cut off earlier, because their
 * keys leaked, can only be trusted by who knows their windows.
 */
export function uncutChains({ since, earlier = [] }: Pick<CertifiedKey, 'since' | 'earlier'>): (readonly Uint8Array[])[] {
  return earlier.filter(({ until }, at) => until >= (earlier[at - 1]?.since ?? since)).map(({ chain }) => chain)
}

/** The roots of all chains that clients trust to this day, each once, the one in use first. */
export function trustedRoots(certified: Pick<CertifiedKey, 'chain' | 'since' | 'earlier'>): Uint8Array[] {
  const roots = [certified.chain, ...uncutChains(certified)].flatMap((chain) => chain.slice(-1))
  return roots.filter((root, at) => roots.findIndex((other) => equalBytes(other, root)) === at)
}

/** A log's key and name. */
export interface LogMaterial {
  /** What identifies it in storage, such as `rekor-v2-1`. */
  readonly id: string
  readonly kind: 'ctlog' | 'rekor-v1' | 'rekor-v2'
  /** The host name in its checkpoints. */
  readonly origin: string
  readonly key: PrivateKey
  readonly state: LogState
  readonly since: number
  readonly until?: number | undefined
  /** Rekor v1 only. */
  readonly treeId?: bigint | undefined
}

/** The keys of the TUF repository; undefined where they are kept offline. */
export interface TufKeys {
  readonly root: PrivateKey | undefined
  readonly targets: PrivateKey | undefined
  readonly snapshot: PrivateKey
  readonly timestamp: PrivateKey
}

export interface ServerMaterial {
  readonly ca: CertifiedKey
  readonly tsa: CertifiedKey
  readonly logs: readonly LogMaterial[]
  readonly tuf: TufKeys
  /** 32 bytes that the issuer's own keys are encrypted with. */
  readonly issuerSecret: Uint8Array
}

/** New material, with the keys of the two roots, which are needed again only to issue the next intermediate. */
export interface NewMaterial extends ServerMaterial {
  readonly roots: { readonly ca: PrivateKey | undefined; readonly tsa: PrivateKey }
}

export interface MaterialOptions {
  /** What clients reach the server by. */
  readonly hostname: string
  readonly now: number
  /** The key of the root; P-384 by default. */
  readonly rootKey?: KeyKind
  /** The key that issues; P-256 by default, because each P-384 signature costs every verifier ten times a P-256 one. */
  readonly issuingKey?: KeyKind
  /** An authority that exists already, instead of a new one. */
  readonly existingCa?: Pick<CertifiedKey, 'key' | 'chain'>
}

const day = 86_400_000
/** Certificates have whole seconds, and clocks differ a little: windows start before the first use. */
const headStartMs = 60_000

/** Makes the material of a new server. */
export function createMaterial(options: MaterialOptions): NewMaterial {
  const { hostname, now } = options
  const since = startOfWindow(now)
  const { rootKey = 'ecdsa-p384', issuingKey = 'ecdsa-p256' } = options
  const ca =
    options.existingCa === undefined
      ? createAuthority('ca', { hostname, since, rootKey, key: issuingKey })
      : { ...options.existingCa, since, rootKey: undefined }
  const tsa = createAuthority('tsa', { hostname, since, ...tsaKeys })
  const log = (kind: LogMaterial['kind']): LogMaterial => createLogMaterial(kind, { id: `${kind}-1`, origin: hostname, since })
  return {
    ca: { key: ca.key, chain: ca.chain, since },
    tsa: { key: tsa.key, chain: tsa.chain, since },
    logs: [log('ctlog'), log('rekor-v1'), log('rekor-v2')],
    tuf: {
      root: generatePrivateKey('ecdsa-p256'),
      targets: generatePrivateKey('ecdsa-p256'),
      snapshot: generatePrivateKey('ecdsa-p256'),
      timestamp: generatePrivateKey('ecdsa-p256'),
    },
    issuerSecret: randomBytes(32),
    roots: { ca: ca.rootKey, tsa: tsa.rootKey },
  }
}

/** When the window of a key begins that is used from now on, in epoch milliseconds. */
export function startOfWindow(now: number): number {
  return Math.floor((now - headStartMs) / 1000) * 1000
}

/** A new log, with a key of its own. */
export function createLogMaterial(kind: LogMaterial['kind'], named: Pick<LogMaterial, 'id' | 'origin' | 'since'>): LogMaterial {
  const treeId = kind === 'rekor-v1' ? randomTreeId() : undefined
  return { ...named, kind, key: generatePrivateKey(logKeys[kind]), state: 'active', treeId }
}

/** Clients know ECDSA and RSA only for SCTs; the public Rekor v2 has Ed25519, Rekor v1 P-256. */
const logKeys: Readonly<Record<LogMaterial['kind'], KeyKind>> = { ctlog: 'ecdsa-p256', 'rekor-v1': 'ecdsa-p256', 'rekor-v2': 'ed25519' }

/** The kinds of a timestamp authority's keys: sigstore-js verifies timestamps of ECDSA keys only. */
export const tsaKeys = { rootKey: 'ecdsa-p384', key: 'ecdsa-p256' } as const

/** The certificate authority or the timestamp authority. */
export type Authority = 'ca' | 'tsa'

/** What a new key of an authority is to be. */
export interface NewAuthorityKey {
  readonly hostname: string
  /** When its certificate begins, in epoch milliseconds. */
  readonly since: number
  readonly key: KeyKind
}

const templates = {
  ca: { create: createIssuingCertificate, name: 'countersign intermediate', root: 'countersign root', days: 3 * 365 },
  tsa: { create: createTimestampingCertificate, name: 'countersign tsa', root: 'countersign tsa root', days: 10 * 365 },
} as const

/** A new key with a new root above it. */
export function createAuthority(
  authority: Authority,
  options: NewAuthorityKey & { readonly rootKey: KeyKind },
): Pick<CertifiedKey, 'key' | 'chain'> & { readonly rootKey: PrivateKey } {
  const rootKey = generatePrivateKey(options.rootKey)
  const rootName = { organization: organizationOf(options.hostname), commonName: templates[authority].root }
  const certificate = createRootCertificate({ ...rootName, ...lifetime(options.since, 10 * 365) }, rootKey.createSigner())
  return { ...certifyKey(authority, options, { key: rootKey, certificate: parseCertificate(certificate) }), rootKey }
}

/** A new key under a root that exists; its certificate does not outlive the root's. */
export function certifyKey(
  authority: Authority,
  { hostname, since, key: kind }: NewAuthorityKey,
  root: { readonly key: PrivateKey; readonly certificate: Certificate },
): Pick<CertifiedKey, 'key' | 'chain'> {
  const { create, name, days } = templates[authority]
  const key = generatePrivateKey(kind)
  const { notAfterMs, ...rest } = lifetime(since, days)
  const certificate = create(
    { organization: organizationOf(hostname), commonName: name, ...rest, notAfterMs: Math.min(notAfterMs, root.certificate.notAfter) },
    key.publicKey,
    { signer: root.key.createSigner(), name: root.certificate.subject },
  )
  return { key, chain: [certificate, root.certificate.bytes] }
}

/** A host name may be longer than a name in a certificate: then the labels that fit, from its end. */
function organizationOf(hostname: string): string {
  if (hostname.length <= maxNameCharacters) return hostname
  const cut = hostname.slice(-maxNameCharacters - 1)
  return cut.slice(cut.indexOf('.') + 1)
}

function lifetime(since: number, days: number): { notBeforeMs: number; notAfterMs: number; serialNumber: Uint8Array } {
  return { notBeforeMs: since, notAfterMs: since + days * day, serialNumber: randomSerial() }
}

/** 20 bytes, positive (RFC 5280 section 4.1.2.2). */
function randomSerial(): Uint8Array {
  const serial = randomBytes(20)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial
}

/** Positive, and of 19 digits at most, as Trillian's are. */
function randomTreeId(): bigint {
  return BigInt.asUintN(62, randomBytes(8).readBigUInt64BE()) + 1n
}
