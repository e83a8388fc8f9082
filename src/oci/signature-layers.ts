/** Reads the layers that hold something signed: what is usual at once, the rest within a budget when everything is known. */
import { parseBundle } from '../bundle/bundle.ts'
import { readImageAttestation, readImageSignature, signatureLayerType } from '../bundle/image-signature.ts'
import { CountersignError } from '../error.ts'
import type { FoundSignature } from './found-signature.ts'
import type { Descriptor } from './manifest.ts'
import type { Repository } from './repository.ts'

/** How much is read. */
export interface LayerOptions {
  /** The largest layer that is read; default 128 MiB (COSIGN_MAX_ATTACHMENT_SIZE). */
  readonly maxLayerBytes?: number
  /** How much is read beyond the first 8 MiB, the smallest layers first; default 256 MiB, or one layer of the largest size. */
  readonly maxTotalBytes?: number
  readonly allowCertificateChain?: boolean
}

/** A layer that holds something signed, by its media type. */
export type Candidate = Omit<FoundSignature, 'entity' | 'payload' | 'bytes'>

const defaultMaxLayerBytes = 128 * 1024 * 1024
const defaultMaxTotalBytes = 256 * 1024 * 1024
const maxEarlyLayers = 100
const maxEarlyBytes = 8 * 1024 * 1024

/** Reads the layers of one image. */
export interface LayerReader {
  /** Reads a layer at once, if it is no more than is usual. */
  add(candidate: Candidate): void
  /** Reads the rest: small ones first, so that what is stored to keep others from being read has to be smaller than they are. */
  finish(): Promise<void>
}

/**
 * Opens a reader of layers.
 * @param take given each signature as soon as it is read
 * @param attempt told of each failure, which concerns one layer alone: it runs the work that may fail
 */
export function openLayerReader(
  repository: Repository,
  options: LayerOptions,
  take: (found: FoundSignature) => void,
  attempt: (where: string, work: () => Promise<void>) => Promise<void>,
): LayerReader {
  const { maxLayerBytes = defaultMaxLayerBytes, allowCertificateChain = false } = options
  const { maxTotalBytes = Math.max(defaultMaxTotalBytes, maxLayerBytes) } = options
  const early: Promise<void>[] = []
  const late: Candidate[] = []
  let earlyBytes = 0
  /** By digest and size: signatures over the same payload share one, and a size that is wrong is wrong for itself only. */
  const contents = new Map<string, Promise<Uint8Array>>()

  const read = async (candidate: Candidate): Promise<void> => {
    const content = contentOf(candidate.layer)
    const reading = contents.get(content) ?? repository.blob(candidate.layer, maxLayerBytes)
    contents.set(content, reading)
    take({ ...candidate, ...parseLayer(candidate, await reading, allowCertificateChain) })
  }
  return {
    add(candidate) {
      const { size } = candidate.layer
      if (early.length >= maxEarlyLayers || earlyBytes + size > maxEarlyBytes || size > maxLayerBytes) {
        late.push(candidate)
        return
      }
      earlyBytes += size
      early.push(attempt(candidate.where, () => read(candidate)))
    },
    async finish() {
      const bySize = late.toSorted((a, b) => a.layer.size - b.layer.size)
      let total = 0
      await Promise.all([
        ...early,
        ...bySize.map((candidate) =>
          attempt(candidate.where, async () => {
            if (!contents.has(contentOf(candidate.layer))) total += candidate.layer.size
            if (total > maxTotalBytes) throw new CountersignError('TOO_LARGE', `all that is stored there exceeds ${maxTotalBytes} bytes`)
            await read(candidate)
          }),
        ),
      ])
    },
  }
}

type Content = Pick<FoundSignature, 'entity' | 'payload' | 'bytes'>

function parseLayer({ place, layer }: Candidate, bytes: Uint8Array, allowCertificateChain: boolean): Content {
  if (place === 'referrer') return { entity: parseBundle(bytes, { allowCertificateChain }), payload: undefined, bytes }
  const annotations = layer.annotations ?? {}
  if (layer.mediaType === signatureLayerType.attestation) {
    return { entity: readImageAttestation(bytes, annotations), payload: undefined, bytes }
  }
  return { ...readImageSignature(bytes, annotations), bytes }
}

function contentOf({ digest, size }: Descriptor): string {
  return `${digest} ${size}`
}
