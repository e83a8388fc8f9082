/** What `verify` prints about an image: cosign's header on stderr, its JSON on stdout, and the evidence within it. */
import { encodeEnvelope, payloadText } from '../../bundle/dsse.ts'
import { asBuffer } from '../../encoding/bytes.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { simpleSigningType } from '../../bundle/simple-signing.ts'
import type { VerifiedSignature } from '../../oci/verify-image.ts'
import type { CommandContext } from '../context.ts'
import { formatJsonLine } from '../inspection/json-text.ts'
import { printableLine } from '../quote.ts'
import { describeEvidence, placeInLog } from '../verification/report.ts'
import type { ImageVerificationFlags } from './verification-task.ts'
import type { VerifiedImage } from './verify-images.ts'

/** The names that cosign prints beside the object identifiers of the workflow extensions. */
const workflowNames = [
  ['1.3.6.1.4.1.57264.1.2', 'githubWorkflowTrigger'],
  ['1.3.6.1.4.1.57264.1.3', 'githubWorkflowSha'],
  ['1.3.6.1.4.1.57264.1.4', 'githubWorkflowName'],
  ['1.3.6.1.4.1.57264.1.5', 'githubWorkflowRepository'],
  ['1.3.6.1.4.1.57264.1.6', 'githubWorkflowRef'],
] as const

/** The lines that say what was checked. */
export function printHeader(
  { stderr }: CommandContext,
  flags: ImageVerificationFlags,
  verified: VerifiedImage,
  withAnnotations: boolean,
): void {
  const { image, demands, key, signatures } = verified
  const cameWithEntries = signatures.every(({ found }) => found.entity.logEntries.length > 0)
  const lines = ['', `Verification for ${printableLine(image.name)} --`, 'The following checks were performed on each of these signatures:']
  if (withAnnotations) lines.push('  - The specified annotations were verified.')
  if (flags['check-claims']) lines.push('  - The cosign claims were validated')
  if (demands.log && cameWithEntries) lines.push('  - Existence of the claims in the transparency log was verified offline')
  else if (demands.log) {
    lines.push(
      '  - The claims were present in the transparency log',
      '  - The signatures were integrated into the transparency log when the certificate was valid',
    )
  }
  lines.push(
    key === undefined && flags.certificate === ''
      ? '  - The code-signing certificate was verified using trusted certificate authority certificates'
      : '  - The signatures were verified against the specified public key',
  )
  stderr.write(`${lines.join('\n')}\n`)
}

/** One array for each image, or one payload a line. */
export function printSignatures(context: CommandContext, flags: ImageVerificationFlags, { image, signatures }: VerifiedImage): void {
  if (flags.output === 'text') {
    for (const signature of signatures) {
      printSigner(context, signature)
      context.stdout.write(`${payloadOf(signature, image.name)}\n`)
    }
    return
  }
  const described = signatures.map((signature) => ({
    ...describeSignature(signature, image.repository, image.name, image.descriptor.digest),
    evidence: describeEvidence(image.name, flags['check-claims'] ? undefined : 'any-subject', signature.evidence),
  }))
  context.stdout.write(`\n${formatJsonLine(described)}\n`)
}

/** One DSSE envelope a line, as cosign prints attestations. */
export function printAttestations({ stdout }: CommandContext, { signatures }: VerifiedImage): void {
  for (const { found } of signatures) {
    const { content } = found.entity
    if (content.kind === 'dsse-envelope') stdout.write(`${encodeEnvelope(content)}\n`)
  }
}

function printSigner({ stderr }: CommandContext, { evidence: { signer, logEntries } }: VerifiedSignature): void {
  if (signer.kind === 'certificate') {
    stderr.write(`Certificate subject: ${printableLine(signer.identity.value)}\n`)
    if (signer.issuer !== undefined) stderr.write(`Certificate issuer URL: ${printableLine(signer.issuer)}\n`)
    for (const [, name] of workflowNames) {
      const value = signer.extensions[name]
      if (typeof value === 'string') stderr.write(`${title(name)}: ${printableLine(value)}\n`)
    }
  }
  for (const entry of logEntries) {
    const { logUrl, integratedTime } = entry
    const place = placeInLog(entry).replace(/^entry /, '')
    stderr.write(
      `Log entry: ${place} of ${printableLine(logUrl)}${integratedTime === undefined ? '' : ` at ${integratedTime.toISOString()}`}\n`,
    )
  }
}

/** `githubWorkflowSha` as `GitHub Workflow SHA`. */
function title(name: string): string {
  return name.replace(/^github(Workflow)(.*)$/, 'GitHub $1 $2').replace(/Sha$/, 'SHA')
}

function payloadOf(signature: VerifiedSignature, name: string): string {
  const { payload, entity } = signature.found
  if (payload !== undefined) return asBuffer(payload).toString('utf8')
  return entity.content.kind === 'dsse-envelope' ? payloadText(entity.content) : name
}

/** The element that cosign prints, with whoever signed for both formats. */
function describeSignature(signature: VerifiedSignature, repository: string, name: string, digest: string): JsonObject {
  const { claim, evidence } = signature
  const type = claim === undefined ? (evidence.statement?.predicateType ?? simpleSigningType) : claim.type
  const reference = claim === undefined ? name : claim.dockerReference === '' ? repository : claim.dockerReference
  return {
    critical: {
      identity: { 'docker-reference': reference },
      image: { 'docker-manifest-digest': claim?.dockerManifestDigest ?? signedDigest(evidence, digest) },
      type,
    },
    optional: describeOptional(signature, digest),
  }
}

/** The digest of the image, where it was signed: with --check-claims=false it may be another one. */
function signedDigest({ statement }: VerifiedSignature['evidence'], digest: string): string {
  const signed = statement?.subjects.flatMap(({ digests }) => [...digests].map(([name, hex]) => `${name}:${hex.toLowerCase()}`)) ?? [digest]
  return signed.includes(digest) ? digest : (signed[0] ?? '')
}

function describeOptional({ claim, evidence, entity }: VerifiedSignature, digest: string): JsonObject | null {
  const [algorithm = '', hex] = digest.split(':')
  const own = claim?.optional ?? evidence.statement?.subjects.find(({ digests }) => digests.get(algorithm) === hex)?.annotations
  const members: [string, JsonObject[string]][] = [...(own ?? [])]
  const { signer } = evidence
  if (signer.kind === 'certificate') {
    members.push(['Subject', signer.identity.value])
    if (signer.issuer !== undefined) members.push(['Issuer', signer.issuer], ['1.3.6.1.4.1.57264.1.1', signer.issuer])
    for (const [oid, workflowName] of workflowNames) {
      const value = signer.extensions[workflowName]
      if (typeof value === 'string') members.push([oid, value], [workflowName, value])
    }
  }
  // As cosign prints them, of what was verified only.
  const counted = new Set(evidence.logEntries.map(({ logId, logIndex }) => `${logId} ${logIndex}`))
  const entry = entity.logEntries.find(({ logId, logIndex }) => counted.has(`${encodeHex(logId)} ${logIndex}`))
  if (entry?.signedEntryTimestamp !== undefined) {
    const { signedEntryTimestamp, body, integratedTime, logIndex, logId } = entry
    members.push([
      'Bundle',
      {
        SignedEntryTimestamp: encodeBase64(signedEntryTimestamp),
        Payload: { body: encodeBase64(body), integratedTime: Number(integratedTime), logIndex: Number(logIndex), logID: encodeHex(logId) },
      },
    ])
  }
  const [timestamp] = entity.timestamps
  const verified = evidence.times.filter(({ source }) => source === 'timestamp-authority')
  // Of several, one that did not count may be the first.
  if (timestamp !== undefined && verified.length === entity.timestamps.length)
    members.push(['RFC3161Timestamp', { SignedRFC3161Timestamp: encodeBase64(timestamp) }])
  return members.length === 0 ? null : Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
