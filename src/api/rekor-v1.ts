/** Answers of the Rekor v1 API: entries, the log's state, consistency proofs. Numbers are JSON numbers, hashes hexadecimal. */
import { parseLogEntryKind } from '../bundle/log-entry-body.ts'
import type { InclusionProof, LogEntry } from '../bundle/signed-entity.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { excerpt } from '../encoding/bytes.ts'
import { decodeHex, encodeHex } from '../encoding/hex.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { DecodingError, messageOf } from '../error.ts'

/** Where entries are added and read, below the log's base URL. */
export const rekorV1EntriesPath = '/api/v1/log/entries'

/** Names an entry: the tree, which a client may leave out, and the leaf hash in it. */
export interface EntryId {
  /** A positive 63-bit number. */
  readonly treeId: bigint | undefined
  /** 32 bytes: the UUID. */
  readonly leafHash: Uint8Array
}

/** An entry of the log as it answers it. */
export interface RekorV1Entry {
  /** 80 hexadecimal digits; 64 from logs of before sharding. */
  readonly entryId: string
  readonly entry: LogEntry
  /** The in-toto statement, which the log may keep beside the entry. */
  readonly attestation: Uint8Array | undefined
}

/** The head of one shard. */
export interface ShardInfo {
  readonly treeId: bigint
  readonly treeSize: bigint
  readonly rootHash: Uint8Array
  readonly signedTreeHead: string
}

export interface LogInfo extends ShardInfo {
  readonly inactiveShards: readonly ShardInfo[]
}

const maxAnswerBytes = 32 * 1024 * 1024
const maxProofHashes = 64
const maxShards = 1024
const entryIdPattern = /^(?:[0-9a-fA-F]{16})?[0-9a-fA-F]{64}$/

/**
 * Parses a UUID (64 hexadecimal digits) or entry ID (80).
 * @throws DecodingError REQUEST_INVALID
 */
export function parseEntryId(text: string): EntryId {
  if (!entryIdPattern.test(text)) throw invalidId(`an entry's UUID has 64 or 80 hexadecimal digits, found ${excerpt(text, 90)}`)
  const bytes = decodeHex(text, 'the UUID')
  if (bytes.length === 32) return { treeId: undefined, leafHash: bytes }
  const treeId = BigInt(`0x${text.slice(0, 16)}`)
  if (treeId === 0n || treeId >= 1n << 63n) throw invalidId(`${text.slice(0, 16)} is not a valid TreeID`)
  return { treeId, leafHash: bytes.subarray(8) }
}

/** The 80 hexadecimal digits of an entry ID. */
export function encodeEntryId(treeId: bigint, leafHash: Uint8Array): string {
  return `${treeId.toString(16).padStart(16, '0')}${encodeHex(leafHash)}`
}

/**
 * Parses an answer that holds one entry: that to adding or getting it. Nothing in it is verified yet.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, LOG_ENTRY_INVALID
 */
export function parseRekorV1Entry(body: Uint8Array): RekorV1Entry {
  const json = parseJson(body, "the log's answer", { maxBytes: maxAnswerBytes })
  const [entry, ...others] = readEntryMap(new JsonFields(json, 'answer', 'LOG_ENTRY_INVALID'))
  if (entry === undefined || others.length > 0)
    throw new DecodingError(
      'LOG_ENTRY_INVALID',
      `the log answered ${others.length + (entry === undefined ? 0 : 1)} entries, one was expected`,
    )
  return entry
}

/** Parses the answer to retrieving entries. @throws DecodingError JSON_INVALID, TOO_LARGE, LOG_ENTRY_INVALID */
export function parseRekorV1Entries(body: Uint8Array): RekorV1Entry[] {
  const json = parseJson(body, "the log's answer", { maxBytes: maxAnswerBytes })
  if (!Array.isArray(json)) throw new DecodingError('LOG_ENTRY_INVALID', "the log's answer should be an array")
  return json.flatMap((value, index) => readEntryMap(new JsonFields(value, `answer[${index}]`, 'LOG_ENTRY_INVALID')))
}

/** The object that one entry is answered as. */
export function encodeRekorV1Entry({ entryId, entry, attestation }: RekorV1Entry): object {
  const proof = entry.inclusionProof
  return {
    [entryId]: {
      ...(attestation === undefined ? {} : { attestation: { data: encodeBase64(attestation) } }),
      body: encodeBase64(entry.body),
      integratedTime: Number(entry.integratedTime),
      logID: encodeHex(entry.logId),
      logIndex: Number(entry.logIndex),
      verification: {
        ...(proof === undefined
          ? {}
          : {
              inclusionProof: {
                checkpoint: proof.checkpoint,
                hashes: proof.hashes.map(encodeHex),
                logIndex: Number(proof.logIndex),
                rootHash: encodeHex(proof.rootHash),
                treeSize: Number(proof.treeSize),
              },
            }),
        ...(entry.signedEntryTimestamp === undefined ? {} : { signedEntryTimestamp: encodeBase64(entry.signedEntryTimestamp) }),
      },
    },
  }
}

/**
 * What the log's promise (signed entry timestamp) is a signature over: RFC 8785 of four members.
 * @param entry of which the virtual index counts
 */
export function signedEntryPayload(entry: Pick<LogEntry, 'body' | 'integratedTime' | 'logId' | 'logIndex'>): string {
  // None of the values needs escaping, and this is the order of the keys.
  return `{"body":"${encodeBase64(entry.body)}","integratedTime":${entry.integratedTime},"logID":"${encodeHex(entry.logId)}","logIndex":${entry.logIndex}}`
}

/** Parses the answer to `GET /api/v1/log`. @throws DecodingError JSON_INVALID, TOO_LARGE, LOG_ENTRY_INVALID */
export function parseLogInfo(body: Uint8Array): LogInfo {
  const json = parseJson(body, "the log's answer", { maxBytes: maxAnswerBytes })
  const info = new JsonFields(json, 'answer', 'LOG_ENTRY_INVALID').only(...shardFields, 'inactiveShards')
  return {
    ...readShard(info),
    inactiveShards: info.objects('inactiveShards', maxShards).map((shard) => readShard(shard.only(...shardFields))),
  }
}

/** The JSON of the answer to `GET /api/v1/log`. */
export function encodeLogInfo(info: LogInfo): string {
  return JSON.stringify({ inactiveShards: info.inactiveShards.map(encodeShard), ...encodeShard(info) })
}

/** Parses the answer to `GET /api/v1/log/proof`. @throws DecodingError JSON_INVALID, TOO_LARGE, LOG_ENTRY_INVALID */
export function parseConsistencyAnswer(body: Uint8Array): { readonly rootHash: Uint8Array; readonly hashes: readonly Uint8Array[] } {
  const json = parseJson(body, "the log's answer", { maxBytes: maxAnswerBytes })
  const answer = new JsonFields(json, 'answer', 'LOG_ENTRY_INVALID').only('rootHash', 'hashes')
  return { rootHash: hash(answer, answer.string('rootHash'), 'rootHash'), hashes: hashes(answer, 2 * maxProofHashes) }
}

/** The JSON of the answer to `GET /api/v1/log/proof`. */
export function encodeConsistencyAnswer(rootHash: Uint8Array, proof: readonly Uint8Array[]): string {
  return JSON.stringify({ hashes: proof.map(encodeHex), rootHash: encodeHex(rootHash) })
}

const shardFields = ['rootHash', 'treeSize', 'signedTreeHead', 'treeID'] as const

function readShard(shard: JsonFields): ShardInfo {
  const treeId = shard.string('treeID')
  if (!/^[0-9]{1,19}$/.test(treeId)) throw shard.invalid(`${shard.pathOf('treeID')} should be a number, found ${excerpt(treeId, 30)}`)
  return {
    treeId: BigInt(treeId),
    treeSize: nonNegative(shard, 'treeSize'),
    rootHash: hash(shard, shard.string('rootHash'), 'rootHash'),
    signedTreeHead: shard.string('signedTreeHead'),
  }
}

function encodeShard({ treeId, treeSize, rootHash, signedTreeHead }: ShardInfo): object {
  return { rootHash: encodeHex(rootHash), signedTreeHead, treeID: String(treeId), treeSize: Number(treeSize) }
}

function readEntryMap(answer: JsonFields): RekorV1Entry[] {
  return answer.entries().map(([entryId, value]) => {
    if (!entryIdPattern.test(entryId)) throw answer.invalid(`the log answered the entry ID ${excerpt(entryId, 90)}`)
    return readEntry(entryId, new JsonFields(value, `answer.${entryId.slice(0, 16)}…`, 'LOG_ENTRY_INVALID'))
  })
}

function readEntry(entryId: string, fields: JsonFields): RekorV1Entry {
  fields.only('attestation', 'body', 'integratedTime', 'logID', 'logIndex', 'verification')
  const verification = fields.optionalObject('verification')?.only('inclusionProof', 'signedEntryTimestamp')
  const proof = verification?.optionalObject('inclusionProof')
  const body = fields.bytes('body')
  return {
    entryId,
    entry: {
      logIndex: nonNegative(fields, 'logIndex'),
      logId: hash(fields, fields.string('logID'), 'logID'),
      ...parseLogEntryKind(body),
      integratedTime: nonNegative(fields, 'integratedTime'),
      signedEntryTimestamp: verification?.optionalBytes('signedEntryTimestamp'),
      inclusionProof: proof === undefined ? undefined : readProof(proof),
      body,
    },
    attestation: fields.optionalObject('attestation')?.only('data').optionalBytes('data'),
  }
}

function readProof(proof: JsonFields): InclusionProof {
  proof.only('checkpoint', 'hashes', 'logIndex', 'rootHash', 'treeSize')
  return {
    logIndex: nonNegative(proof, 'logIndex'),
    treeSize: nonNegative(proof, 'treeSize'),
    rootHash: hash(proof, proof.string('rootHash'), 'rootHash'),
    hashes: hashes(proof, maxProofHashes),
    checkpoint: proof.optionalString('checkpoint'),
  }
}

/** A JSON number: Rekor v1 writes no strings. */
function nonNegative(fields: JsonFields, name: string): bigint {
  const value = fields.raw(name)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw fields.invalid(`${fields.pathOf(name)} should be an integer from 0`)
  return BigInt(value)
}

function hashes(fields: JsonFields, maxLength: number): Uint8Array[] {
  return fields.array('hashes', maxLength).map((value, index) => hash(fields, value, `hashes[${index}]`))
}

function hash(fields: JsonFields, value: unknown, name: string): Uint8Array {
  if (typeof value !== 'string' || value.length !== 64) throw fields.invalid(`${fields.pathOf(name)} should have 64 hexadecimal digits`)
  try {
    return decodeHex(value, fields.pathOf(name))
  } catch (cause) {
    throw fields.invalid(messageOf(cause), cause)
  }
}

function invalidId(message: string): DecodingError {
  return new DecodingError('REQUEST_INVALID', message)
}
