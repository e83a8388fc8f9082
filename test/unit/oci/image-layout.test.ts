import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { copyImage } from '../../../src/oci/copy-image.ts'
import type { LayoutFolder } from '../../../src/oci/layout-folder.ts'
import { createLayoutFolder, openLayoutFolder } from '../../../src/oci/layout-folder.ts'
import { mediaType } from '../../../src/oci/manifest.ts'
import { pushImage, pushIndex, referrerOf } from '../../support/images.ts'

interface Place {
  readonly folder: string
  readonly layout: LayoutFolder
}

async function newLayout(): Promise<Place> {
  const folder = mkdtempSync(path.join(tmpdir(), 'layout-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, layout: await createLayoutFolder(folder, 'the folder') }
}

function blobFile(folder: string, digest: string): string {
  return path.join(folder, 'blobs', digest.replace(':', '/'))
}

function index(folder: string): { manifests: { digest: string; annotations?: Record<string, string> }[] } {
  return JSON.parse(readFileSync(path.join(folder, 'index.json'), 'utf8')) as never
}

describe('an image layout', () => {
  it('is what the specification says', async () => {
    const { folder, layout } = await newLayout()
    await pushImage(layout, 'v1')
    expect(JSON.parse(readFileSync(path.join(folder, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
    expect(readdirSync(folder).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect(index(folder).manifests[0]?.annotations).toEqual({ 'org.opencontainers.image.ref.name': 'v1' })
  })

  it.each([
    ['the tag', 'v1'],
    ['a whole reference', 'registry.example:5000/org/app:v1'],
  ])('has a tag that other tools wrote as %s', async (_, name) => {
    const { folder, layout } = await newLayout()
    const image = await pushImage(layout, 'v1')
    writeFileSync(
      path.join(folder, 'index.json'),
      readFileSync(path.join(folder, 'index.json'), 'utf8').replace('"v1"', JSON.stringify(name)),
    )
    expect((await (await openLayoutFolder(folder, 'x')).resolve('v1')).digest).toBe(image.digest)
  })

  it('is about the image that cosign marked, or the only one', async () => {
    const { layout } = await newLayout()
    await expect(layout.image()).rejects.toThrow('the folder holds no image')
    const image = await pushImage(layout, 'v1')
    await layout.attach(await referrerOf(layout, image, '{}', 'application/vnd.dev.sigstore.bundle.v0.3+json'), image.digest)
    await pushImage(layout, `${image.digest.replace(':', '-')}.sig`, 'a signature')
    expect(await layout.image()).toEqual(image)
    const other = await pushImage(layout, 'v2', 'another')
    await expect(layout.image()).rejects.toThrow('the folder holds 2 images')
    layout.begin(other, 'v2')
    await layout.finish()
    expect(await layout.image()).toEqual(other)
  })

  it('finds signatures that cosign marked and gave no tag, and only for its own image', async () => {
    const { folder, layout } = await newLayout()
    const image = await pushImage(layout, undefined)
    const signature = await pushImage(layout, undefined, 'a signature')
    const manifests = [
      { ...image, annotations: { kind: 'dev.cosignproject.cosign/image' } },
      { ...signature, annotations: { kind: 'dev.cosignproject.cosign/sigs' } },
    ]
    writeFileSync(path.join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType: mediaType.index, manifests }))
    expect((await layout.resolve(`${image.digest.replace(':', '-')}.sig`)).digest).toBe(signature.digest)
    await expect(layout.resolve(`${signature.digest.replace(':', '-')}.sig`)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(layout.resolve(`${image.digest.replace(':', '-')}.att`)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('finds referrers that no index lists', async () => {
    const { folder, layout } = await newLayout()
    const image = await pushImage(layout, 'v1')
    const note = await layout.attach(await referrerOf(layout, image, 'note'), image.digest)
    const kept = index(folder).manifests.filter(({ digest }) => digest !== note.digest)
    writeFileSync(path.join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType: mediaType.index, manifests: kept }))
    const { descriptors } = await (await openLayoutFolder(folder, 'x')).referrers(image.digest)
    expect(descriptors).toMatchObject([
      { digest: note.digest, artifactType: 'application/vnd.example.note', annotations: { 'org.example.note': 'note' } },
    ])
  })

  it('gives no content that has been changed', async () => {
    const { folder, layout } = await newLayout()
    const image = await pushImage(layout, 'v1')
    const { digest, size } = await layout.putBlob(Buffer.from('a blob'))
    writeFileSync(blobFile(folder, digest), 'a bloB')
    await expect(layout.blob({ mediaType: 'x', digest, size }, 10)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
    writeFileSync(blobFile(folder, image.digest), readFileSync(blobFile(folder, image.digest), 'utf8').replace('"size"', '"siza"'))
    await expect(layout.manifest('v1')).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
    await expect(layout.manifest(image.digest)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
  })

  it('mends a blob that was half written', async () => {
    const { folder, layout } = await newLayout()
    const { digest, size } = await layout.putBlob(Buffer.from('a blob'))
    writeFileSync(blobFile(folder, digest), 'a b')
    await layout.putBlob(Buffer.from('a blob'))
    expect(await layout.blob({ mediaType: 'x', digest, size }, 10)).toHaveLength(6)
  })

  it('does not read what its links lead to', async () => {
    const { folder, layout } = await newLayout()
    const secret = path.join(folder, 'secret')
    writeFileSync(secret, 'a blob')
    const { digest, size } = await layout.putBlob(Buffer.from('a blob'))
    rmSync(blobFile(folder, digest))
    symlinkSync(secret, blobFile(folder, digest))
    await expect(layout.blob({ mediaType: 'x', digest, size }, 10)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(layout.openBlob({ mediaType: 'x', digest, size })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  it('takes no digest for a path', async () => {
    const { layout } = await newLayout()
    for (const digest of ['sha256:../../index.json', '../index.json', 'sha256:', `sha256:${'a'.repeat(63)}/`]) {
      await expect(layout.blob({ mediaType: 'x', digest, size: 1 }, 10)).rejects.toThrow()
      await expect(layout.manifest(digest)).rejects.toThrow()
      await expect(layout.hasBlob(digest)).rejects.toThrow()
    }
  })

  it.each([
    '',
    '{',
    '[]',
    '{"manifests":5}',
    '{"manifests":[{"mediaType":"x","size":1,"digest":"sha256:../x"}]}',
    '{"manifests":[],"layers":[]}',
  ])('whose index is %j is refused', async (text) => {
    const { folder } = await newLayout()
    writeFileSync(path.join(folder, 'index.json'), text)
    await expect(openLayoutFolder(folder, 'x')).rejects.toMatchObject({ code: expect.stringMatching(/_INVALID$/) as unknown })
  })

  it('is not made of a folder that is none, nor opened where there is nothing', async () => {
    await expect(openLayoutFolder('/nonexistent/layout', 'x')).rejects.toThrow('x is no image layout: it has no index.json')
    const { folder } = await newLayout()
    await expect(createLayoutFolder(path.join(folder, 'index.json', 'below'), 'x')).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
  })

  it('lists what it listed before until what is saved into it is complete', async () => {
    const { folder, layout } = await newLayout()
    const first = await pushImage(layout, 'first')
    const before = readFileSync(path.join(folder, 'index.json'), 'utf8')
    const { layout: source } = await newLayout()
    const { index: root } = await pushIndex(source, 'v1')
    const again = await createLayoutFolder(folder, 'again')
    again.begin(root, 'v1')
    await copyImage(root.digest, { source: both(source), target: both(again), tag: undefined })
    expect(readFileSync(path.join(folder, 'index.json'), 'utf8')).toBe(before)
    await again.finish()
    expect((await layout.image()).digest).toBe(root.digest)
    expect(await layout.tags()).toEqual(['v1'])
    expect(existsSync(blobFile(folder, first.digest))).toBe(true)
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
  })
})

function both(layout: LayoutFolder): { images: LayoutFolder; signatures: LayoutFolder } {
  return { images: layout, signatures: layout }
}
