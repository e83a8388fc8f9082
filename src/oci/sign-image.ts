/** Images signed and attested in one call: resolved once, signed by the digest, stored beside the image as a bundle. */
import { encodeStatement } from '../bundle/statement-writer.ts'
import type { StatementParts } from '../bundle/statement-writer.ts'
import { parseStatement } from '../bundle/statement.ts'
import { CountersignError } from '../error.ts'
import type { SignedArtifact, SigningSession, SignOptions } from '../sign/sign.ts'
import { createSigningSession } from '../sign/sign.ts'
import { isDigest, splitDigest } from './digest.ts'
import { encodeImageStatement } from './image-statement.ts'
import type { Annotations, Descriptor } from './manifest.ts'
import type { Repository } from './repository.ts'
import { storeBundle } from './store-signatures.ts'

/** With what an image is signed, and where the bundle goes. */
export interface StoreOptions extends SignOptions {
  /** Signs with this session, so that several images need one identity token only. The options of signing are its own then. */
  readonly session?: SigningSession
  /** Where the bundle goes, if not beside the image. */
  readonly signatures?: Repository
  /** False makes the bundle and stores nothing; default true. */
  readonly store?: boolean
}

/** As `StoreOptions`, with what a signature may say. */
export interface SignImageOptions extends StoreOptions {
  /** What the signature says beside the digest; `verifyImage` can demand it. */
  readonly annotations?: Annotations
}

/** An image's signature or attestation, and where it is. */
export interface SignedImage extends SignedArtifact {
  /** Of the image's manifest: what was signed. */
  readonly digest: string
  /** The manifest that holds the bundle. Undefined where nothing was stored. */
  readonly stored: Descriptor | undefined
}

/**
 * Signs an image, or anything else in a repository. The bundle was verified before it is stored.
 *
 * ```ts
 * const { digest } = await signImage(openRepository('ghcr.io/owner/app'), 'v1', { annotations: { env: 'prod' } })
 * ```
 * @param target a tag or a digest of the repository
 * @throws CountersignError NOT_FOUND when there is no such image; what `sign` and `Repository.attach` throw
 */
export async function signImage(repository: Repository, target: string, options: SignImageOptions = {}): Promise<SignedImage> {
  const image = await resolve(repository, target)
  const { annotations = {} } = options
  return signAndStore(repository, image, encodeImageStatement({ digest: image.digest, annotations }), options)
}

/**
 * Attests something about an image. The bundle was verified before it is stored.
 *
 * ```ts
 * await attestImage(repository, digest, { predicateType: 'slsaprovenance1', predicate: provenance })
 * ```
 * @param target a tag or a digest of the repository
 * @param said the predicate and its type, as `createStatement` has them; the image is the statement's only subject
 * @throws UsageError USAGE for an unknown predicate type; DecodingError STATEMENT_INVALID; otherwise as `signImage`
 */
export async function attestImage(
  repository: Repository,
  target: string,
  said: Omit<StatementParts, 'subjects'>,
  options: StoreOptions = {},
): Promise<SignedImage> {
  const image = await resolve(repository, target)
  const parts = splitDigest(image.digest)
  const digests = parts === undefined ? {} : { [parts.algorithm]: parts.value }
  const statement = encodeStatement({ ...said, subjects: [{ name: repository.name, digests }] }, (options.now ?? Date.now)())
  return signAndStore(repository, image, statement, options)
}

async function resolve(repository: Repository, target: string): Promise<Descriptor> {
  const image = await repository.resolve(target)
  if (!isDigest(target) || image.digest === target) return image
  throw new CountersignError('CONTENT_MISMATCH', `${repository.name} has ${image.digest} for ${target}`)
}

async function signAndStore(repository: Repository, image: Descriptor, statement: Uint8Array, options: StoreOptions): Promise<SignedImage> {
  const { session, signatures = repository, store = true, now = Date.now, ...signing } = options
  const signed = await (session ?? (await createSigningSession({ ...signing, now }))).signStatement(statement)
  const stored = store
    ? await storeBundle(signatures, image, {
        bundle: signed.bundle,
        content: 'dsse-envelope',
        predicateType: parseStatement(statement).predicateType,
        created: new Date(now()),
      })
    : undefined
  return { ...signed, digest: image.digest, stored }
}
