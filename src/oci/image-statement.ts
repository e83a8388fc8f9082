/** What is signed about an image: that it is the signer's, as a statement (cosign 3) or in the simple signing format (1 and 2). */
import { encodeSimpleSigning } from '../bundle/simple-signing.ts'
import { parseStatement } from '../bundle/statement.ts'
import { encodeUtf8, excerpt } from '../encoding/bytes.ts'
import { encodeJson } from '../encoding/json-writer.ts'
import { UsageError } from '../error.ts'
import type { Annotations } from './manifest.ts'
import { signPredicateType } from './signature-places.ts'

/** What a signature says about an image. */
export interface ImageClaim {
  /** Of the image's manifest: `sha256:…`. */
  readonly digest: string
  /** What the signer says beside it. */
  readonly annotations?: Annotations
}

/**
 * The statement that `sign` signs: the image is its only subject, without a name, and the predicate is empty.
 * @returns JSON on one line
 * @throws UsageError USAGE for what is no digest
 */
export function encodeImageStatement({ digest, annotations = {} }: ImageClaim): Uint8Array {
  const [algorithm = '', hex] = digest.split(':')
  if (hex === undefined) throw new UsageError('USAGE', `expected the digest of an image, found ${excerpt(digest)}`)
  const statement = encodeUtf8(
    encodeJson({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { [algorithm]: hex }, ...(Object.keys(annotations).length === 0 ? {} : { annotations: { ...annotations } }) }],
      predicateType: signPredicateType,
      predicate: {},
    }),
  )
  // What cannot be verified must not be signed.
  parseStatement(statement)
  return statement
}

/** The payload that cosign 1 and 2 signed. @param dockerReference the repository, or what the signer calls the image */
export function encodeImagePayload({ digest, annotations = {} }: ImageClaim, dockerReference: string): Uint8Array {
  return encodeUtf8(encodeSimpleSigning({ dockerReference, dockerManifestDigest: digest, optional: annotations }))
}
