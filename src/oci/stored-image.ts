/** What a folder holds of an image, compared with the digests that stand for it: nobody has done that when it was put there. */
import { CountersignError } from '../error.ts'
import type { Descriptor } from './manifest.ts'
import { isManifestType, parseManifest } from './manifest.ts'
import type { Repository } from './repository.ts'

const maxDepth = 8
const maxManifests = 10_000

/**
 * Reads an image and everything that it names. Its own manifest must be there; of what that names, such as the images of an index for
 * other platforms, what is there must be what its digest says.
 * @param digest of the image's manifest
 * @returns the digests of everything that it names
 * @throws TransportError CONTENT_MISMATCH; CountersignError NOT_FOUND, TOO_LARGE, ABORTED; as the repository
 */
export async function checkStoredImage(repository: Repository, digest: string, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  const isNew = (named: string): boolean => !seen.has(named) && seen.add(named).has(named)
  const visit = async (manifestDigest: string, depth: number): Promise<void> => {
    if (depth > maxDepth) throw new CountersignError('TOO_LARGE', `${repository.name} has an index of indexes more than ${maxDepth} deep`)
    if (seen.size > maxManifests) throw new CountersignError('TOO_LARGE', `${repository.name} names more than ${maxManifests} things`)
    const manifest = parseManifest(await repository.manifest(manifestDigest))
    const named = manifest.kind === 'index' ? manifest.manifests : [manifest.config, ...manifest.layers]
    for (const descriptor of named) {
      if (!isNew(descriptor.digest) || !(await repository.hasBlob(descriptor.digest))) continue
      if (manifest.kind === 'index' && isManifestType(descriptor.mediaType)) await visit(descriptor.digest, depth + 1)
      else await readThrough(repository, descriptor, signal)
    }
  }
  await visit(digest, 0)
  return seen
}

/** Its end says whether it was the content that was asked for. */
async function readThrough(repository: Repository, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<void> {
  const chunks = (await repository.openBlob(descriptor))[Symbol.asyncIterator]()
  while ((await chunks.next()).done !== true) signal?.throwIfAborted()
}
