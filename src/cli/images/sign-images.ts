/** `sign`: from flags to signatures beside images. */
import { inTotoPayloadType } from '../../bundle/dsse.ts'
import { parseSimpleSigning } from '../../bundle/simple-signing.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { UsageError, VerificationError } from '../../error.ts'
import { encodeImagePayload, encodeImageStatement } from '../../oci/image-statement.ts'
import { signPredicateType } from '../../oci/signature-places.ts'
import { signEnvelope, signMessage } from '../../sign/signed-content.ts'
import { envelopeAlgorithm, messageAlgorithm } from '../../sign/signing-algorithm.ts'
import type { CommandContext } from '../context.ts'
import { printableLine } from '../quote.ts'
import type { FlagValues } from '../flags.ts'
import { createConfirmation } from '../signing/confirmation.ts'
import { checkSigningFlags } from '../signing/signing-steps.ts'
import type { Task } from '../signing/task.ts'
import { readInputFile } from '../verification/input-file.ts'
import type { ImageOutputs } from './image-outputs.ts'
import { imageFiles, planImageOutputs } from './image-outputs.ts'
import type { SignatureToMake } from './image-signing.ts'
import { signTargets } from './image-signing.ts'
import { connectRegistries } from './registries.ts'
import type { signFlags } from './signing-flags.ts'
import type { SignatureLayout } from './signing-layout.ts'
import { chooseLayout, layoutNeeds } from './signing-layout.ts'
import type { SigningTarget } from './signing-targets.ts'
import { findTargets, warnOfTags } from './signing-targets.ts'
import { storeSignature } from './storing.ts'
import { readAnnotations } from './verify-signatures.ts'

export type SignFlags = FlagValues<typeof signFlags>

/** What only means something in the format from before bundles. */
const oldFlags = ['output-signature', 'output-certificate', 'output-payload', 'payload', 'sign-container-identity', 'attachment'] as const
const maxPayloadBytes = 1024 * 1024

/**
 * Signs images with one identity.
 * @param isGiven whether a flag was given, on the command line or by the environment
 * @throws CountersignError, in cosign's words where it has any
 */
export async function signImages(
  context: CommandContext,
  flags: SignFlags,
  images: readonly string[],
  isGiven: (flag: string) => boolean,
): Promise<void> {
  checkSigningFlags(flags)
  const annotations = readAnnotations(flags.annotations)
  if (!flags['local-image']) warnOfTags(context, images)
  const layout = chooseLayout(
    context,
    flags,
    isGiven,
    oldFlags.filter((name) => flags[name].length > 0),
  )
  if (layout === 'bundle' && !flags.upload && flags.bundle === '')
    throw new UsageError('USAGE', 'must enable upload to the OCI registry or specify a local --bundle path with --new-bundle-format')
  const given = layout !== 'bundle' && flags.payload !== '' ? readPayload(context, flags.payload) : undefined
  checkNames(flags, layout)
  const registries = connectRegistries(context, flags)
  const targets = await findTargets(context, registries, images, {
    recursive: flags.recursive,
    local: flags['local-image'],
    stores: flags.upload,
    attachment: layout === 'bundle' ? '' : flags.attachment,
    tagPrefix: flags['attachment-tag-prefix'],
  })
  const outputs = planImageOutputs(
    context.cwd,
    flags,
    layout,
    targets.map(({ image }) => image),
  )
  const task: Task<SignFlags> = {
    context,
    flags,
    inputIsTaken: false,
    outputIsTaken: flags.format === 'json',
    confirmation: createConfirmation(context, flags, false),
  }
  await signTargets(
    {
      task,
      registries,
      needs: layoutNeeds(layout, flags),
      noun: 'signature',
      algorithmOf: layout === 'bundle' ? envelopeAlgorithm : messageAlgorithm,
      isGiven,
    },
    targets.flatMap((target, index) => {
      const files = outputs[index]
      if (files === undefined) return []
      return layout === 'bundle'
        ? [bundleSignature(task, target, annotations, files)]
        : payloadsOf(flags, target, annotations, given).map((payload) => layerSignature(task, layout, target, payload, files))
    }),
  )
}

function bundleSignature(
  { context, flags }: Task<SignFlags>,
  target: SigningTarget,
  annotations: Readonly<Record<string, string>>,
  outputs: ImageOutputs,
): SignatureToMake {
  const statement = encodeImageStatement({ digest: target.image.descriptor.digest, annotations })
  const stored = { kind: 'signature', contents: statement, predicateType: signPredicateType } as const
  return {
    target,
    sign: (signer) => signEnvelope(statement, inTotoPayloadType, signer),
    files: ({ entity }) => imageFiles(outputs, entity, undefined),
    store: flags.upload ? (result) => storeSignature(context, flags, 'bundle', target, result, stored) : undefined,
  }
}

function layerSignature(
  { context, flags }: Task<SignFlags>,
  layout: SignatureLayout,
  target: SigningTarget,
  payload: Uint8Array,
  outputs: ImageOutputs,
): SignatureToMake {
  const stored = { kind: 'signature', contents: payload, predicateType: undefined } as const
  const isPrinted = !flags.upload && outputs.signature === '' && outputs.bundle === ''
  return {
    target,
    sign: (signer) => signMessage(payload, signer),
    files: ({ entity }) => imageFiles(outputs, entity, payload),
    store: flags.upload ? (result) => storeSignature(context, flags, layout, target, result, stored) : undefined,
    ...(isPrinted ? { print: ({ entity }) => `${encodeBase64(entity.content.signature)}\n` } : {}),
  }
}

/** Several signatures of one image have no room in one file. */
function checkNames(flags: SignFlags, layout: SignatureLayout): void {
  if (layout === 'bundle' || flags['sign-container-identity'].length < 2) return
  const file = (['output-signature', 'output-payload', 'output-certificate', 'bundle'] as const).find((name) => flags[name] !== '')
  if (file === undefined) return
  throw new UsageError(
    'USAGE',
    `--${file} names one file, and --sign-container-identity makes several signatures: sign with one name at a time`,
  )
}

/** One for each name that the signature is to give the image. */
function payloadsOf(
  flags: SignFlags,
  { image }: SigningTarget,
  annotations: Readonly<Record<string, string>>,
  given: Uint8Array | undefined,
): Uint8Array[] {
  const { digest } = image.descriptor
  if (given === undefined) {
    const names = flags['sign-container-identity'].length === 0 ? [image.repository] : flags['sign-container-identity']
    return names.map((name) => encodeImagePayload({ digest, annotations }, name))
  }
  const { dockerManifestDigest } = parseSimpleSigning(given)
  if (dockerManifestDigest === digest) return [given]
  throw new VerificationError(
    'ARTIFACT_MISMATCH',
    `the payload ${flags.payload} is about ${dockerManifestDigest}, and ${image.name} is ${digest}: a signature of it would not be one of the image`,
  )
}

function readPayload(context: CommandContext, file: string): Uint8Array {
  context.stderr.write(`Using payload from: ${printableLine(file)}\n`)
  return readInputFile(context.cwd, file, 'the payload', maxPayloadBytes)
}
