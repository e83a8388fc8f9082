/** Everything secret and lasting that a server is made of: its keys and the certificates over them. */
import { randomBytes } from 'node:crypto'
import type { KeyKind, PrivateKey } from '../crypto/private-key.ts'
import { generatePrivateKey } from '../crypto/private-key.ts'
import { createIssuingCertificate, createRootCertificate, createTimestampingCertificate } from '../x509/authority-templates.ts'
import { encodeName } from '../x509/certificate-writer.ts'
import type { LogState } from './tile-log/log.ts'

/** A key with its certificates. Instants are epoch milliseconds. */
export interface CertifiedKey {
  readonly key: PrivateKey
  /** DER; the certificate of the key first, the root last. */
  readonly chain: readonly Uint8Array[]
  readonly since: number
  readonly until?: number | undefined
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
  const since = Math.floor((now - headStartMs) / 1000) * 1000
  const ca = options.existingCa === undefined ? createCa(options, since) : { ...options.existingCa, since, rootKey: undefined }
  const tsa = createTsa(hostname, since)
  const log = (kind: LogMaterial['kind'], key: KeyKind): LogMaterial => {
    const treeId = kind === 'rekor-v1' ? randomTreeId() : undefined
    return { id: `${kind}-1`, kind, origin: hostname, key: generatePrivateKey(key), state: 'active', since, treeId }
  }
  return {
    ca: { key: ca.key, chain: ca.chain, since },
    tsa: { key: tsa.key, chain: tsa.chain, since },
    // Clients know ECDSA and RSA only for SCTs; the public Rekor v2 has Ed25519, Rekor v1 P-256.
    logs: [log('ctlog', 'ecdsa-p256'), log('rekor-v1', 'ecdsa-p256'), log('rekor-v2', 'ed25519')],
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

interface NewAuthority {
  readonly key: PrivateKey
  readonly chain: readonly Uint8Array[]
  readonly rootKey: PrivateKey
}

function createCa({ hostname, rootKey = 'ecdsa-p384', issuingKey = 'ecdsa-p256' }: MaterialOptions, since: number): NewAuthority {
  const root = generatePrivateKey(rootKey)
  const key = generatePrivateKey(issuingKey)
  const rootName = { organization: hostname, commonName: 'countersign root' }
  const rootSigner = root.createSigner()
  const issuing = createIssuingCertificate(
    { organization: hostname, commonName: 'countersign intermediate', ...lifetime(since, 3 * 365) },
    key.publicKey,
    { signer: rootSigner, name: encodeName(rootName) },
  )
  return { key, rootKey: root, chain: [issuing, createRootCertificate({ ...rootName, ...lifetime(since, 10 * 365) }, rootSigner)] }
}

function createTsa(hostname: string, since: number): NewAuthority {
  // sigstore-js verifies timestamps of ECDSA keys only.
  const root = generatePrivateKey('ecdsa-p384')
  const key = generatePrivateKey('ecdsa-p256')
  const rootName = { organization: hostname, commonName: 'countersign tsa root' }
  const rootSigner = root.createSigner()
  const leaf = createTimestampingCertificate(
    { organization: hostname, commonName: 'countersign tsa', ...lifetime(since, 10 * 365) },
    key.publicKey,
    { signer: rootSigner, name: encodeName(rootName) },
  )
  return { key, rootKey: root, chain: [leaf, createRootCertificate({ ...rootName, ...lifetime(since, 10 * 365) }, rootSigner)] }
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
