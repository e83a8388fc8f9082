/** Archives of images: tar files of layouts, and those that `docker save` wrote before. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLayoutFolder } from '../../../src/oci/layout-folder.ts'
import { parseManifest } from '../../../src/oci/manifest.ts'
import { openLayout } from '../../../src/oci/open-layout.ts'
import { openTarArchive } from '../../../src/oci/tar-archive.ts'
import { pushImage, referrerOf } from '../../support/images.ts'

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'archives-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An archive of a folder, made by the system's tar. */
function tarOf(folder: string, format = 'gnu'): string {
  const file = `${folder}.tar`
  onTestFinished(() => rmSync(file, { force: true }))
  const { status, stderr } = spawnSync('tar', [`--format=${format}`, '-C', folder, '-cf', file, '.'])
  if (status !== 0) throw new Error(stderr.toString())
  return file
}

const sha256 = (bytes: string | Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** What `docker save` wrote until version 24. */
function dockerSave(): { readonly folder: string; readonly config: string } {
  const folder = newFolder()
  const config = '{"architecture":"amd64","os":"linux"}'
  mkdirSync(path.join(folder, 'one'))
  mkdirSync(path.join(folder, 'two'))
  writeFileSync(path.join(folder, 'one', 'layer.tar'), 'the first layer')
  symlinkSync('../one/layer.tar', path.join(folder, 'two', 'layer.tar'))
  writeFileSync(path.join(folder, 'config.json'), config)
  const list = [{ Config: 'config.json', RepoTags: ['registry.example:5000/app:v1'], Layers: ['one/layer.tar', 'two/layer.tar'] }]
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(list))
  return { folder, config }
}

describe('an archive of an image layout', () => {
  it.each(['gnu', 'ustar', 'pax'])('is read as the layout is (%s)', async (format) => {
    const folder = newFolder()
    const layout = await createLayoutFolder(folder, 'x')
    const image = await pushImage(layout, 'v1', Buffer.alloc(10_000, 'layer'))
    await layout.attach(await referrerOf(layout, image, 'note'), image.digest)
    const archive = await openLayout(tarOf(folder, format), 'the archive')
    expect(await archive.image()).toEqual(await layout.image())
    expect(await archive.referrers(image.digest)).toEqual(await layout.referrers(image.digest))
    const manifest = parseManifest(await archive.manifest('v1'))
    const [layer] = manifest.kind === 'manifest' ? manifest.layers : []
    expect(layer === undefined ? undefined : await archive.blob(layer, 10_000)).toHaveLength(10_000)
    await expect(archive.putBlob(new Uint8Array())).rejects.toThrow('the archive is an archive, and nothing is written into it')
  })

  it('whose content was changed gives none of it', async () => {
    const folder = newFolder()
    await pushImage(await createLayoutFolder(folder, 'x'), 'v1')
    const file = tarOf(folder)
    writeFileSync(
      file,
      Buffer.from(readFileSync(file).toString('latin1').replace('"architecture":"amd64"', '"architecture":"arm64"'), 'latin1'),
    )
    const archive = await openLayout(file, 'x')
    const manifest = parseManifest(await archive.manifest('v1'))
    if (manifest.kind !== 'manifest') throw new Error('not an image')
    await expect(archive.blob(manifest.config, 10_000)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
  })

  it('may have names of any length', async () => {
    for (const format of ['gnu', 'pax']) {
      const folder = newFolder()
      const name = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(200)}`
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true })
      writeFileSync(path.join(folder, name), 'found')
      const files = await openTarArchive(tarOf(folder, format), 'x')
      expect(Buffer.from((await files.read(name, 10)) ?? []).toString()).toBe('found')
    }
  })

  it('leads nowhere else', async () => {
    const folder = newFolder()
    symlinkSync('/etc/passwd', path.join(folder, 'absolute'))
    symlinkSync('../../../../etc/passwd', path.join(folder, 'relative'))
    symlinkSync('loop', path.join(folder, 'loop'))
    const files = await openTarArchive(tarOf(folder), 'x')
    for (const name of ['absolute', 'relative', 'loop', '../etc/passwd', '/etc/passwd', 'none'])
      expect(await files.read(name, 1e6)).toBeUndefined()
  })

  it('that is something else is refused', async () => {
    const folder = newFolder()
    const file = path.join(folder, 'file')
    const good = readFileSync(tarOf(dockerSave().folder))
    const half = good.subarray(0, 1000)
    const damaged = Uint8Array.from(good)
    damaged[130] = 0x39
    for (const [bytes, reason] of [
      [gzipSync(good), 'decompress it first'],
      [Buffer.alloc(2000, 'hello'), 'it is no tar archive'],
      [damaged, 'it is no tar archive'],
      [half, /cut off|no image layout|not have it/],
      [Buffer.alloc(0), 'it has no index.json'],
      [Buffer.alloc(10_240), 'it has no index.json'],
    ] as const) {
      writeFileSync(file, bytes)
      await expect(openLayout(file, 'x')).rejects.toThrow(reason)
    }
  })
})

describe('an archive that docker save has written', () => {
  it('is an image, whose layers are what they are in it', async () => {
    const { folder, config } = dockerSave()
    const layout = await openLayout(tarOf(folder), 'x')
    const image = await layout.image()
    const manifest = parseManifest(await layout.manifest('v1'))
    expect((await layout.manifest(image.digest)).digest).toBe(image.digest)
    const layer = { mediaType: 'application/vnd.docker.image.rootfs.diff.tar', digest: sha256('the first layer'), size: 15 }
    expect(manifest).toMatchObject({ config: { digest: sha256(config) }, layers: [layer, layer] })
    expect(Buffer.from(await layout.blob(layer, 100)).toString()).toBe('the first layer')
    expect((await layout.referrers(image.digest)).descriptors).toEqual([])
    expect((await (await openLayout(tarOf(folder), 'x')).image()).digest).toBe(image.digest)
  })

  it('may have compressed layers', async () => {
    const { folder } = dockerSave()
    writeFileSync(path.join(folder, 'one', 'layer.tar'), gzipSync('the first layer'))
    const manifest = parseManifest(await (await openLayout(tarOf(folder), 'x')).manifest('v1'))
    expect(manifest).toMatchObject({ layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' }, {}] })
  })

  it.each([
    ['[]', 'should list an image'],
    ['[{"Config":"config.json"},{"Config":"config.json"}]', 'holds 2 images'],
    ['[{"Layers":[]}]', 'Config is missing'],
    ['[{"Config":"../../etc/passwd","Layers":[]}]', 'does not have it'],
    ['[{"Config":"config.json","Layers":["none"]}]', 'does not have it'],
    ['[{"Config":"config.json","Layers":[5]}]', 'should hold texts'],
    ['{', 'JSON'],
  ])('is refused when it lists %s', async (text, reason) => {
    const { folder } = dockerSave()
    writeFileSync(path.join(folder, 'manifest.json'), text)
    await expect(openLayout(tarOf(folder), 'x')).rejects.toThrow(reason)
  })
})
