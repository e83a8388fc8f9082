/**
 * The verifier: a pure function of the signed entity, the trust material, the policy and, where asked for, the time.
 * The order is that of the client specification, section 4: times, certificate, log entries, signature, identity.
 */
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { VerificationError } from '../error.ts'
import { formatWindow, isWithin } from '../trust/time-window.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import { rootsOf } from '../trust/trust-material.ts'
import type { Alternative, Refusal } from './alternatives.ts'
import { alternativesOf, mostTelling, refusalOf } from './alternatives.ts'
import { withKeptDigests } from './artifact.ts'
import { checkExtraCertificates, prepareCertificate, verifyCertificate, verifyScts } from './certificate.ts'
import type { Evidence, VerifiedCertificateTimestamp, VerifiedTime } from './evidence.ts'
import { verifyIdentity } from './identity.ts'
import type { VerifiedLogEntries } from './log-entries.ts'
import { verifyLogEntries } from './log-entries.ts'
import type { KeyPolicy, Policy, Thresholds, VerifyOptions } from './policy.ts'
import { checkOptions, checkPolicy, checkTrust } from './policy-check.ts'
import { verifyContent } from './signature.ts'
import type { Signer } from './signer.ts'
import { signerOf } from './signer.ts'
import type { VerifiedTimestamps } from './timestamps.ts'
import { verifyTimestamps } from './timestamps.ts'

/**
 * Verifies a signed entity.
 * @returns evidence: who signed, when, and where it is logged
 * @throws VerificationError the first check that failed; DecodingError when a part is malformed
 * @throws UsageError when the policy or the options make no sense
 */
export function verify(entity: SignedEntity, trust: TrustMaterial, policy: Policy, options: VerifyOptions = {}): Evidence {
  const checked = checkedPolicy(trust, policy, options)
  const signer = signerOf(entity, checked)
  const refusals: Refusal[] = []
  for (const alternative of alternativesOf(entity, signer, trust)) {
    try {
      return verifyTimes(signer, alternative, checked, options)()
    } catch (error) {
      refusals.push(refusalOf(alternative, error))
    }
  }
  throw mostTelling(refusals, signer)
}

/** As `verify`, with what takes longest on other threads: the log entries, and other entities, are verified meanwhile. */
export async function verifyInParallel(
  entity: SignedEntity,
  trust: TrustMaterial,
  policy: Policy,
  options: VerifyOptions = {},
): Promise<Evidence> {
  const checked = checkedPolicy(trust, policy, options)
  const signer = signerOf(entity, checked)
  const { certificate } = signer
  const prepared = certificate === undefined ? undefined : Promise.all(rootsOf(trust).map((root) => prepareCertificate(certificate, root)))
  const refusals: Refusal[] = []
  for (const alternative of alternativesOf(entity, signer, trust)) {
    try {
      return await verifyOnceReady(prepared, signer, alternative, checked, options)
    } catch (error) {
      refusals.push(refusalOf(alternative, error))
    }
  }
  throw mostTelling(refusals, signer)
}

async function verifyOnceReady(
  prepared: Promise<unknown> | undefined,
  signer: Signer,
  alternative: Alternative,
  policy: Policy,
  options: VerifyOptions,
): Promise<Evidence> {
  let verifySigned: () => Evidence
  try {
    verifySigned = verifyTimes(signer, alternative, policy, options)
  } finally {
    await prepared
  }
  return verifySigned()
}

function checkedPolicy(trust: TrustMaterial, policy: Policy, options: VerifyOptions): Policy {
  checkTrust(trust)
  checkPolicy(policy)
  checkOptions(options)
  const { artifact } = policy
  return artifact === 'any-subject' ? policy : { ...policy, artifact: withKeptDigests(artifact) }
}

/** Verifies when something was signed: timestamps and log entries. @returns verifies who signed it, and that it was this */
function verifyTimes(signer: Signer, { entity, root: trust }: Alternative, policy: Policy, options: VerifyOptions): () => Evidence {
  const notes = [...trust.unusable]
  const thresholds = resolveThresholds(policy, options.thresholds)

  const timestamps = verifyTimestamps(entity.timestamps, entity.content, trust, notes)
  const logged = verifyLogEntries(entity, signer, policy.artifact, trust, timestamps.instants, notes)
  checkThresholds(thresholds, timestamps, logged, notes)
  const times = observedTimes([...timestamps.times, ...logged.times], options.currentTime)
  // What a timestamp says may be finer than the time that is reported of it, and must lie in the windows all the same.
  const instants = [...new Set([...timestamps.instants, ...times.map(({ time }) => time.getTime())])]

  return () => {
    const certificateTimestamps =
      signer.certificate === undefined ? [] : checkCertificate(entity, signer, trust, thresholds, instants, options, notes)
    if (policy.signer.kind === 'key') checkKeyWindow(policy.signer, instants)

    const statement = verifyContent(entity, signer, policy)
    return {
      signer: identify(signer, policy),
      signature: entity.content.signature,
      logEntries: logged.entries,
      times,
      certificateTimestamps,
      statement,
      notes,
    }
  }
}

type ResolvedThresholds = Required<Thresholds>

function resolveThresholds(policy: Policy, given: Thresholds = {}): ResolvedThresholds {
  return {
    logEntries: given.logEntries ?? 1,
    scts: given.scts ?? 1,
    times: given.times ?? (policy.signer.kind === 'certificate' ? 1 : 0),
    signedTimestamps: given.signedTimestamps ?? 0,
    integratedTimes: given.integratedTimes ?? 0,
  }
}

function checkThresholds(
  thresholds: ResolvedThresholds,
  timestamps: VerifiedTimestamps,
  logged: VerifiedLogEntries,
  notes: readonly string[],
): void {
  const because = notes.length === 0 ? '' : ` (${notes.join('; ')})`
  if (logged.operators.size < thresholds.logEntries) {
    throw new VerificationError(
      'LOG_ENTRY_UNVERIFIED',
      `not enough verified log entries from transparency log: ${logged.operators.size} < ${thresholds.logEntries}${because}`,
    )
  }
  if (timestamps.operators.size < thresholds.signedTimestamps) {
    throw new VerificationError(
      'TIME_UNVERIFIED',
      `threshold not met for verified signed timestamps: ${timestamps.operators.size} < ${thresholds.signedTimestamps}${because}`,
    )
  }
  if (logged.timeOperators.size < thresholds.integratedTimes) {
    throw new VerificationError(
      'TIME_UNVERIFIED',
      `threshold not met for verified log entry integrated timestamps: ${logged.timeOperators.size} < ${thresholds.integratedTimes}${because}`,
    )
  }
  // An operator who runs a log and a timestamp authority is one witness of the time, not two.
  const total = new Set([...timestamps.operators, ...logged.timeOperators]).size
  if (total < thresholds.times) {
    throw new VerificationError(
      'TIME_UNVERIFIED',
      `no verified time of the signature: ${total} of ${thresholds.times} found, from a timestamp authority or a signed entry timestamp${because}`,
    )
  }
}

/** The verified times; only when there is none, the current time, if the caller gave it. */
function observedTimes(verified: readonly VerifiedTime[], currentTime: Date | undefined): readonly VerifiedTime[] {
  if (verified.length > 0 || currentTime === undefined) return verified.toSorted((a, b) => a.time.getTime() - b.time.getTime())
  return [{ time: currentTime, source: 'current-time', authority: '' }]
}

function checkCertificate(
  entity: SignedEntity,
  signer: Signer,
  trust: TrustMaterial,
  thresholds: ResolvedThresholds,
  instants: readonly number[],
  options: VerifyOptions,
  notes: string[],
): readonly VerifiedCertificateTimestamp[] {
  if (signer.certificate === undefined) return []
  if (instants.length === 0) {
    throw new VerificationError(
      'TIME_UNVERIFIED',
      'there is no verified time to check the signing certificate at, and the current time was not given',
    )
  }
  if (entity.keyMaterial.kind === 'certificate') checkExtraCertificates(entity.keyMaterial.chain, trust)
  // Every verified time must fit, not just one of them (client specification 4.3).
  const verified = verifyCertificate(signer.certificate, trust, instants)
  return thresholds.scts === 0 ? [] : verifyScts(verified, trust, thresholds.scts, options.detachedSct, notes)
}

function checkKeyWindow({ window }: KeyPolicy, instants: readonly number[]): void {
  if (window === undefined) return
  if (instants.length === 0)
    throw new VerificationError('TIME_UNVERIFIED', 'the key is valid for a time only, and there is no verified time of the signature')
  for (const instant of instants) {
    if (!isWithin(window, instant)) {
      throw new VerificationError(
        'KEY_MISMATCH',
        `the key is valid from ${formatWindow(window)}, not at the time of the signature, ${new Date(instant).toISOString()}`,
      )
    }
  }
}

function identify(signer: Signer, policy: Policy): Evidence['signer'] {
  if (signer.certificate === undefined || policy.signer.kind === 'key') return { kind: 'key', key: signer.key }
  const { certificate } = signer
  return {
    kind: 'certificate',
    identity: verifyIdentity(certificate, policy.signer.identities),
    issuer: certificate.sigstore.issuerV2 ?? certificate.sigstore.issuerV1,
    extensions: certificate.sigstore,
    certificate,
  }
}
