/** Rekor logs: entries with promise, inclusion proof and checkpoint, in a tree of other leaves. */
import { randomBytes } from 'node:crypto'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { DigestName, TestKey } from './keys.ts'
import { digestOf, signWith } from './keys.ts'

/** A signature line of a note, or what makes one from the note's text. */
export type SignatureLine = string | ((text: string) => string)

/** An entry and what is wrong with it. */
export interface EntryOptions {
  /** Seconds since 1970. Rekor v1 only. */
  readonly integratedTime?: number
  /** The index over all shards. Rekor v1 only; Rekor v2 uses the tree's. */
  readonly logIndex?: number
  readonly treeSize?: number
  readonly leafIndex?: number
  readonly withPromise?: boolean
  readonly withProof?: boolean
  readonly withCheckpoint?: boolean
  /** Further lines of the checkpoint's text. */
  readonly checkpointLines?: readonly string[]
  /** Changes the checkpoint's text before the log signs it. */
  readonly bendCheckpoint?: (text: string) => string
  /** Changes what the promise is over before the log signs it. */
  readonly bendPromise?: (payload: PromisePayload) => object | string
  /** Signature lines before and after the log's own. */
  readonly linesBefore?: readonly SignatureLine[]
  readonly linesAfter?: readonly SignatureLine[]
  /** Whether the log signs its checkpoint; it does by default. */
  readonly withOwnLine?: boolean
  /** Origin and name in the checkpoint, where they should not be the log's. */
  readonly origin?: string
  readonly signerName?: string
  /** The four bytes before the checkpoint's signature, where they should not be the log's. */
  readonly lineKeyId?: Uint8Array
  /** Signs promise and checkpoint with another key, under the log's identifiers. */
  readonly signer?: TestKey
  /** Digest of promise and checkpoint, where it is not the key's usual one: other logs take SHA-256 for every ECDSA key. */
  readonly digest?: DigestName
  /** Overrides what the entry says of itself, without the log knowing. */
  readonly kind?: string
  readonly version?: string
}

/** A transparency log; `logId` has 32 bytes. */
export interface TestLog {
  readonly key: TestKey
  readonly baseUrl: string
  readonly generation: 'v1' | 'v2'
  readonly logId: Uint8Array
}

/** What a Rekor v1 log signs as its promise. */
export interface PromisePayload {
  readonly body: string
  readonly integratedTime: number
  readonly logID: string
  readonly logIndex: number
}

/** A TransparencyLogEntry of a bundle. */
export type EntryJson = {
  readonly logIndex: string
  readonly logId: { readonly keyId: string }
  readonly kindVersion: { readonly kind: string; readonly version: string }
  readonly integratedTime?: string
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string }
  readonly inclusionProof?: {
    readonly logIndex: string
    readonly rootHash: string
    readonly treeSize: string
    readonly hashes: readonly string[]
    readonly checkpoint?: { readonly envelope: string }
  }
  readonly canonicalizedBody: string
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => digestOf('sha256', ...parts)

/** A Rekor v1 log: its ID is the hash of its key. */
export function rekorV1(key: TestKey, baseUrl = 'https://rekor.universe.test'): TestLog {
  return { key, baseUrl, generation: 'v1', logId: sha256(key.spki) }
}

/** A Rekor v2 log: its ID is the untruncated key ID of its checkpoints. */
export function rekorV2(key: TestKey, baseUrl = 'https://log1.universe.test'): TestLog {
  return { key, baseUrl, generation: 'v2', logId: noteKeyHash(key, new URL(baseUrl).hostname) }
}

/**
 * Logs a body.
 * @param body as text when it should not be in canonical form, or not be JSON at all
 */
export function logEntry(log: TestLog, body: object | string, options: EntryOptions = {}): EntryJson {
  const text = typeof body === 'string' ? body : canonical(body)
  const bytes = encodeUtf8(text)
  const treeSize = options.treeSize ?? 7
  const leafIndex = options.leafIndex ?? 3
  const integratedTime = options.integratedTime ?? 0
  const logIndex = log.generation === 'v2' ? leafIndex : (options.logIndex ?? leafIndex + 1_000_000)
  const hashes: Uint8Array[] = []
  const root = rootAround(sha256(Uint8Array.of(0), bytes), leafIndex, treeSize, hashes)
  const payload = { body: base64(bytes), integratedTime, logID: Buffer.from(log.logId).toString('hex'), logIndex }
  const stated = (field: string): string => new RegExp(`"${field}":"([^"]*)"`).exec(text)?.[1] ?? ''
  const withPromise = options.withPromise ?? log.generation === 'v1'
  const withCheckpoint = options.withCheckpoint ?? true
  const inclusionProof = {
    logIndex: String(leafIndex),
    rootHash: base64(root),
    treeSize: String(treeSize),
    hashes: hashes.map(base64),
    ...(withCheckpoint ? { checkpoint: { envelope: checkpoint(log, treeSize, root, options) } } : {}),
  }
  return {
    logIndex: String(logIndex),
    logId: { keyId: base64(log.logId) },
    kindVersion: { kind: options.kind ?? stated('kind'), version: options.version ?? stated('apiVersion') },
    ...(log.generation === 'v1' ? { integratedTime: String(integratedTime) } : {}),
    ...(withPromise ? { inclusionPromise: { signedEntryTimestamp: base64(promise(log, payload, options)) } } : {}),
    ...((options.withProof ?? true) ? { inclusionProof } : {}),
    canonicalizedBody: base64(bytes),
  }
}

/** A signature line of a note. */
export function signatureLine(name: string, keyHash: Uint8Array, signature: Uint8Array): string {
  return `— ${name} ${base64(concatBytes(keyHash.subarray(0, 4), signature))}\n`
}

/** The line of a witness with an Ed25519 key (C2SP tlog-cosignature), who saw the checkpoint at that time in seconds. */
export function cosignature(key: TestKey, name: string, time: number): SignatureLine {
  const keyHash = sha256(encodeUtf8(`${name}\n`), Uint8Array.of(4), key.spki.subarray(-32))
  const stamp = new Uint8Array(8)
  new DataView(stamp.buffer).setBigUint64(0, BigInt(time))
  return (text) => signatureLine(name, keyHash, concatBytes(stamp, signWith(key, encodeUtf8(`cosignature/v1\ntime ${time}\n${text}`))))
}

/** The hash whose first four bytes are a key ID of C2SP signed-note. */
export function noteKeyHash(key: TestKey, name: string): Uint8Array {
  if (key.kind === 'ed25519') return sha256(encodeUtf8(`${name}\n`), Uint8Array.of(1), key.spki.subarray(-32))
  if (key.kind === 'rsa') return sha256(encodeUtf8(`${name}\n`), Uint8Array.of(0xff), encodeUtf8('PKIX-RSA-PKCS#1v1.5'), key.spki)
  return sha256(key.spki)
}

/** RFC 8785 for what log bodies hold: no numbers but integers, only ASCII keys. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`
}

function promise(log: TestLog, payload: PromisePayload, options: EntryOptions): Uint8Array {
  const signed = options.bendPromise?.(payload) ?? payload
  return signWith(options.signer ?? log.key, encodeUtf8(typeof signed === 'string' ? signed : canonical(signed)), options.digest)
}

function checkpoint(log: TestLog, size: number, root: Uint8Array, options: EntryOptions): string {
  const host = new URL(log.baseUrl).hostname
  const origin = options.origin ?? (log.generation === 'v1' ? `${host} - 1193050959916656506` : host)
  const usual = [origin, String(size), base64(root), ...(options.checkpointLines ?? []), ''].join('\n')
  const text = options.bendCheckpoint?.(usual) ?? usual
  const keyHash = options.lineKeyId ?? (log.generation === 'v1' ? sha256(log.key.spki) : noteKeyHash(log.key, host))
  const own = (): string =>
    signatureLine(options.signerName ?? host, keyHash, signWith(options.signer ?? log.key, encodeUtf8(text), options.digest))
  const lines = [...(options.linesBefore ?? []), ...((options.withOwnLine ?? true) ? [own] : []), ...(options.linesAfter ?? [])]
  return `${text}\n${lines.map((line) => (typeof line === 'string' ? line : line(text))).join('')}`
}

/**
 * The root of a tree with this leaf among others (RFC 6962 section 2.1). The subtrees beside its path are random hashes, so
 * that a tree of any size costs as much as its height.
 * @param path receives the audit path, from the leaf upwards
 */
function rootAround(leaf: Uint8Array, index: number, size: number, path: Uint8Array[]): Uint8Array {
  if (size === 1) return leaf
  let split = 1
  while (split * 2 < size) split *= 2
  const isLeft = index < split
  const inner = isLeft ? rootAround(leaf, index, split, path) : rootAround(leaf, index - split, size - split, path)
  const beside = randomBytes(32)
  path.push(beside)
  return isLeft ? sha256(Uint8Array.of(1), inner, beside) : sha256(Uint8Array.of(1), beside, inner)
}
