/**
 * What was rotated. The database remembers it, because a server.yaml may be older: that of a front end which was forgotten, or of a backup. A log
 * that goes on beside its successor has entries at indices that the successor's have already, and a key that leaked would be trusted again.
 */
import { digest } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { encodeHex } from '../encoding/hex.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { CountersignError } from '../error.ts'
import type { Authority, LogMaterial, ServerMaterial } from './material.ts'
import type { DocumentStore } from './storage/document-store.ts'

const successors = 'log-successors'
const replacedKeys = 'replaced-keys'
const maxRotations = 1000

/** Remembers that a log takes no more entries, because another does. @throws CountersignError STORAGE_FAILED */
export async function rememberSuccessor(
  documents: Pick<DocumentStore, 'put'>,
  { id, kind }: Pick<LogMaterial, 'id' | 'kind'>,
  successor: string,
): Promise<void> {
  await documents.put(successors, id, JSON.stringify({ kind, successor }))
}

/** Remembers that an authority signs with this key no more, but with another. @throws CountersignError STORAGE_FAILED */
export async function rememberReplacedKey(documents: Pick<DocumentStore, 'put'>, authority: Authority, key: PublicKey): Promise<void> {
  await documents.put(replacedKeys, nameOf(key), JSON.stringify({ authority }))
}

/**
 * Demands that the configuration is not one of before a rotation, nor lacks a log whose entries the indices of others are counted from.
 * @throws CountersignError CONFIGURATION_INVALID, STORAGE_FAILED
 */
export async function demandNoOlderThanRotations(
  documents: Pick<DocumentStore, 'get' | 'list'>,
  material: Pick<ServerMaterial, 'logs' | Authority>,
): Promise<void> {
  for (const { id, json } of await documents.list(successors, maxRotations)) demandSucceeded(id, fieldsOf(json), material.logs)
  for (const authority of ['ca', 'tsa'] as const) {
    if ((await documents.get(replacedKeys, nameOf(material[authority].key.publicKey))) !== undefined)
      throw outdated(`the ${authority} has got a new key`)
  }
}

function demandSucceeded(id: string, rotated: JsonFields, logs: readonly LogMaterial[]): void {
  const log = logs.find((one) => one.id === id)
  if (log?.state === 'active') throw outdated(`the log ${id} takes no more entries since ${rotated.string('successor')} took its place`)
  // The others may go when nobody needs them any more.
  if (log === undefined && rotated.string('kind') === 'rekor-v1')
    throw outdated(`the log ${id} is not in it, and the indices of the Rekor v1 logs after it are counted from its entries`)
}

/** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
function nameOf({ spki }: PublicKey): string {
  return encodeHex(digest('sha256', spki))
}

function fieldsOf(json: string): JsonFields {
  return new JsonFields(parseJson(json, 'a document of rotations'), 'document', 'STORAGE_FAILED')
}

function outdated(reason: string): CountersignError {
  return new CountersignError(
    'CONFIGURATION_INVALID',
    `server.yaml is of before a rotation: ${reason}. Restore the one that "countersign server rotate" wrote, or copy that of the other front ends`,
  )
}
