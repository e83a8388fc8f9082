/** Puts a finished signature where its format belongs. */
import { encodeBundle } from '../../bundle/encode-bundle.ts'
import type { LayerToStore } from '../../oci/store-signatures.ts'
import { storeBundle, storeLayer, storeLegacyReferrer } from '../../oci/store-signatures.ts'
import { defaultSignatureAlgorithm, verifySignature } from '../../crypto/signature.ts'
import { UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { SignedResult } from '../../sign/sign-content.ts'
import type { CommandContext } from '../context.ts'
import type { SignatureLayout } from './signing-layout.ts'
import { isTrue } from '../flag-values.ts'
import type { SigningTarget } from './signing-targets.ts'

export interface StoringFlags {
  readonly 'attachment-tag-prefix': string
  readonly 'record-creation-timestamp': boolean
}

export interface ToStore extends Pick<LayerToStore, 'kind' | 'contents' | 'replaces'> {
  readonly predicateType: string | undefined
}

/**
 * Stores a signature or an attestation.
 * @returns the digest of the manifest that holds it
 * @throws UsageError USAGE for SOURCE_DATE_EPOCH; as `storeBundle` and `storeLayer`
 */
export async function storeSignature(
  context: CommandContext,
  flags: StoringFlags,
  layout: SignatureLayout,
  { image, signatures }: SigningTarget,
  { entity, evidence: { signer } }: SignedResult,
  stored: ToStore,
): Promise<string> {
  const { env, signal } = context
  const { kind, predicateType } = stored
  if (layout === 'bundle') {
    const bundle = encodeBundle(entity, { certificateChain: true })
    const created = creationTime(context)
    return (await storeBundle(signatures, image.descriptor, { bundle, content: 'dsse-envelope', predicateType, created })).digest
  }
  const layer: LayerToStore = {
    kind,
    contents: stored.contents,
    entity,
    signal,
    tagPrefix: flags['attachment-tag-prefix'],
    dockerTypes: isTrue(env['COSIGN_DOCKER_MEDIA_TYPES']),
    ...(flags['record-creation-timestamp'] ? { created: creationTime(context) } : {}),
    ...(kind === 'attestation' && predicateType !== undefined ? { predicateType } : {}),
    ...(kind === 'signature' && signer.kind === 'key'
      ? { isRepeated: (signature) => verifySignature(signer.key, defaultSignatureAlgorithm(signer.key), stored.contents, signature) }
      : {}),
    ...(stored.replaces === undefined ? {} : { replaces: stored.replaces }),
  }
  return layout === 'tag'
    ? storeLayer(signatures, image.descriptor.digest, layer)
    : storeLegacyReferrer(signatures, image.descriptor, layer)
}

/** The time to write, now or that of a reproducible build (https://reproducible-builds.org/specs/source-date-epoch/). */
export function creationTime(context: CommandContext): Date {
  const epoch = context.env['SOURCE_DATE_EPOCH'] ?? ''
  if (epoch === '') return new Date(context.now())
  const seconds = /^[0-9]{1,12}$/.test(epoch) ? Number(epoch) : Number.NaN
  if (Number.isFinite(seconds) && seconds < 253_402_300_800) return new Date(seconds * 1000)
  throw new UsageError('USAGE', `SOURCE_DATE_EPOCH should be seconds since 1970, found ${excerpt(epoch)}`)
}
