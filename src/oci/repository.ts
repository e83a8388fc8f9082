/**
 * The port to where images and what is said about them are: a repository of a registry, or an image layout on disk. One contract
 * suite, `test/contract/repository.test.ts`. Everything read has been compared with its digest.
 */
import type { Descriptor, StoredManifest } from './manifest.ts'

/** What is attached to a manifest, as its repository lists it. */
export interface Referrers {
  readonly descriptors: readonly Descriptor[]
  /** How they were found: with the referrers API, or by the index under the tag that stands in for it. */
  readonly source: 'api' | 'tag'
  /** Sentences about what is listed and could not be read. */
  readonly unreadable?: readonly string[]
}

/** Content to be stored. */
export type BlobContent = Uint8Array | { readonly chunks: () => AsyncIterable<Uint8Array>; readonly digest: string; readonly size: number }

/**
 * All methods throw CountersignError NOT_FOUND for what is not there, SERVICE_REFUSED for what the registry refuses; TransportError
 * NETWORK_FAILED, FILE_UNREADABLE, CONTENT_MISMATCH for content that is not what its digest says, TOO_LARGE, ABORTED.
 */
export interface Repository {
  /** As messages name it: `ghcr.io/owner/app`. */
  readonly name: string

  /** The descriptor of the manifest with this tag or digest. */
  resolve(target: string): Promise<Descriptor>
  /** The manifest with this tag or digest. */
  manifest(target: string): Promise<StoredManifest>
  /** A blob, whole. @param maxBytes what the descriptor says may not be more either */
  blob(descriptor: Descriptor, maxBytes: number): Promise<Uint8Array>
  /** A blob of any size as it arrives. Not to be used before its end: only then is it known to be the one asked for. */
  openBlob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>>
  /** Everything attached to a manifest. Descriptors are claims: what they point at must be looked into. */
  referrers(digest: string): Promise<Referrers>
  tags(): Promise<readonly string[]>

  hasBlob(digest: string): Promise<boolean>
  /** Stores a blob, unless it is there. @param from another repository of the same registry that has it */
  putBlob(content: BlobContent, from?: string): Promise<{ readonly digest: string; readonly size: number }>
  /** Stores a manifest under its digest, and under a tag. What it names must be there. */
  putManifest(manifest: StoredManifest, tag?: string): Promise<Descriptor>
  /** Stores a manifest whose subject is another one, so that `referrers` of that one finds it. */
  attach(manifest: StoredManifest, subject: string): Promise<Descriptor>
  /** Removes what was attached to a manifest, so that `referrers` of that one does not list it any more. */
  detach(digest: string, subject: string): Promise<void>
  /** Removes a manifest by digest, or a tag. */
  remove(target: string): Promise<void>
}
