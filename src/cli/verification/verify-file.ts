/** What `verify-blob` and `verify-blob-attestation` have in common: from flags to evidence. */
import type { SignedEntity } from '../../bundle/signed-entity.ts'
import { loadEd25519ph } from '../../crypto/signature.ts'
import { CountersignError, UsageError, messageOf } from '../../error.ts'
import type { TrustMaterial } from '../../trust/trust-material.ts'
import type { Artifact } from '../../verify/artifact.ts'
import type { DigestsNeeded } from '../../verify/digests-needed.ts'
import type { Demands } from '../../verify/demands.ts'
import { verifyOptionsFor } from '../../verify/demands.ts'
import { digestsNeededByAny, mayUseEd25519 } from '../../verify/digests-needed.ts'
import type { Evidence } from '../../verify/evidence.ts'
import type { Policy } from '../../verify/policy.ts'
import { verifyInParallel } from '../../verify/verify.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { verifyBlobFlags } from '../flag-groups.ts'
import { loadTrustFor, readDemands } from './demands-input.ts'
import { bundlesBeside, discoverBundle, loadEntity } from './entity-input.ts'
import { withStep } from './failure-prefix.ts'
import { checkBundleFlags, checkFlags, checkLegacyFlags, givesParts } from './flag-checks.ts'
import { readIdentity, warnOfCertificateFlags } from './identity-input.ts'
import { keyPolicy, loadPublicKey, signatureDigest } from './key-input.ts'
import { reportVerified } from './report.ts'

/** The flags that both verbs have. */
export type FileVerificationFlags = FlagValues<typeof verifyBlobFlags>

/** What is particular to one of the verbs. */
export interface FileVerification {
  readonly kind: 'message' | 'attestation'
  /** The artifact as the user named it, for bundle discovery and messages; empty when there is none. */
  readonly artifactName: string
  readonly loadArtifact: (needed: () => DigestsNeeded) => Promise<Artifact | 'any-subject'>
  /** The types that the statement may have; any, where they are not given. */
  readonly predicateTypes?: readonly string[]
}

const ignoredLog = 'Skipping tlog verification is an insecure practice that lacks transparency and auditability verification for the'

/**
 * Verifies and reports.
 * @throws UsageError, TransportError, DecodingError, VerificationError
 */
export async function verifyFile(context: CommandContext, flags: FileVerificationFlags, task: FileVerification): Promise<void> {
  checkFlags(flags)
  const digest = signatureDigest(flags)
  const bundle = flags.bundle !== '' || flags.signature !== '' ? flags.bundle : discoverBundle(context, task.artifactName)
  if (bundle === '' && flags.signature === '') throw nothingToVerify(flags, task.artifactName)
  if (bundle === '') checkLegacyFlags(flags)
  const identity = flags.key === '' ? await readIdentity(flags) : undefined
  if (identity === undefined) warnOfCertificateFlags(context, flags)
  const files = flags.bundle === bundle ? flags : { ...flags, bundle }
  const loaded = await loadEntity(context, files, task.kind, identity === undefined)
  const { isLegacy, envelope } = loaded
  if (isLegacy) checkLegacyFlags(flags)
  else checkBundleFlags(flags)
  const entities = isLegacy || !givesParts(flags) ? loaded.entities : await holdingParts(context, flags, loaded.entities)

  if (flags['insecure-ignore-tlog']) warn(context, `${ignoredLog} ${task.kind === 'attestation' ? 'blob attestation' : 'blob'}.`)
  const key = flags.key === '' ? undefined : await loadPublicKey(context, flags.key)
  const demands = readDemands(context, flags)
  const hasTimestamps = entities.some((entity) => entity.timestamps.length > 0)
  const trust = await loadTrustFor(context, flags, key, demands, hasTimestamps)
  const signer: Policy['signer'] =
    key === undefined ? { kind: 'certificate', identities: identity === undefined ? [] : [identity] } : keyPolicy(key, flags)

  // Once for all bundles: what comes through a pipe, or from an address, is not the same a second time.
  let loading: Promise<Artifact | 'any-subject'> | undefined
  const loadArtifact = (): Promise<Artifact | 'any-subject'> =>
    (loading ??= task.loadArtifact(() => digestsNeededByAny(entities, key, digest)))
  const { artifact, evidence } = await verifyAny(entities, async (given) => {
    const isIncomplete = lacksEntry(given, demands)
    if (isIncomplete && flags.offline) throw withoutEntry()
    if (mayUseEd25519(given, key)) await loadEd25519ph()
    const artifact = await loadArtifact()
    const policy: Policy = { artifact, signer, ...(task.predicateTypes === undefined ? {} : { predicateType: task.predicateTypes }) }
    try {
      const entity = isIncomplete ? await searchEntry(context, flags, given, trust, policy, envelope) : given
      return { artifact, evidence: await verifyInParallel(entity, trust, policy, verifyOptionsFor(entity, demands, key !== undefined)) }
    } catch (error) {
      throw given.format === 'legacy' ? legacyFailure(error, task) : withStep(error)
    }
  })
  reportVerified(context, flags.output, task.artifactName, artifact, evidence)
}

async function holdingParts(
  context: CommandContext,
  flags: FileVerificationFlags,
  entities: readonly SignedEntity[],
): Promise<readonly SignedEntity[]> {
  const { holdingGivenParts } = await import('./given-parts.ts')
  return holdingGivenParts(context, flags, entities)
}

function nothingToVerify(flags: FileVerificationFlags, artifact: string): UsageError {
  const looked = bundlesBeside(artifact)
  const missing = looked.length === 0 ? '' : ` (there is no ${looked.join(' or ')})`
  const wanted =
    flags.key === '' && flags.certificate === ''
      ? 'provide a key with --key or --sk, a certificate to verify against with --certificate, or a bundle with --bundle'
      : "missing flag '--signature': give the signature with --signature, or a bundle with --bundle"
  return new UsageError('USAGE', wanted + missing)
}

/** A signature from before bundles may come without its log entry, which is in the log to be found. Bundles bring theirs. */
function lacksEntry(entity: SignedEntity, demands: Demands): boolean {
  return demands.log && entity.logEntries.length === 0 && entity.format === 'legacy'
}

function withoutEntry(): UsageError {
  return new UsageError(
    'LOG_ENTRY_UNVERIFIED',
    'offline verification failed: the signature comes without an entry of a transparency log, and --offline forbids to look for it (give a --bundle that holds one, or --insecure-ignore-tlog to do without)',
  )
}

async function searchEntry(
  context: CommandContext,
  flags: FileVerificationFlags,
  entity: SignedEntity,
  trust: TrustMaterial,
  policy: Policy,
  envelope: Uint8Array | undefined,
): Promise<SignedEntity> {
  const { withEntryOfLog } = await import('./log-search.ts')
  const { env, signal } = context
  return withEntryOfLog(entity, policy, envelope, { named: flags['rekor-url'], trust, options: { env, signal } })
}

interface Verified {
  readonly artifact: Artifact | 'any-subject'
  readonly evidence: Evidence
}

/** Of several bundles in one file, the first that verifies decides; when none does, every reason is told. */
async function verifyAny(entities: readonly SignedEntity[], verifyOne: (entity: SignedEntity) => Promise<Verified>): Promise<Verified> {
  const failures: CountersignError[] = []
  for (const entity of entities) {
    try {
      return await verifyOne(entity)
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      failures.push(error)
    }
  }
  const [only] = failures
  if (only !== undefined && failures.length === 1) throw only
  throw new CountersignError(
    only?.code ?? 'BUNDLE_INVALID',
    `none of the ${failures.length} bundles verifies: ${failures.map((failure, index) => `${index + 1}: ${messageOf(failure)}`).join('; ')}`,
  )
}

/** cosign's words for a failed check of a separate signature, which scripts of its first versions look for. */
function legacyFailure(error: unknown, task: FileVerification): unknown {
  if (!(error instanceof CountersignError)) return error
  const reason =
    error.code === 'SIGNATURE_INVALID' ? `invalid signature when validating ASN.1 encoded signature: ${error.message}` : error.message
  return new CountersignError(error.code, task.kind === 'message' ? `verifying blob [${task.artifactName}]: ${reason}` : reason, {
    cause: error,
  })
}
