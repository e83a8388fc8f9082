/** What `verify` and `verify-attestation` have in common: from references to evidence. */
import type { PublicKey } from '../../crypto/public-key.ts'
import { UsageError } from '../../error.ts'
import type { Findings } from '../../oci/found-signature.ts'
import type { ImageVerification } from '../../oci/image-verifier.ts'
import { openImageVerifier } from '../../oci/image-verifier.ts'
import type { ImagePolicy, VerifiedSignature } from '../../oci/verify-image.ts'
import type { TrustMaterial } from '../../trust/trust-material.ts'
import type { Demands } from '../../verify/demands.ts'
import type { Policy } from '../../verify/policy.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { loadTrustFor, readDemands } from '../verification/demands-input.ts'
import { securityKeyRefusal } from '../flag-groups.ts'
import { asksForIdentity, readIdentity, warnOfCertificateFlags } from '../verification/identity-input.ts'
import { keyPolicy, loadPublicKey, signatureDigest } from '../verification/key-input.ts'
import type { MeantImage } from './image-input.ts'
import { inOrder } from './in-order.ts'
import { entryFinder } from './log-entry-search.ts'
import { nothingVerified } from './nothing-verified.ts'
import { openImages } from './signed-images.ts'
import type { FindImages, SignedImage } from './signed-images.ts'
import type { ImageVerificationFlags, ImageVerificationTask } from './verification-task.ts'

export interface VerifiedImage {
  readonly image: MeantImage
  readonly signatures: readonly [VerifiedSignature, ...VerifiedSignature[]]
  readonly verification: ImageVerification
  readonly findings: Findings
  readonly key: PublicKey | undefined
  readonly demands: Demands
}

/** An image that is refused, for `--explain`. */
export interface RefusedImage {
  readonly image: MeantImage
  readonly verification: ImageVerification
  readonly findings: Findings
}

const ignoredLog = 'Skipping tlog verification is an insecure practice that lacks transparency and auditability verification for the'

/**
 * Verifies images, several at a time; they are told in the order that they were named in, and nothing of those after one that is
 * refused. Of an index with everything that it names, all or nothing is told.
 * @param onRefusal is told what is known of an image that is refused
 * @throws UsageError; ExitError 10 to 13; TransportError, VerificationError
 */
export async function* verifyImages(
  context: CommandContext,
  flags: ImageVerificationFlags,
  references: readonly string[],
  task: ImageVerificationTask,
  onRefusal: (refused: RefusedImage) => void = () => undefined,
): AsyncGenerator<VerifiedImage, void, undefined> {
  checkImageFlags(flags)
  signatureDigest(flags)
  const identity = flags.key === '' ? await readIdentity(flags) : undefined
  if (identity === undefined) warnOfCertificateFlags(context, flags)
  const images = await openImages(context, flags, references, task, (digest) => openImageVerifier(digest, loadPolicy))
  if (flags['insecure-ignore-tlog']) warn(context, `${ignoredLog} ${task.wanted === 'signature' ? 'signature' : 'attestation'}.`)
  const key = flags.key === '' ? undefined : await loadPublicKey(context, flags.key)
  const demands = readDemands(context, flags)
  const signer: Policy['signer'] =
    key === undefined ? { kind: 'certificate', identities: identity === undefined ? [] : [identity] } : keyPolicy(key, flags)
  const certificate = flags.certificate === '' ? undefined : await readSigningCertificate(context, flags.certificate)
  // What lies beside the image may hold timestamps: the authorities are loaded in any case, while registries are asked.
  let trust: Promise<TrustMaterial> | undefined
  const loadTrust = (): Promise<TrustMaterial> => {
    trust ??= loadTrustFor(context, flags, key, demands, true)
    trust.catch(() => undefined)
    return trust
  }

  const loadPolicy = async (): Promise<ImagePolicy> => {
    const material = await loadTrust()
    return {
      signer,
      trust: material,
      demands,
      checkClaims: flags['check-claims'],
      findLogEntry: entryFinder(context, flags, material),
      ...(certificate === undefined ? {} : { certificate }),
      ...task,
    }
  }
  const verifyOne = async ({ image, findings, verifier }: SignedImage): Promise<VerifiedImage> => {
    const verification = await verifier.finish(findings)
    const [first, ...others] = verification.verified
    if (first !== undefined) {
      for (const { message } of findings.failures) warn(context, `${image.name}: not everything could be looked into: ${message}`)
      return { image, signatures: [first, ...others], verification, findings, key, demands }
    }
    onRefusal({ image, verification, findings })
    throw nothingVerified(image, findings, verification, task)
  }
  const verifyReference = async (find: FindImages): Promise<VerifiedImage[]> => {
    const found = find()
    found.catch(() => undefined)
    await loadTrust()
    const verified: VerifiedImage[] = []
    for await (const one of inOrder(await found, flags['max-workers'], (load) => load().then(verifyOne))) verified.push(one)
    return verified
  }
  for await (const verified of inOrder(images, flags['max-workers'], verifyReference)) yield* verified
}

/** cosign's rules, with its messages. */
function checkImageFlags(flags: ImageVerificationFlags): void {
  if (flags['max-workers'] < 1) throw usage('please set the --max-worker flag to a value that is greater than 0')
  if (flags.key !== '' && flags.sk) throw usage('exactly one of: key reference (--key), or hardware token (--sk) must be provided')
  if (flags.sk) throw usage(securityKeyRefusal)
  if (flags.key !== '' && flags.certificate !== '') {
    throw usage('exactly one of: key reference (--key), certificate (--cert) or hardware token (--sk) must be provided')
  }
  if (flags.key !== '' && asksForIdentity(flags)) {
    throw usage(
      "exactly one of: key reference (--key) or certificate identity (--certificate-identity or --certificate-identity-regexp), must be provided. To determine which to use, inspect the bundle's 'verificationMaterial' field: if 'publicKey' is present, use key reference; if 'certificate' or 'x509CertificateChain' is present, use certificate identity",
    )
  }
}

async function readSigningCertificate(context: CommandContext, reference: string): Promise<NonNullable<ImagePolicy['certificate']>> {
  const { readCertificate } = await import('../verification/entity-input.ts')
  const [leaf, ...chain] = await readCertificate(context, reference)
  if (leaf === undefined) throw usage(`the certificate ${reference} holds no certificate`)
  return { kind: 'certificate', leaf, chain }
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
