/** An image layout in a folder, read and written. Blobs and `index.json` appear whole or not at all. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { CountersignError, TransportError, messageOf } from '../error.ts'
import { withLock } from '../tuf/file-lock.ts'
import { checkedContent, contentDigest, isDigest } from './digest.ts'
import type { ImageLayout } from './image-layout.ts'
import { LayoutReader, blobPath, referrerDescriptor } from './image-layout.ts'
import { folderFiles } from './layout-files.ts'
import { mainEntry, taggedEntry, tagsOf } from './layout-index.ts'
import type { Descriptor, StoredManifest } from './manifest.ts'
import { descriptorOf, encodeIndex, parseManifest } from './manifest.ts'
import type { BlobContent } from './repository.ts'

/** A layout that is being written. */
export interface LayoutFolder extends ImageLayout {
  /**
   * Makes the layout one about an image: what is written from now on is listed when it is finished, in the place of everything that was
   * listed before. @param tag under which the image is known
   */
  begin(image: Descriptor, tag: string | undefined): void
  finish(): Promise<void>
}

const marker = 'oci-layout'
const version = '1.0.0'

/**
 * Opens the layout in a folder.
 * @param name as messages name it
 * @throws TransportError FILE_UNREADABLE when there is none
 */
export async function openLayoutFolder(folder: string, name: string): Promise<LayoutFolder> {
  const layout = new Folder(folder, name)
  await layout.entries()
  return layout
}

/** Makes an empty layout in a folder, or opens the one that is there. @throws TransportError FILE_UNWRITABLE */
export async function createLayoutFolder(folder: string, name: string): Promise<LayoutFolder> {
  const layout = new Folder(folder, name)
  await layout.create()
  return layout
}

class Folder extends LayoutReader implements LayoutFolder {
  override readonly isWritable = true
  readonly #folder: string
  #last: Promise<unknown> = Promise.resolve()
  #staged: readonly Descriptor[] | undefined

  constructor(folder: string, name: string) {
    super(folderFiles(folder, name))
    this.#folder = folder
  }

  async create(): Promise<void> {
    await this.#writing(async () => {
      await mkdir(path.join(this.#folder, 'blobs', 'sha256'), { recursive: true })
      await this.#write(marker, Buffer.from(`{"imageLayoutVersion":"${version}"}`))
      if ((await this.files.size('index.json')) === undefined) await this.#writeIndex([])
    })
  }

  begin(image: Descriptor, tag: string | undefined): void {
    this.#staged = [mainEntry(image, tag)]
  }

  async finish(): Promise<void> {
    const staged = this.#staged
    if (staged === undefined) return
    this.#staged = undefined
    await this.#change(() => staged)
  }

  override entries(): Promise<readonly Descriptor[]> {
    return this.#staged === undefined ? super.entries() : Promise.resolve(this.#staged)
  }

  override async putBlob(content: BlobContent): Promise<{ readonly digest: string; readonly size: number }> {
    const { digest, size } = content instanceof Uint8Array ? { digest: contentDigest(content), size: content.length } : content
    const file = blobPath(digest)
    if ((await this.files.size(file)) === size) return { digest, size }
    const chunks = content instanceof Uint8Array ? [content] : checkedContent(content.chunks(), { digest, size }, 'the source')
    await this.#writing(async () => {
      await mkdir(path.join(this.#folder, path.dirname(file)), { recursive: true })
      await this.#write(file, chunks)
    })
    return { digest, size }
  }

  override async putManifest(manifest: StoredManifest, tag?: string): Promise<Descriptor> {
    await this.putBlob(manifest.bytes)
    const descriptor = descriptorOf(manifest)
    if (tag !== undefined) {
      await this.#change((entries) => [
        ...entries.flatMap((entry) => (tagsOf(entry, entries).includes(tag) ? [] : [entry])),
        taggedEntry(descriptor, tag, entries),
      ])
    }
    return descriptor
  }

  override async attach(manifest: StoredManifest): Promise<Descriptor> {
    await this.putBlob(manifest.bytes)
    const entry = referrerDescriptor(manifest, parseManifest(manifest))
    await this.#change((entries) => (entries.some(({ digest }) => digest === entry.digest) ? entries : [...entries, entry]))
    return descriptorOf(manifest)
  }

  override detach(digest: string): Promise<void> {
    return this.remove(digest)
  }

  override async remove(target: string): Promise<void> {
    let found = false
    await this.#change((entries) => {
      const kept = entries.filter((entry) => !(entry.digest === target || tagsOf(entry, entries).includes(target)))
      found = kept.length < entries.length
      return kept
    })
    if (isDigest(target)) {
      found = (await this.files.size(blobPath(target))) !== undefined || found
      await this.#writing(() => rm(path.join(this.#folder, blobPath(target)), { force: true }))
      this.forget(target)
    }
    if (!found) throw this.missing(target)
  }

  /** One change after another, of this process and of others. */
  #change(change: (entries: readonly Descriptor[]) => readonly Descriptor[]): Promise<void> {
    if (this.#staged !== undefined) {
      this.#staged = change(this.#staged)
      return Promise.resolve()
    }
    const turn = this.#last.then(() =>
      this.#writing(() =>
        withLock(path.join(this.#folder, '.index.json.lock'), { waitMs: 30_000 }, async () =>
          this.#writeIndex(change(await this.entries())),
        ),
      ),
    )
    this.#last = turn.catch(() => {})
    return turn
  }

  #writeIndex(entries: readonly Descriptor[]): Promise<void> {
    return this.#write('index.json', [encodeIndex(entries).bytes])
  }

  /** Beside its place first: a digest that is wrong, or a full disk, leaves nothing there. */
  async #write(file: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Uint8Array): Promise<void> {
    const temporary = path.join(this.#folder, `.incoming-${randomBytes(8).toString('hex')}`)
    try {
      const handle = await open(temporary, 'wx', 0o644)
      try {
        for await (const chunk of chunks instanceof Uint8Array ? [chunks] : chunks) await handle.writeFile(chunk)
      } finally {
        await handle.close()
      }
      await rename(temporary, path.join(this.#folder, ...file.split('/')))
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  async #writing<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (cause) {
      if (cause instanceof CountersignError) throw cause
      throw new TransportError('FILE_UNWRITABLE', `${this.name} cannot be written: ${messageOf(cause)}`, { cause })
    }
  }
}
