/** `attest`: from flags to attestations beside images. */
import { encodeEnvelope, inTotoPayloadType } from '../../bundle/dsse.ts'
import { predicateTypeUri } from '../../bundle/predicate-type.ts'
import type { DsseEnvelope } from '../../bundle/signed-entity.ts'
import { parseStatement } from '../../bundle/statement.ts'
import { signatureAnnotation } from '../../bundle/image-signature.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import { splitDigest } from '../../oci/digest.ts'
import type { SignedResult } from '../../sign/sign-content.ts'
import { timestampEnvelope } from '../../sign/envelope-timestamp.ts'
import { signEnvelope } from '../../sign/signed-content.ts'
import { envelopeAlgorithm } from '../../sign/signing-algorithm.ts'
import { artifactFromDigests } from '../../verify/artifact.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import {
  checkEntryType,
  checkSubject,
  readFinishedStatement,
  readPredicate,
  statementAbout,
  warnOfText,
} from '../signing/attestation-input.ts'
import { createConfirmation } from '../signing/confirmation.ts'
import { checkSigningFlags } from '../signing/signing-steps.ts'
import type { Task } from '../signing/task.ts'
import type { FoundImage } from './image-input.ts'
import type { ImageOutputs } from './image-outputs.ts'
import { imageFiles, planImageOutputs } from './image-outputs.ts'
import type { Circumstances, SignatureToMake } from './image-signing.ts'
import { signTargets } from './image-signing.ts'
import { connectRegistries } from './registries.ts'
import type { attestFlags } from './signing-flags.ts'
import type { SignatureLayout } from './signing-layout.ts'
import { chooseLayout, layoutNeeds } from './signing-layout.ts'
import type { SigningTarget } from './signing-targets.ts'
import { findTargets, warnOfTags } from './signing-targets.ts'
import { storeSignature } from './storing.ts'

export type AttestFlags = FlagValues<typeof attestFlags>

/**
 * Attests images with one identity: each gets a statement of its own about what the predicate says.
 * @param isGiven whether a flag was given, on the command line or by the environment
 * @throws CountersignError, in cosign's words where it has any
 */
export async function attestImages(
  context: CommandContext,
  flags: AttestFlags,
  images: readonly string[],
  isGiven: (flag: string) => boolean,
): Promise<void> {
  checkSigningFlags(flags)
  checkEntryType(context, flags['rekor-entry-type'])
  if ((flags.predicate === '') === (flags.statement === '')) throw new UsageError('USAGE', 'one of --predicate or --statement must be set')
  predicateTypeUri(flags.type)
  if (!flags['local-image']) warnOfTags(context, images)
  warnOfText(context, flags)
  const layout = chooseLayout(context, flags, isGiven, [])
  if (flags.replace && layout === 'bundle')
    warn(context, '--replace has no effect on bundles: the attestation is added to those that are there')
  const registries = connectRegistries(context, flags)
  const tagPrefix = flags['attachment-tag-prefix']
  const targets = await findTargets(context, registries, images, {
    recursive: flags.recursive,
    local: flags['local-image'],
    stores: !flags['no-upload'],
    tagPrefix,
  })
  const outputs = planImageOutputs(
    context.cwd,
    flags,
    layout,
    targets.map(({ image }) => image),
  )
  const inputIsTaken = flags.predicate === '-' || flags.statement === '-'
  const task: Task<AttestFlags> = {
    context,
    flags,
    inputIsTaken,
    outputIsTaken: flags.format === 'json' || flags['no-upload'],
    confirmation: createConfirmation(context, flags, inputIsTaken),
  }
  const statementFor = await statements(context, flags, isGiven('type'))
  await signTargets(
    { task, registries, needs: layoutNeeds(layout, flags), noun: 'attestation', algorithmOf: envelopeAlgorithm, isGiven },
    targets.flatMap((target, index) => {
      const files = outputs[index]
      return files === undefined ? [] : [attestation(task, layout, target, statementFor(target.image), files)]
    }),
  )
}

/** What is signed about each image: a statement that is made of the predicate, or the finished one. */
async function statements(context: CommandContext, flags: AttestFlags, typeIsGiven: boolean): Promise<(image: FoundImage) => Uint8Array> {
  if (flags.statement !== '') {
    const finished = await readFinishedStatement(context, flags, typeIsGiven)
    return ({ name, descriptor }) => {
      checkSubject(finished, flags.statement, name, artifactFromDigests(digestsOf(descriptor.digest)), 'image')
      return finished.payload
    }
  }
  const predicate = await readPredicate(context, flags)
  return ({ repository, descriptor }) =>
    statementAbout(context, flags, [{ name: repository, digests: digestsOf(descriptor.digest) }], predicate)
}

function digestsOf(digest: string): Record<string, Uint8Array> {
  const parts = splitDigest(digest)
  return parts === undefined ? {} : { [parts.algorithm]: parts.value }
}

function attestation(
  { context, flags }: Task<AttestFlags>,
  layout: SignatureLayout,
  target: SigningTarget,
  statement: Uint8Array,
  outputs: ImageOutputs,
): SignatureToMake {
  const { predicateType } = parseStatement(statement)
  const replaces = flags.replace
    ? {
        replaces: (layer: { readonly annotations?: Readonly<Record<string, string>> }) =>
          layer.annotations?.[signatureAnnotation.predicateType] === predicateType,
      }
    : {}
  const isPrinted = flags['no-upload'] && outputs.bundle === ''
  return {
    target,
    sign: (signer) => signEnvelope(statement, inTotoPayloadType, signer),
    ...(layout === 'bundle' ? {} : { complete: (result, circumstances) => withFileTimestamp(context, result, circumstances) }),
    files: ({ entity }) => imageFiles(outputs, entity, undefined),
    store: flags['no-upload']
      ? undefined
      : (result) => {
          const contents = encodeUtf8(encodeEnvelope(envelopeOf(result)))
          return storeSignature(context, flags, layout, target, result, { kind: 'attestation', contents, predicateType, ...replaces })
        },
    ...(isPrinted ? { print: (result) => `${encodeEnvelope(envelopeOf(result))}\n` } : {}),
  }
}

/** The verifiers of the old format want a timestamp over the envelope as it is stored, and not over its signature. */
async function withFileTimestamp(
  { env }: CommandContext,
  result: SignedResult,
  { material, certificate, timestampTls, signal }: Circumstances,
): Promise<SignedResult> {
  const [authority] = material.services.timestampAuthorities
  if (authority === undefined) return result
  const timestamp = await timestampEnvelope(envelopeOf(result), authority, certificate, material.trust, {
    env,
    signal,
    strangers: material.strangers,
    ...(timestampTls === undefined ? {} : { tls: timestampTls }),
  })
  return { ...result, entity: { ...result.entity, timestamps: [timestamp] } }
}

function envelopeOf({ entity: { content } }: SignedResult): DsseEnvelope {
  if (content.kind !== 'dsse-envelope') throw new TypeError('an attestation is an envelope')
  return content
}
