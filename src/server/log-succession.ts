/**
 * Which log took another's place. The database remembers it, because a server.yaml may be older: that of a front end which was forgotten, or of
 * a backup. A log that goes on beside its successor has entries at indices that the successor's have already.
 */
import { CountersignError } from '../error.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import type { LogMaterial } from './material.ts'
import type { DocumentStore } from './storage/document-store.ts'

const collection = 'log-successors'

/** Remembers that a log takes no more entries, because another does. @throws CountersignError STORAGE_FAILED */
export async function rememberSuccessor(documents: Pick<DocumentStore, 'put'>, logId: string, successorId: string): Promise<void> {
  await documents.put(collection, logId, JSON.stringify({ successor: successorId }))
}

/**
 * Demands that a log which is to take entries has no successor.
 * @throws CountersignError CONFIGURATION_INVALID, STORAGE_FAILED
 */
export async function demandNoSuccessor(
  documents: Pick<DocumentStore, 'get'>,
  { id, state }: Pick<LogMaterial, 'id' | 'state'>,
): Promise<void> {
  const document = state === 'active' ? await documents.get(collection, id) : undefined
  if (document === undefined) return
  const successor = new JsonFields(parseJson(document.json, 'a document of the logs'), 'document', 'STORAGE_FAILED').string('successor')
  throw new CountersignError(
    'CONFIGURATION_INVALID',
    `the log ${id} takes no more entries since ${successor} took its place, and server.yaml says that it does: restore the server.yaml that "countersign server rotate" wrote, or copy that of the other front ends`,
  )
}
