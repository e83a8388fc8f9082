/** What `verify` and `verify-attestation` have in common: from references to evidence. */
import type { PublicKey } from '../../crypto/public-key.ts'
import type { CountersignError } from '../../error.ts'
import { UsageError } from '../../error.ts'
import type { Findings } from '../../oci/find-signatures.ts'
import { findSignatures } from '../../oci/find-signatures.ts'
import { parseReference } from '../../oci/reference.ts'
import type { ImagePolicy, ImageVerification, VerifiedSignature } from '../../oci/verify-image.ts'
import { verifyImageSignatures } from '../../oci/verify-image.ts'
import type { TrustMaterial } from '../../trust/trust-material.ts'
import type { Demands } from '../../verify/demands.ts'
import type { Policy } from '../../verify/policy.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { EXIT_CODE, ExitError } from '../failure.ts'
import type { FlagValues } from '../flags.ts'
import { loadTrustFor, readDemands } from '../verification/demands-input.ts'
import { checkFlags } from '../verification/flag-checks.ts'
import { readIdentity } from '../verification/identity-input.ts'
import { loadPublicKey } from '../verification/key-input.ts'
import type { verifyAttestationFlags } from './flags.ts'
import type { FoundImage } from './image-input.ts'
import { findImage, forPlatform, withChildren } from './image-input.ts'
import type { Registries } from './registries.ts'
import { connectRegistries } from './registries.ts'

/** The flags that both verbs have. */
export type ImageVerificationFlags = Omit<FlagValues<typeof verifyAttestationFlags>, 'policy' | 'type'>

/** What is particular to one of the verbs, or one call of it. */
export interface ImageVerificationTask {
  readonly wanted: ImagePolicy['wanted']
  readonly acceptAttestations?: boolean
  readonly annotations?: Readonly<Record<string, string>>
}

export interface VerifiedImage {
  readonly image: FoundImage
  readonly signatures: readonly [VerifiedSignature, ...VerifiedSignature[]]
  readonly verification: ImageVerification
  readonly findings: Findings
  readonly key: PublicKey | undefined
  readonly demands: Demands
}

const ignoredLog = 'Skipping tlog verification is an insecure practice that lacks transparency and auditability verification for the'
const maxShown = 20

/**
 * Verifies image after image; the caller says what is known of one before the next is looked at.
 * @throws UsageError; ExitError 10 to 12; TransportError, VerificationError
 */
export async function* verifyImages(
  context: CommandContext,
  flags: ImageVerificationFlags,
  references: readonly string[],
  task: ImageVerificationTask,
): AsyncGenerator<VerifiedImage, void, undefined> {
  checkFlags({ ...flags, signature: '', bundle: '', 'rfc3161-timestamp': '' })
  if (flags['local-image']) throw new UsageError('USAGE', '--local-image is not supported by this version')
  const parsed = references.map(parseReference)
  const identity = flags.key === '' ? await readIdentity(flags) : undefined
  const registries = connectRegistries(context, flags)
  if (flags['insecure-ignore-tlog']) warn(context, `${ignoredLog} ${task.wanted === 'signature' ? 'signature' : 'attestation'}.`)
  const key = flags.key === '' ? undefined : await loadPublicKey(context, flags.key)
  const demands = readDemands(context, flags)
  const signer: Policy['signer'] =
    key === undefined ? { kind: 'certificate', identities: identity === undefined ? [] : [identity] } : { kind: 'key', key }
  let trust: Promise<TrustMaterial> | undefined
  for (const reference of parsed) {
    const repository = registries.open(reference)
    const found = await findImage(repository, reference)
    const image = flags.platform === '' ? found : await forPlatform(repository, found, flags.platform)
    for (const one of flags.recursive ? await withChildren(repository, image) : [image]) {
      const findings = await find(registries, one, flags, task)
      // What lies beside the image may hold timestamps: the authorities are loaded in any case, once.
      trust ??= loadTrustFor(context, flags, key, demands, true)
      const policy: ImagePolicy = { signer, trust: await trust, demands, checkClaims: flags['check-claims'], ...task }
      const verification = await verifyImageSignatures(findings, one.descriptor.digest, policy)
      const [first, ...others] = verification.verified
      if (first === undefined) throw nothingVerified(one, findings, verification, task)
      yield { image: one, signatures: [first, ...others], verification, findings, key, demands }
    }
  }
}

function find(
  registries: Registries,
  image: FoundImage,
  flags: ImageVerificationFlags,
  { wanted, acceptAttestations }: ImageVerificationTask,
): Promise<Findings> {
  return findSignatures(registries.signaturesOf(image.reference), image.descriptor.digest, {
    kinds:
      wanted === 'signature' && acceptAttestations !== true
        ? ['signature']
        : wanted === 'signature'
          ? ['signature', 'attestation']
          : ['attestation'],
    tagPrefix: flags['attachment-tag-prefix'],
    allowCertificateChain: flags['allow-certificate-chain'],
  })
}

/** The error for an image of which nothing holds: cosign's first words and exit codes, and where was looked. */
function nothingVerified(
  image: FoundImage,
  { signatures, unreadable, looked }: Findings,
  { refused, others }: ImageVerification,
  { wanted }: ImageVerificationTask,
): CountersignError {
  const noun = wanted === 'signature' ? 'signatures' : 'attestations'
  const where = `(${image.name}, ${image.descriptor.digest}; looked into ${looked.join('; ')})`
  const damaged = unreadable.length === 0 ? '' : `; unreadable: ${shorten(unreadable).join('; ')}`
  if (refused.length === 0) {
    const beside =
      wanted === 'signature' && others.length > 0
        ? `; there are ${others.length} attestations, which are no signatures: see verify-attestation, or --accept-attestations`
        : ''
    const message = signatures.length > others.length || unreadable.length > 0 ? `no readable ${noun} found` : `no ${noun} found`
    return new ExitError(EXIT_CODE.noSignatures, 'NOT_FOUND', `${message} ${where}${beside}${damaged}`)
  }
  const reasons = shorten(refused.map(({ found, error }) => `${found.where}: ${reasonOf(error)}`))
  const [first] = refused
  return new ExitError(
    wanted === 'signature' ? EXIT_CODE.noMatchingSignatures : 1,
    first?.error.code ?? 'SIGNATURE_INVALID',
    `no matching ${noun}: ${reasons.join('\n ')}${damaged}`,
  )
}

/** cosign's word for a signature that is not the key's. */
function reasonOf({ code, message }: CountersignError): string {
  return code === 'SIGNATURE_INVALID' ? `invalid signature when validating ASN.1 encoded signature: ${message}` : message
}

/** Twenty reasons say as much as a thousand. */
function shorten(reasons: readonly string[]): string[] {
  const shown = reasons.slice(0, maxShown)
  return reasons.length > maxShown ? [...shown, `and ${reasons.length - maxShown} more`] : shown
}
