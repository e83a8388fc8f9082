/**
 * The log entry of a signature from before bundles, which came without: looked for in the log. What is found becomes a part of the signed
 * entity, and the verifier decides about it as about any other. Nothing is asked before everything that can be checked here was.
 */
import type { LogEntry, SignedEntity } from '../../bundle/signed-entity.ts'
import { findRekorV1Entries, searchRekorV1 } from '../../clients/rekor-v1-search.ts'
import type { ServiceOptions } from '../../clients/service.ts'
import { digest } from '../../crypto/digest.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError } from '../../error.ts'
import type { TrustedLog, TrustMaterial } from '../../trust/trust-material.ts'
import { rootsOf } from '../../trust/trust-material.ts'
import { signaturesBy } from '../../verify/alternatives.ts'
import { authoritiesOver } from '../../verify/certificate.ts'
import { verifyIdentity } from '../../verify/identity.ts'
import { verifyEntryContent } from '../../verify/log-entry-content.ts'
import type { Policy } from '../../verify/policy.ts'
import { verifyContent } from '../../verify/signature.ts'
import { signerOf } from '../../verify/signer.ts'
import type { Signer } from '../../verify/signer.ts'
import { DEFAULT_REKOR_URL } from '../flag-groups.ts'
import type { LoggedSignature } from './possible-entries.ts'
import { possibleLeaves, verifierPemOf } from './possible-entries.ts'

/** A search by digest and key of one signature finds few; whoever has the key can make more of them than are worth looking at. */
const maxFound = 20

/** A log, and how it is reached. */
export interface Log {
  readonly url: string
  readonly options: ServiceOptions
}

/** Where a signature's entry may be. */
export interface SearchPlace {
  /** The value of `--rekor-url`. */
  readonly named: string
  readonly trust: TrustMaterial
  readonly options: ServiceOptions
}

/**
 * Finds the entry of a signature that came without.
 * @returns the entity with it
 * @throws VerificationError for a signature that is not valid in itself; CountersignError LOG_ENTRY_UNVERIFIED when there is none; as
 * `earliestEntryOf`
 */
export async function withEntryOfLog(
  given: SignedEntity,
  policy: Policy,
  envelope: Uint8Array | undefined,
  { named, trust, options }: SearchPlace,
): Promise<SignedEntity> {
  const signer = signerOf(given, policy)
  // Of an envelope with several signatures, the one by this signer is the one whose entry is looked for.
  const [entity] = signaturesBy(given, signer)
  verifyContent(entity, signer, policy)
  if (policy.signer.kind === 'certificate' && signer.certificate !== undefined) verifyIdentity(signer.certificate, policy.signer.identities)
  const urls = logsToSearch(named, trust, signer)
  let failure: CountersignError | undefined
  for (const url of urls) {
    try {
      const earliest = await earliestEntryOf({ entity, signer, artifact: policy.artifact, envelope }, { url, options })
      if (earliest !== undefined) return { ...given, logEntries: [earliest] }
    } catch (error) {
      // Under another trusted root it may hold all the same.
      if (!(error instanceof CountersignError) || error.code === 'ABORTED') throw error
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  const have = urls.length === 1 ? 'has' : 'have'
  throw new CountersignError(
    'LOG_ENTRY_UNVERIFIED',
    `signature not found in transparency log: ${urls.join(' and ')} ${have} no entry of it`,
  )
}

/** A log of each trusted root that the signature may hold under: of those with logs, whichever know its certificate. */
function logsToSearch(named: string, trust: TrustMaterial, { certificate }: Signer): readonly string[] {
  const knows = (root: TrustMaterial): boolean => certificate === undefined || authoritiesOver(certificate, root).length > 0
  const roots = rootsOf(trust).filter((root) => root.logs.length > 0 && knows(root))
  return [...new Set((roots.length > 0 ? roots : [trust]).map(({ logs }) => logToSearch(named, logs)))]
}

/** The log that was named; where none was, the public instance's, or that of the trusted root where this is of another instance. */
function logToSearch(named: string, logs: readonly TrustedLog[]): string {
  if (named !== DEFAULT_REKOR_URL || logs.some(({ host }) => host === new URL(DEFAULT_REKOR_URL).hostname)) return named
  // Logs of Rekor v2, which cannot be searched, have Ed25519 keys.
  return logs.find(({ baseUrl, key }) => key.kind !== 'ed25519' && /^https?:/.test(baseUrl))?.baseUrl ?? named
}

/**
 * The entry that a log has of a signature; of several, the earliest, as the others may be of long after its certificate. It is asked for by
 * what it must be, then looked for in the index, which has those that look otherwise.
 * @returns undefined where the log has none
 * @throws CountersignError ARTIFACT_REQUIRED where the index cannot be asked; what the client throws
 */
export async function earliestEntryOf(signature: LoggedSignature, log: Log): Promise<LogEntry | undefined> {
  const found = await find(signature, (entry) => isEntryOf(entry, signature), log)
  return found.toSorted((a, b) => Number(a.integratedTime - b.integratedTime))[0]
}

async function find(signature: LoggedSignature, isAboutIt: (entry: LogEntry) => boolean, { url, options }: Log): Promise<LogEntry[]> {
  const leaves = possibleLeaves(signature)
  let refused: unknown
  try {
    const found = leaves.length === 0 ? [] : (await findRekorV1Entries(url, leaves, options)).filter(isAboutIt)
    if (found.length > 0) return found
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'SERVICE_REFUSED') throw searching(error)
    refused = error
  }
  try {
    const query = { hash: hashOf(signature), publicKey: encodeUtf8(verifierPemOf(signature.signer)), operator: 'and' } as const
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

/** Entries of artifacts are indexed by their SHA-256, those of attestations by that of the payload. */
function hashOf({ entity: { content }, artifact }: LoggedSignature): string {
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

function isEntryOf(entry: LogEntry, { entity, signer, artifact }: LoggedSignature): boolean {
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
