/** What every repository must do, whatever holds it: one suite for all. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import { contentDigest } from '../../src/oci/digest.ts'
import type { Descriptor } from '../../src/oci/manifest.ts'
import { encodeManifest, mediaType, parseManifest } from '../../src/oci/manifest.ts'
import type { Repository } from '../../src/oci/repository.ts'
import { storeLayer } from '../../src/oci/store-signatures.ts'
import { pushImage, pushIndex, referrerOf } from './images.ts'

const nowhere = `sha256:${'0'.repeat(64)}`
const type = 'application/octet-stream'

export interface ContractOptions {
  /** Whether it has an API for referrers; without, they are listed under a tag. */
  readonly hasReferrers: boolean
  /** How many write at once to one image; default 20. */
  readonly writers?: number
}

/** @param open opens a repository of this name, each time anew: two of one name are the same place */
export function describeRepository(what: string, open: (name: string) => Promise<Repository>, options: ContractOptions): void {
  let count = 0
  const fresh = (): string => `team/app-${++count}`

  describe(`${what}, as a repository`, () => {
    it('keeps blobs and manifests byte for byte, under digest and tag', async () => {
      const name = fresh()
      const image = await pushImage(await open(name), 'v1', randomBytes(100_000))
      const repository = await open(name)
      expect(await repository.resolve('v1')).toEqual(image)
      expect(await repository.resolve(image.digest)).toEqual(image)
      const stored = await repository.manifest('v1')
      expect(contentDigest(stored.bytes)).toBe(image.digest)
      expect(stored.mediaType).toBe(mediaType.manifest)
      const manifest = parseManifest(stored)
      const [layer] = manifest.kind === 'manifest' ? manifest.layers : []
      if (layer === undefined) throw new Error('the image has no layer')
      expect(contentDigest(await repository.blob(layer, layer.size))).toBe(layer.digest)
      expect(contentDigest(await collect(await repository.openBlob(layer)))).toBe(layer.digest)
      expect(await repository.tags()).toEqual(['v1'])
    })

    it('says what is not there, and that it is not', async () => {
      const repository = await open(fresh())
      await pushImage(repository, 'v1')
      const absent: Descriptor = { mediaType: type, digest: nowhere, size: 1 }
      for (const ask of [
        () => repository.resolve('v2'),
        () => repository.resolve(nowhere),
        () => repository.manifest('v2'),
        () => repository.manifest(nowhere),
        () => repository.blob(absent, 10),
        () => repository.openBlob(absent),
        () => repository.remove(nowhere),
      ]) {
        await expect(ask()).rejects.toMatchObject({ code: 'NOT_FOUND' })
      }
      expect(await repository.hasBlob(nowhere)).toBe(false)
      expect((await repository.referrers(nowhere)).descriptors).toEqual([])
    })

    it('refuses a blob that is larger than the caller takes, or than it was said to be', async () => {
      const repository = await open(fresh())
      const { digest } = await repository.putBlob(encodeUtf8('twelve bytes'))
      await expect(repository.blob({ mediaType: type, digest, size: 12 }, 11)).rejects.toMatchObject({ code: 'TOO_LARGE' })
      await expect(repository.blob({ mediaType: type, digest, size: 11 }, 20)).rejects.toMatchObject({ code: 'TOO_LARGE' })
      const opened = await repository.openBlob({ mediaType: type, digest, size: 11 })
      await expect(collect(opened)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
    })

    it('takes a large blob as a stream, and stores nothing of one that is not what it was said to be', async () => {
      const repository = await open(fresh())
      const bytes = randomBytes(20 * 1024 * 1024 + 7)
      const digest = contentDigest(bytes)
      const chunks = (from: Uint8Array) =>
        async function* () {
          for (let at = 0; at < from.length; at += 1_000_003) yield await Promise.resolve(from.subarray(at, at + 1_000_003))
        }
      const wrong = Uint8Array.from(bytes)
      wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1
      await expect(repository.putBlob({ chunks: chunks(wrong), digest, size: bytes.length })).rejects.toMatchObject({
        code: 'CONTENT_MISMATCH',
      })
      expect(await repository.hasBlob(digest)).toBe(false)
      await repository.putBlob({ chunks: chunks(bytes), digest, size: bytes.length })
      expect(contentDigest(await collect(await repository.openBlob({ mediaType: type, digest, size: bytes.length })))).toBe(digest)
      await repository.putBlob({ chunks: chunks(bytes), digest, size: bytes.length })
    })

    it('keeps an empty blob', async () => {
      const repository = await open(fresh())
      const { digest } = await repository.putBlob(new Uint8Array())
      expect(await repository.blob({ mediaType: type, digest, size: 0 }, 10)).toHaveLength(0)
      expect(await collect(await repository.openBlob({ mediaType: type, digest, size: 0 }))).toHaveLength(0)
    })

    it('moves a tag, and keeps what it pointed to', async () => {
      const repository = await open(fresh())
      const first = await pushImage(repository, 'v1', 'one')
      const second = await pushImage(repository, 'v1', 'two')
      expect((await repository.resolve('v1')).digest).toBe(second.digest)
      expect((await repository.resolve(first.digest)).digest).toBe(first.digest)
      expect(await repository.tags()).toEqual(['v1'])
    })

    it('keeps an index and what it names', async () => {
      const repository = await open(fresh())
      const { index, images } = await pushIndex(repository, 'v1')
      const parsed = parseManifest(await repository.manifest('v1'))
      expect(parsed.kind === 'index' ? parsed.manifests : []).toEqual(images)
      expect((await repository.resolve('v1')).mediaType).toBe(index.mediaType)
    })

    it('finds what was attached to an image, and nothing that was attached to another', async () => {
      const repository = await open(fresh())
      const image = await pushImage(repository, 'v1')
      const other = await pushImage(repository, 'v2', 'another')
      const notes = []
      for (const text of ['one', 'two', 'three']) {
        notes.push(await repository.attach(await referrerOf(repository, image, text), image.digest))
      }
      await repository.attach(await referrerOf(repository, other, 'four'), other.digest)
      const { descriptors, source } = await repository.referrers(image.digest)
      expect(source).toBe(options.hasReferrers ? 'api' : 'tag')
      expect(descriptors.map(({ digest }) => digest).toSorted()).toEqual(notes.map(({ digest }) => digest).toSorted())
      // What a registry claims about them may be of the configuration only.
      for (const { artifactType } of descriptors) expect(['application/vnd.example.note', mediaType.empty]).toContain(artifactType)
    })

    it('attaches the same thing once', async () => {
      const repository = await open(fresh())
      const image = await pushImage(repository, 'v1')
      const note = await referrerOf(repository, image, 'once')
      await repository.attach(note, image.digest)
      await repository.attach(note, image.digest)
      expect((await repository.referrers(image.digest)).descriptors).toHaveLength(1)
    })

    it('removes one tag, and nothing of another one that names the same', async () => {
      const repository = await open(fresh())
      const image = await pushImage(repository, 'v1')
      await repository.putManifest(await repository.manifest('v1'), 'v2')
      await repository.remove('v1')
      await expect(repository.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect((await repository.resolve('v2')).digest).toBe(image.digest)
      expect((await repository.manifest(image.digest)).digest).toBe(image.digest)
    })

    it('removes by tag and by digest', async () => {
      const repository = await open(fresh())
      const image = await pushImage(repository, 'v1')
      const note = await repository.attach(await referrerOf(repository, image, 'a note'), image.digest)
      if (options.hasReferrers) {
        await repository.remove(note.digest)
        expect((await repository.referrers(image.digest)).descriptors).toEqual([])
      }
      await repository.remove('v1')
      await expect(repository.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('loses no referrer of writers that write at once', async () => {
      const name = fresh()
      const image = await pushImage(await open(name), 'v1')
      const writers = Array.from({ length: options.writers ?? 20 }, async (_, index) => {
        const repository = await open(name)
        return repository.attach(await referrerOf(repository, image, `note ${index}`), image.digest)
      })
      const written = await Promise.all(writers)
      const { descriptors } = await (await open(name)).referrers(image.digest)
      expect(descriptors.map(({ digest }) => digest).toSorted()).toEqual(written.map(({ digest }) => digest).toSorted())
    })

    it('loses no layer of writers that add to one tag at once', async () => {
      const name = fresh()
      const image = await pushImage(await open(name), 'v1')
      const writers = Array.from({ length: options.writers ?? 20 }, async (_, index) =>
        storeLayer(await open(name), image.digest, {
          kind: 'signature',
          contents: encodeUtf8(`payload ${index}`),
          entity: {
            content: { kind: 'message-signature', signature: Uint8Array.of(index + 1), digest: undefined },
            keyMaterial: { kind: 'none' },
            logEntries: [],
            timestamps: [],
            format: 'legacy',
          },
        }),
      )
      await Promise.all(writers)
      const manifest = parseManifest(await (await open(name)).manifest(`${image.digest.replace(':', '-')}.sig`))
      const layers = manifest.kind === 'manifest' ? manifest.layers : []
      expect(new Set(layers.map(({ digest }) => digest)).size).toBe(writers.length)
    })

    it('keeps a manifest of Docker as it is', async () => {
      const repository = await open(fresh())
      const config = await repository.putBlob(encodeUtf8('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'))
      const manifest = encodeManifest({
        mediaType: mediaType.dockerManifest,
        config: { mediaType: mediaType.dockerConfig, ...config },
        layers: [],
      })
      await repository.putManifest(manifest, 'docker')
      expect(await repository.manifest('docker')).toEqual({ ...manifest, bytes: expect.anything() as unknown })
    })
  })
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk))
  return Buffer.concat(parts)
}
