/** Copying manifests with everything that they name from one repository to another, byte for byte: content first, names last. */
import { CountersignError } from '../error.ts'
import type { Descriptor, Manifest, StoredManifest } from './manifest.ts'
import { isManifestType, parseManifest } from './manifest.ts'
import type { Repository } from './repository.ts'

export interface TransferOptions {
  readonly source: Repository
  readonly target: Repository
  /** The source's path where both are on one registry, which then need not be sent what it has. */
  readonly mountFrom?: string | undefined
  readonly signal?: AbortSignal
  readonly progress?: TransferProgress
  /** What is kept in memory, over all calls of `copy`; default 50,000 manifests and 256 MiB of them. */
  readonly limits?: TransferLimits
}

/** How many manifests are kept, and how many bytes of them. */
export interface TransferLimits {
  readonly manifests: number
  readonly manifestBytes: number
}

/** Told how far blobs are. All numbers are bytes. */
export interface TransferProgress {
  /** There is so much more to do. */
  expect(size: number): void
  /** So much of it is done. */
  advance(size: number): void
}

export interface Transfer {
  /**
   * Copies a manifest, its blobs, and what it names where it is an index. The target has it under its digest then.
   * @returns it and every manifest below it, each once, children first
   * @throws CountersignError TOO_LARGE for an index that is nested too deep or names too much, and beyond the limits; as the repositories
   */
  copy(digest: string): Promise<readonly CopiedManifest[]>
}

export interface CopiedManifest {
  readonly stored: StoredManifest
  readonly manifest: Manifest
}

const maxDepth = 8
const maxManifests = 10_000
const defaultLimits: TransferLimits = { manifests: 50_000, manifestBytes: 256 * 1024 * 1024 }
const blobsAtATime = 4
/** Blobs up to this size are held in memory: one request instead of three. */
const smallBytes = 4 * 1024 * 1024
/** Layers that their registries must not give away; who pulls gets them from where their `urls` say. */
const foreignLayer = /^application\/vnd\.(?:docker\.image\.rootfs\.foreign\.|oci\.image\.layer\.nondistributable\.)/

/** What is copied twice, such as layers that images share, is copied once. */
export function createTransfer(options: TransferOptions): Transfer {
  const { source, target, signal, limits = defaultLimits } = options
  const blobs = new Map<string, Promise<void>>()
  const copied = new Map<string, CopiedManifest>()
  let [keptManifests, keptBytes] = [0, 0]
  const keep = ({ bytes }: StoredManifest): void => {
    keptManifests++
    keptBytes += bytes.length
    const exceeded =
      keptManifests > limits.manifests
        ? `${limits.manifests} manifests`
        : keptBytes > limits.manifestBytes
          ? `${limits.manifestBytes} bytes of manifests`
          : undefined
    if (exceeded === undefined) return
    const what = `${source.name}: the image and what lies beside it have more than ${exceeded}, which is the limit of one copy`
    throw new CountersignError('TOO_LARGE', `${what}; copy the images of an index one by one`)
  }
  const gate = createGate(blobsAtATime)
  const blob = (descriptor: Descriptor): Promise<void> => {
    const known = blobs.get(descriptor.digest)
    if (known !== undefined) return known
    const begun = gate(() => copyBlob(options, descriptor))
    blobs.set(descriptor.digest, begun)
    return begun
  }
  const visit = async (digest: string, depth: number, below: Map<string, CopiedManifest>): Promise<void> => {
    if (below.has(digest)) return
    signal?.throwIfAborted()
    if (depth > maxDepth) throw new CountersignError('TOO_LARGE', `${source.name} has an index of indexes more than ${maxDepth} deep`)
    if (below.size >= maxManifests)
      throw new CountersignError('TOO_LARGE', `${source.name} has an index of more than ${maxManifests} manifests`)
    const known = copied.get(digest)
    const stored = known?.stored ?? (await source.manifest(digest))
    if (known === undefined) keep(stored)
    const manifest = known?.manifest ?? parseManifest(stored)
    const children = manifest.kind === 'index' ? manifest.manifests.filter(({ mediaType }) => isManifestType(mediaType)) : []
    for (const child of children) await visit(child.digest, depth + 1, below)
    if (known === undefined) {
      await Promise.all(blobsOf(manifest).map(blob))
      await target.putManifest(stored)
    }
    const done = { stored, manifest }
    copied.set(digest, done)
    below.set(digest, done)
  }
  return {
    copy: async (digest) => {
      const below = new Map<string, CopiedManifest>()
      await visit(digest, 0, below)
      return [...below.values()]
    },
  }
}

function blobsOf(manifest: Manifest): readonly Descriptor[] {
  if (manifest.kind === 'index') return manifest.manifests.filter(({ mediaType }) => !isManifestType(mediaType))
  return [manifest.config, ...manifest.layers.filter(({ mediaType }) => !foreignLayer.test(mediaType))]
}

async function copyBlob({ source, target, mountFrom, progress, signal }: TransferOptions, descriptor: Descriptor): Promise<void> {
  signal?.throwIfAborted()
  const { digest, size } = descriptor
  progress?.expect(size)
  if (size <= smallBytes) {
    if (!(await target.hasBlob(digest))) await target.putBlob(await source.blob(descriptor, smallBytes), mountFrom)
    progress?.advance(size)
    return
  }
  let told = 0
  const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    let passed = 0
    for await (const chunk of await source.openBlob(descriptor)) {
      passed += chunk.length
      // An upload that is begun anew has been told of already.
      if (passed > told) {
        progress?.advance(passed - told)
        told = passed
      }
      yield chunk
    }
  }
  await target.putBlob({ digest, size, chunks }, mountFrom)
  progress?.advance(size - told)
}

/** Lets so many through at a time. */
function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
