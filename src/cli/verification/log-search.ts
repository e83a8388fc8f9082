/**
 * The log entry of a signature from before bundles, which came without: looked for in the log. What is found becomes a part of the signed
 * entity, and the verifier decides about it as about any other. Nothing is asked before everything that can be checked here was.
 */
import type { ProposedEntry } from '../../api/rekor-v1-proposal.ts'
import type { LogEntry, SignedEntity } from '../../bundle/signed-entity.ts'
import { findRekorV1Entries, searchRekorV1 } from '../../clients/rekor-v1-search.ts'
import type { ServiceOptions } from '../../clients/service.ts'
import { digest } from '../../crypto/digest.ts'
import { encodePublicKeyPem } from '../../crypto/public-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { encodePem } from '../../encoding/pem.ts'
import { CountersignError } from '../../error.ts'
import type { TrustedLog } from '../../trust/trust-material.ts'
import { verifyIdentity } from '../../verify/identity.ts'
import { verifyEntryContent } from '../../verify/log-entry-content.ts'
import type { Policy } from '../../verify/policy.ts'
import { verifyContent, verifyMessage } from '../../verify/signature.ts'
import type { Signer } from '../../verify/signer.ts'
import { signerOf } from '../../verify/signer.ts'
import { DEFAULT_REKOR_URL } from '../flag-groups.ts'

/** A search by digest and key of one signature finds few; whoever has the key can make more of them than are worth looking at. */
const maxFound = 20

export interface LogSearch {
  readonly url: string
  /** The text of the envelope of an attestation, as it came, in UTF-8: logs know it by the hash of that. */
  readonly envelope: Uint8Array | undefined
  readonly options: ServiceOptions
}

/**
 * The log to look in: the one that was named; where none was, the public instance's, or that of the trusted root where this is of another
 * instance.
 * @param named the value of `--rekor-url`
 */
export function logToSearch(named: string, logs: readonly TrustedLog[]): string {
  if (named !== DEFAULT_REKOR_URL || logs.some(({ host }) => host === new URL(DEFAULT_REKOR_URL).hostname)) return named
  // Logs of Rekor v2, which cannot be searched, have Ed25519 keys.
  return logs.find(({ baseUrl, key }) => key.kind !== 'ed25519' && /^https?:/.test(baseUrl))?.baseUrl ?? named
}

/**
 * Finds the entry of a signature; of several, the earliest, as the others may be of long after its certificate.
 * @returns the entity with it
 * @throws VerificationError for a signature that is not valid in itself; CountersignError LOG_ENTRY_UNVERIFIED when there is none; what the
 * client throws
 */
export async function withEntryOfLog(entity: SignedEntity, policy: Policy, search: LogSearch): Promise<SignedEntity> {
  const signer = signerOf(entity, policy)
  verifyContent(entity, signer, policy)
  if (policy.signer.kind === 'certificate' && signer.certificate !== undefined) verifyIdentity(signer.certificate, policy.signer.identities)
  const isAboutIt = (entry: LogEntry): boolean => isEntryOf(entry, entity, signer, policy)
  const found = await find(proposalsOf(entity, signer, policy, search.envelope), entity, signer, policy, isAboutIt, search)
  const [earliest] = found.toSorted((a, b) => Number(a.integratedTime - b.integratedTime))
  if (earliest !== undefined) return { ...entity, logEntries: [earliest] }
  throw new CountersignError('LOG_ENTRY_UNVERIFIED', `signature not found in transparency log: ${search.url} has no entry of it`)
}

async function find(
  proposals: readonly ProposedEntry[],
  entity: SignedEntity,
  signer: Signer,
  policy: Policy,
  isAboutIt: (entry: LogEntry) => boolean,
  { url, options }: LogSearch,
): Promise<LogEntry[]> {
  let refused: unknown
  try {
    const found = proposals.length === 0 ? [] : (await findRekorV1Entries(url, proposals, options)).filter(isAboutIt)
    if (found.length > 0) return found
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'SERVICE_REFUSED') throw searching(error)
    refused = error
  }
  try {
    const query = { hash: hashOf(entity, policy), publicKey: encodeUtf8(verifierOf(signer)), operator: 'and' } as const
    const found = (await searchRekorV1(url, query, maxFound, options)).filter(isAboutIt)
    if (found.length > 0 || refused === undefined) return found
  } catch (error) {
    // A log need not have an index: then what it said first is all that there is.
    const hasNoIndex = error instanceof CountersignError && error.code === 'SERVICE_REFUSED'
    if (!hasNoIndex) throw searching(error)
    if (refused === undefined) return []
  }
  throw searching(refused)
}

/** What the entry would look like, where it is a kind that can be told from the signature. */
function proposalsOf(entity: SignedEntity, signer: Signer, { artifact }: Policy, envelope: Uint8Array | undefined): ProposedEntry[] {
  const { content } = entity
  const verifier = verifierOf(signer)
  if (content.kind === 'dsse-envelope') {
    return envelope === undefined ? [] : [{ kind: 'dsse', envelope: decodeUtf8(envelope, 'the envelope'), verifiers: [verifier] }]
  }
  if (artifact === 'any-subject') return []
  const algorithm = verifyMessage(content, signer, artifact)
  const hash = digestOf(algorithm)
  const value = hash === undefined ? undefined : artifact.digest(hash)
  // A log that sees digests only knows neither PSS nor pure Ed25519.
  if (hash === undefined || hash === 'sha224' || value === undefined || algorithm.startsWith('rsa-pss')) return []
  return [{ kind: 'hashedrekord', digest: { algorithm: hash, value }, signature: content.signature, verifier }]
}

/** Entries of artifacts are indexed by their SHA-256, those of attestations by that of the payload. */
function hashOf({ content }: SignedEntity, { artifact }: Policy): string {
  const value =
    content.kind === 'dsse-envelope'
      ? digest('sha256', content.payload)
      : artifact === 'any-subject'
        ? undefined
        : artifact.digest('sha256')
  if (value !== undefined) return `sha256:${encodeHex(value)}`
  throw new CountersignError(
    'ARTIFACT_REQUIRED',
    'logs are searched by the sha256 digest of the artifact, which was not given (give the file, or that digest)',
  )
}

function verifierOf({ certificate, key }: Signer): string {
  return certificate === undefined ? encodePublicKeyPem(key) : encodePem('CERTIFICATE', certificate.bytes)
}

function isEntryOf(entry: LogEntry, entity: SignedEntity, signer: Signer, { artifact }: Policy): boolean {
  try {
    verifyEntryContent(entry, entity, signer, artifact)
    return true
  } catch (error) {
    if (error instanceof CountersignError) return false
    throw error
  }
}

/** cosign's words in front of what the log said. */
function searching(error: unknown): unknown {
  if (!(error instanceof CountersignError)) return error
  return new CountersignError(error.code, `searching log query: ${error.message}`, { cause: error })
}
