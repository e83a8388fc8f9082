/** What a successful verification prints, as text and as JSON. */
import type { Evidence, VerifiedLogEntry } from '../../verify/evidence.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { digest } from '../../crypto/digest.ts'
import type { Artifact } from '../../verify/artifact.ts'
import type { JsonObject } from '../../encoding/json.ts'
import type { CommandContext } from '../context.ts'
import { formatJson } from '../inspection/json-text.ts'

/** `Verified OK` on stderr as cosign has it; with `json`, the evidence on stdout. */
export function reportVerified(
  context: CommandContext,
  output: string,
  artifactName: string,
  artifact: Artifact | 'any-subject',
  evidence: Evidence,
): void {
  context.stderr.write('Verified OK\n')
  if (output === 'json') context.stdout.write(`${formatJson(describeEvidence(artifactName, artifact, evidence))}\n`)
}

/**
 * The evidence as JSON: identity, issuer, certificate, log entries with index and time, times, statement.
 * @param artifact `any-subject` where nobody has looked whether it is about the artifact, which is then not named either; undefined where its
 *   digest is not at hand
 */
export function describeEvidence(artifactName: string, artifact: Artifact | 'any-subject' | undefined, evidence: Evidence): JsonObject {
  const sha256 = artifact === 'any-subject' ? undefined : artifact?.digest('sha256')
  return {
    verified: true,
    ...(artifact === 'any-subject'
      ? {}
      : { artifact: { name: artifactName, ...(sha256 === undefined ? {} : { sha256: encodeHex(sha256) }) } }),
    signer: describeSigner(evidence.signer),
    logEntries: evidence.logEntries.map((entry) => ({
      log: entry.logUrl,
      logId: entry.logId,
      ...(entry.logIndex === undefined ? {} : { logIndex: String(entry.logIndex) }),
      kind: entry.kind,
      version: entry.version,
      ...(entry.integratedTime === undefined ? {} : { integratedTime: entry.integratedTime.toISOString() }),
      ...(entry.treeIndex === undefined ? {} : { treeIndex: String(entry.treeIndex) }),
      ...(entry.treeSize === undefined ? {} : { treeSize: String(entry.treeSize) }),
    })),
    times: evidence.times.map(({ time, source, authority }) => ({ time: time.toISOString(), source, authority })),
    certificateTimestamps: evidence.certificateTimestamps.map(({ logUrl, logId, time }) => ({
      log: logUrl,
      logId,
      time: time.toISOString(),
    })),
    ...(evidence.statement === undefined ? {} : { statement: describeStatement(evidence.statement) }),
    ...(evidence.notes.length === 0 ? {} : { notes: evidence.notes }),
  }
}

/** Where an entry is, by the number that was proven: that of the log, or that of the tree which is its shard. */
export function placeInLog({ logIndex, treeIndex }: VerifiedLogEntry): string {
  return logIndex === undefined ? `entry ${treeIndex} of a shard` : `entry ${logIndex}`
}

function describeSigner(signer: Evidence['signer']): JsonObject {
  if (signer.kind === 'key') return { kind: 'key', sha256: encodeHex(digest('sha256', signer.key.spki)) }
  const { certificate } = signer
  return {
    kind: 'certificate',
    identity: signer.identity.value,
    identityKind: signer.identity.kind,
    issuer: signer.issuer,
    extensions: signer.extensions,
    certificate: {
      serialNumber: encodeHex(certificate.serialNumber),
      notBefore: new Date(certificate.notBefore).toISOString(),
      notAfter: new Date(certificate.notAfter).toISOString(),
    },
  }
}

function describeStatement(statement: NonNullable<Evidence['statement']>): JsonObject {
  return {
    type: statement.type,
    predicateType: statement.predicateType,
    subjects: statement.subjects.map(({ name, digests }) => ({ name, digest: Object.fromEntries(digests) })),
  }
}
