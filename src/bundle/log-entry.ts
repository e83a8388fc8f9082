/** TransparencyLogEntry (protobuf-specs, sigstore_rekor.proto), as bundles and Rekor v2 have it. */
import type { JsonFields } from '../encoding/json-fields.ts'
import type { InclusionProof, LogEntry } from './signed-entity.ts'

const maxProofHashes = 64

const entryFields = ['logIndex', 'logId', 'kindVersion', 'integratedTime', 'inclusionPromise', 'inclusionProof', 'canonicalizedBody']

/**
 * Reads a TransparencyLogEntry. Its inclusion promise and proof may be absent.
 * @throws DecodingError in the code of the fields
 */
export function readLogEntry(entry: JsonFields): LogEntry {
  entry.only(...entryFields)
  const kindVersion = entry.object('kindVersion').only('kind', 'version')
  const signedEntryTimestamp = entry.optionalObject('inclusionPromise')?.only('signedEntryTimestamp').bytes('signedEntryTimestamp')
  const inclusionProof = readInclusionProof(entry)
  return {
    logIndex: nonNegative(entry, 'logIndex'),
    logId: entry.object('logId').only('keyId').bytes('keyId'),
    kind: kindVersion.string('kind'),
    version: kindVersion.string('version'),
    integratedTime: nonNegative(entry, 'integratedTime'),
    signedEntryTimestamp,
    inclusionProof,
    body: entry.bytes('canonicalizedBody'),
  }
}

function readInclusionProof(entry: JsonFields): InclusionProof | undefined {
  const proof = entry.optionalObject('inclusionProof')
  if (proof === undefined) return undefined
  proof.only('logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint')
  const hashes: Uint8Array[] = []
  const encoded = proof.array('hashes', maxProofHashes)
  for (const [index, hash] of encoded.entries()) {
    if (typeof hash !== 'string') throw proof.invalid(`${proof.pathOf('hashes')}[${index}] should be a string`)
    hashes.push(proof.decodeBase64(hash, `hashes[${index}]`))
  }
  return {
    logIndex: nonNegative(proof, 'logIndex'),
    treeSize: nonNegative(proof, 'treeSize'),
    rootHash: proof.bytes('rootHash'),
    hashes,
    checkpoint: proof.optionalObject('checkpoint')?.only('envelope').string('envelope'),
  }
}

/** An int64 that proto3 JSON leaves out when it is 0. */
function nonNegative(fields: JsonFields, name: string): bigint {
  const value = fields.optionalInt64(name) ?? 0n
  if (value < 0n) throw fields.invalid(`${fields.pathOf(name)} should not be negative, found ${value}`)
  return value
}
