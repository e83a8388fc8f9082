/** An image verified in one call: resolved once, everything that was signed about it found and judged. */
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import type { Demands } from '../verify/demands.ts'
import type { Members } from '../verify/policy-check.ts'
import {
  checkMembers,
  checkObject,
  checkPredicateType,
  checkSigner,
  checkTime,
  checkTrust,
  copySigner,
  invalidDemand,
  kindOf,
} from '../verify/policy-check.ts'
import { isDigest } from './digest.ts'
import type { FindOptions } from './find-signatures.ts'
import { findSignatures } from './find-signatures.ts'
import type { Findings, FoundSignature } from './found-signature.ts'
import type { Repository } from './repository.ts'
import type { ImageVerification } from './image-verifier.ts'
import { openImageVerifier } from './image-verifier.ts'
import type { ImagePolicy, VerifiedSignature } from './verify-image.ts'

const maxShown = 20

/** Who must have signed and whom to believe, as in `ImagePolicy`, and where to look. */
export interface VerifyImageOptions extends Omit<ImagePolicy, 'wanted' | 'demands'>, Omit<FindOptions, 'kinds' | 'onFound'> {
  /** Default a signature. */
  readonly wanted?: ImagePolicy['wanted']
  /** Default: an entry in a transparency log, and a certificate timestamp for certificates. */
  readonly demands?: Partial<Demands>
  /** Where the signatures are, if they are not beside the image. */
  readonly signatures?: Repository
}

/** An image with at least one signature that holds. */
export interface VerifiedImageResult extends ImageVerification {
  /** Of the manifest that was verified: go on with this, never with a tag, which may mean something else by now. */
  readonly digest: string
  /** At least one. */
  readonly verified: readonly [VerifiedSignature, ...VerifiedSignature[]]
  readonly findings: Findings
}

/**
 * Verifies that somebody whom the policy names has signed an image, or has attested something about it.
 * @param target a tag or a digest of the repository
 * @throws CountersignError NOT_FOUND when there is no such image or nothing that was signed about it; the code of the first
 *   signature that was refused when none holds; what went wrong when nothing holds and a place could not be looked into
 */
export async function verifyImage(repository: Repository, target: string, options: VerifyImageOptions): Promise<VerifiedImageResult> {
  checkImageOptions(options)
  const { wanted = 'signature', demands = {}, signatures = repository, ...policy } = options
  const kinds =
    wanted !== 'signature' ? (['attestation'] as const) : policy.acceptAttestations === true ? undefined : (['signature'] as const)
  const { log = true, scts = true, signedTimestamps = false, now = new Date(), detachedSct } = demands
  // As it is now: what the caller changes while registries are asked is none of this verification's.
  const completed: ImagePolicy = {
    ...policy,
    signer: copySigner(policy.signer),
    ...(policy.annotations === undefined ? {} : { annotations: { ...policy.annotations } }),
    wanted: structuredClone(wanted),
    demands: { log, scts, signedTimestamps, now: new Date(now), ...(detachedSct === undefined ? {} : { detachedSct }) },
  }
  const digest = isDigest(target) ? target : (await repository.resolve(target)).digest
  const verifier = openImageVerifier(digest, () => Promise.resolve(completed))
  const onFound = (found: FoundSignature): void => verifier.begin(found)
  const findings = await findSignatures(signatures, digest, { ...options, onFound, ...(kinds === undefined ? {} : { kinds }) })
  const verification = await verifier.finish(findings)
  const [first, ...others] = verification.verified
  if (first === undefined) throw refusalOf(`${repository.name}@${digest}`, findings, verification)
  return { ...verification, verified: [first, ...others], digest, findings }
}

const demandMembers: Members<Demands> = { log: true, scts: true, signedTimestamps: true, now: true, detachedSct: true }
const optionMembers: Members<VerifyImageOptions> = {
  signer: true,
  trust: true,
  wanted: true,
  demands: true,
  signatures: true,
  annotations: true,
  acceptAttestations: true,
  checkClaims: true,
  certificate: true,
  findLogEntry: true,
  tagPrefix: true,
  maxEntries: true,
  maxLayerBytes: true,
  maxTotalBytes: true,
  allowCertificateChain: true,
}

/** What is neither known nor of its type would not be demanded. */
function checkImageOptions(options: VerifyImageOptions): void {
  checkMembers(options, 'the options', optionMembers)
  const { signer, trust, wanted = 'signature', demands = {}, annotations = {} } = options
  checkTrust(trust)
  checkSigner(signer)
  checkMembers(demands, 'the demands', demandMembers)
  checkTime(demands.now, 'the time of the demands')
  const { log, scts, signedTimestamps } = demands
  const { acceptAttestations, checkClaims, allowCertificateChain } = options
  for (const [name, value] of Object.entries({ log, scts, signedTimestamps, acceptAttestations, checkClaims, allowCertificateChain })) {
    if (value !== undefined && typeof value !== 'boolean') throw invalidDemand(`${name} should be true or false, found ${kindOf(value)}`)
  }
  checkObject(annotations, 'annotations')
  for (const [name, value] of Object.entries(annotations)) {
    if (typeof value !== 'string') throw invalidDemand(`the annotation ${excerpt(name)} should be a text, found ${kindOf(value)}`)
  }
  if (wanted === 'signature') return
  if (typeof wanted !== 'object')
    throw invalidDemand(`what is wanted should be "signature", or { predicateType } of an attestation, found ${excerpt(String(wanted))}`)
  checkMembers(wanted, 'what is wanted', { predicateType: true })
  if (!('predicateType' in wanted)) throw invalidDemand('what is wanted of an attestation is its predicateType: undefined for any')
  if (wanted.predicateType !== undefined) checkPredicateType({ predicateType: wanted.predicateType })
}

function refusalOf(image: string, { failures, looked, unreadable }: Findings, { refused }: ImageVerification): CountersignError {
  const [failure] = failures
  if (failure !== undefined) return failure
  const [first] = refused
  if (first === undefined) {
    const where = [...looked, ...unreadable.slice(0, maxShown)].join('; ')
    return new CountersignError('NOT_FOUND', `nothing was found that is signed about ${image} (looked into ${where})`)
  }
  const reasons = [...refused.map(({ found, error }) => `${found.where}: ${error.message}`), ...unreadable].slice(0, maxShown).join('; ')
  return new CountersignError(first.error.code, `nothing that is signed about ${image} holds: ${reasons}`, { cause: first.error })
}
