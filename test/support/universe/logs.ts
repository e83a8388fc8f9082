/** Rekor logs: entries with promise, inclusion proof and checkpoint, in a tree of other leaves. */
import { createHash, randomBytes } from 'node:crypto'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { TestKey } from './keys.ts'
import { signWith } from './keys.ts'

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
  /** Signature lines before and after the log's own. */
  readonly linesBefore?: readonly string[]
  readonly linesAfter?: readonly string[]
  /** Origin and name in the checkpoint, where they should not be the log's. */
  readonly origin?: string
  readonly signerName?: string
  /** Signs promise and checkpoint with another key, under the log's identifiers. */
  readonly signer?: TestKey
  /** Overrides what the entry says of itself, without the log knowing. */
  readonly kind?: string
  readonly version?: string
}

export interface TestLog {
  readonly key: TestKey
  readonly baseUrl: string
  readonly generation: 'v1' | 'v2'
  readonly logId: Uint8Array
}

type Json = Record<string, unknown>

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const sha256 = (...parts: Uint8Array[]): Uint8Array => createHash('sha256').update(concatBytes(...parts)).digest()

/** A Rekor v1 log: its ID is the hash of its key. */
export function rekorV1(key: TestKey, baseUrl = 'https://rekor.universe.test'): TestLog {
  return { key, baseUrl, generation: 'v1', logId: sha256(key.spki) }
}

/** A Rekor v2 log: its ID is the untruncated key ID of its checkpoints. */
export function rekorV2(key: TestKey, baseUrl = 'https://log1.universe.test'): TestLog {
  return { key, baseUrl, generation: 'v2', logId: noteKeyHash(key, new URL(baseUrl).hostname) }
}

/** Logs a body and gives the TransparencyLogEntry of a bundle. */
export function logEntry(log: TestLog, body: object | string, options: EntryOptions = {}): Json {
  const text = typeof body === 'string' ? body : canonical(body)
  const bytes = encodeUtf8(text)
  const parsed = JSON.parse(text) as { kind: string; apiVersion: string }
  const treeSize = options.treeSize ?? 7
  const leafIndex = options.leafIndex ?? 3
  const integratedTime = options.integratedTime ?? 0
  const logIndex = log.generation === 'v2' ? leafIndex : (options.logIndex ?? leafIndex + 1_000_000)
  const tree = treeAround(bytes, treeSize, leafIndex)
  const withPromise = options.withPromise ?? log.generation === 'v1'
  const withProof = options.withProof ?? true
  return {
    logIndex: String(logIndex),
    logId: { keyId: base64(log.logId) },
    kindVersion: { kind: options.kind ?? parsed.kind, version: options.version ?? parsed.apiVersion },
    ...(log.generation === 'v1' ? { integratedTime: String(integratedTime) } : {}),
    ...(withPromise ? { inclusionPromise: { signedEntryTimestamp: base64(promise(log, bytes, integratedTime, logIndex, options.signer)) } } : {}),
    ...(withProof
      ? {
          inclusionProof: {
            logIndex: String(leafIndex),
            rootHash: base64(tree.root),
            treeSize: String(treeSize),
            hashes: tree.proof.map(base64),
            ...((options.withCheckpoint ?? true) ? { checkpoint: { envelope: checkpoint(log, treeSize, tree.root, options) } } : {}),
          },
        }
      : {}),
    canonicalizedBody: base64(bytes),
  }
}

/** A signature line of a note. */
export function signatureLine(name: string, keyHash: Uint8Array, signature: Uint8Array): string {
  return `— ${name} ${base64(concatBytes(keyHash.subarray(0, 4), signature))}\n`
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

function promise(log: TestLog, body: Uint8Array, integratedTime: number, logIndex: number, signer = log.key): Uint8Array {
  const signed = canonical({ body: base64(body), integratedTime, logID: Buffer.from(log.logId).toString('hex'), logIndex })
  return signWith(signer, encodeUtf8(signed))
}

function checkpoint(log: TestLog, size: number, root: Uint8Array, options: EntryOptions): string {
  const host = new URL(log.baseUrl).hostname
  const origin = options.origin ?? (log.generation === 'v1' ? `${host} - 1193050959916656506` : host)
  const text = [origin, String(size), base64(root), ...(options.checkpointLines ?? []), ''].join('\n')
  const name = options.signerName ?? host
  const keyHash = log.generation === 'v1' ? sha256(log.key.spki) : noteKeyHash(log.key, host)
  const line = signatureLine(name, keyHash, signWith(options.signer ?? log.key, encodeUtf8(text)))
  return `${text}\n${(options.linesBefore ?? []).join('')}${line}${(options.linesAfter ?? []).join('')}`
}

/** A tree with the entry among random leaves, and the entry's audit path (RFC 6962 section 2.1.1). */
function treeAround(body: Uint8Array, size: number, index: number): { readonly root: Uint8Array; readonly proof: Uint8Array[] } {
  const leaves = Array.from({ length: size }, (_, at) => (at === index ? sha256(Uint8Array.of(0), body) : randomBytes(32)))
  return { root: rootOf(leaves), proof: pathOf(index, leaves) }
}

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only !== undefined && leaves.length === 1) return only
  const split = splitOf(leaves.length)
  return sha256(Uint8Array.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

function pathOf(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return []
  const split = splitOf(leaves.length)
  return index < split
    ? [...pathOf(index, leaves.slice(0, split)), rootOf(leaves.slice(split))]
    : [...pathOf(index - split, leaves.slice(split)), rootOf(leaves.slice(0, split))]
}

function splitOf(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1)
}
