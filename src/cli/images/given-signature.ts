/** A signature that is in files instead of beside the image: `--signature` and `--payload` of cosign 1. */
import { signatureLayerType } from '../../bundle/image-signature.ts'
import { parseSignatureFile } from '../../bundle/legacy-bundle.ts'
import { encodeSimpleSigning } from '../../bundle/simple-signing.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { contentDigest } from '../../oci/digest.ts'
import type { Findings } from '../../oci/found-signature.ts'
import type { CommandContext } from '../context.ts'
import { readReference } from '../verification/entity-input.ts'
import type { MeantImage } from './image-input.ts'

/**
 * Reads the files. Without a payload it is the one that cosign writes for the image, without annotations.
 * @throws TransportError, DecodingError
 */
export async function readGivenSignature(
  context: CommandContext,
  given: { readonly signature: string; readonly payload: string },
  { repository, descriptor: { digest } }: MeantImage,
): Promise<Findings> {
  const signature = parseSignatureFile(await readReference(context, given.signature, 'the signature'))
  const payload =
    given.payload === ''
      ? encodeUtf8(encodeSimpleSigning({ dockerReference: repository, dockerManifestDigest: digest }))
      : await readReference(context, given.payload, 'the payload')
  const layer = { mediaType: signatureLayerType.signature, digest: contentDigest(payload), size: payload.length }
  const entity = {
    content: { kind: 'message-signature', signature, digest: undefined },
    keyMaterial: { kind: 'none' },
    logEntries: [],
    timestamps: [],
    format: 'legacy',
  } as const
  return {
    signatures: [{ entity, payload, bytes: payload, place: 'given', where: given.signature, manifest: digest, layer, index: 0 }],
    unreadable: [],
    looked: [`the signature ${given.signature}`],
    failures: [],
  }
}
