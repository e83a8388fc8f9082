/** Archives of images: tar files of layouts, and those that `docker save` wrote before. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import zlib, { gzipSync } from 'node:zlib'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { decompress } from '../../../src/oci/compressed-archive.ts'
import { createLayoutFolder } from '../../../src/oci/layout-folder.ts'
import { parseManifest } from '../../../src/oci/manifest.ts'
import { openLayout } from '../../../src/oci/open-layout.ts'
import { openTarArchive } from '../../../src/oci/tar-archive.ts'
import { pushImage, referrerOf } from '../../support/images.ts'

const { zstdCompressSync: zstd } = zlib as { readonly zstdCompressSync?: (bytes: Uint8Array) => Uint8Array }

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

const octal = (value: number): Buffer => Buffer.from(`${value.toString(8).padStart(11, '0')}\0`)
const padded = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)])

/** @param also further texts, by where they are */
function entryHeader(kind: string, length: Buffer, name: string, also: Readonly<Record<number, string>> = {}): Buffer {
  const header = Buffer.alloc(512)
  header.write(name)
  length.copy(header, 124)
  header.write(kind, 156)
  header.write('ustar', 257)
  for (const [at, text] of Object.entries(also)) header.write(text, Number(at))
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0`, 148)
  return header
}

/** An entry of an archive that no tar would write. */
function entry(name: string, content = '', kind = '0', also: Readonly<Record<number, string>> = {}): Buffer[] {
  return [entryHeader(kind, octal(content.length), name, also), padded(content)]
}

/** For records of up to 99 bytes. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  return `${rest.length < 9 ? rest.length + 1 : rest.length + 2}${rest}`
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

  it('may have long names', async () => {
    for (const format of ['gnu', 'pax']) {
      const folder = newFolder()
      const name = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(200)}`
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true })
      writeFileSync(path.join(folder, name), 'found')
      const files = await openTarArchive(tarOf(folder, format), 'x')
      expect(Buffer.from((await files.read(name, 10)) ?? []).toString()).toBe('found')
    }
  })

  it.each(['/etc/passwd', '/file', '../../../../etc/passwd', '../file', 'link', 'none', 'folder', 'folder/../file'])(
    'is refused with a link to %s',
    async (target) => {
      const folder = newFolder()
      mkdirSync(path.join(folder, 'folder'))
      writeFileSync(path.join(folder, 'file'), 'x')
      symlinkSync(target, path.join(folder, 'link'))
      await expect(openTarArchive(tarOf(folder), 'x')).rejects.toThrow('it has the link "link", which leads to no file of it')
    },
  )

  it('leads nowhere else', async () => {
    const files = await openTarArchive(tarOf(dockerSave().folder), 'x')
    for (const name of ['../etc/passwd', '/etc/passwd', 'none', 'one']) expect(await files.read(name, 1e6)).toBeUndefined()
    expect(Buffer.from((await files.read('two/layer.tar', 100)) ?? []).toString()).toBe('the first layer')
  })

  it('that is something else is refused', async () => {
    const folder = newFolder()
    const file = path.join(folder, 'file')
    const good = readFileSync(tarOf(dockerSave().folder))
    const half = good.subarray(0, 1000)
    const damaged = Uint8Array.from(good)
    damaged[130] = 0x39
    for (const [bytes, reason] of [
      [Buffer.from('BZh91AY&SY'), 'it is compressed with bzip2: decompress it first'],
      [Buffer.from('fd377a585a000004', 'hex'), 'it is compressed with xz: decompress it first'],
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

describe('an archive in which others would find something else', () => {
  const link = 157
  const prefix = 345
  const gnu = { 257: 'ustar  ' }
  const good = entry('a', 'good')
  it.each<[string, readonly Buffer[], string | RegExp]>([
    ['a file twice', [...good, ...entry('a', 'evil')], '"a" twice'],
    ['a file twice, by another spelling', [...good, ...entry('./b/../a', 'evil')], 'the name'],
    ['a file twice, by a spelling with a dot', [...good, ...entry('.//a', 'evil')], '"a" twice'],
    ['a file and a symbolic link', [...good, ...entry('b', 'evil'), ...entry('a', '', '2', { [link]: 'b' })], '"a" twice'],
    ['a symbolic link and a file', [...entry('b', 'evil'), ...entry('a', '', '2', { [link]: 'b' }), ...good], '"a" twice'],
    ['a file and a hard link', [...good, ...entry('b', 'evil'), ...entry('a', '', '1', { [link]: 'b' })], '"a" twice'],
    ['a file and a folder', [...good, ...entry('a/', '', '5')], '"a" twice'],
    [
      'a link in the place of a folder',
      [...entry('a/b', 'good'), ...entry('c', 'x'), ...entry('a', '', '2', { [link]: 'c' })],
      '"a" twice',
    ],
    ['files below a link', [...entry('c', 'x'), ...entry('a', '', '2', { [link]: 'c' }), ...entry('a/b', 'x')], '"a" twice: as a folder'],
    [
      'a link by way of a link',
      [...entry('d/e', 'x'), ...entry('l', '', '2', { [link]: 'd' }), ...entry('a', '', '2', { [link]: 'l/e' })],
      'leads to no file',
    ],
    [
      'a hard link to a link',
      [...entry('x/f', 'x'), ...entry('f', 'y'), ...entry('x/l', '', '2', { [link]: 'f' }), ...entry('h', '', '1', { [link]: 'x/l' })],
      'leads to no file',
    ],
    ['a name that no file can have', [...entry('x', `${'a/'.repeat(3000)}a`, 'L'), ...good], 'a name of more than 4096 characters'],
    ['a link with content', [...good, ...entry('l', 'x'.repeat(600), '2', { [link]: 'a' })], 'a folder or a link with content'],
    ['a folder with content', entry('f/', 'x'.repeat(600), '5'), 'a folder or a link with content'],
    ['a file that ends like a folder', entry('f/', 'x', '\0'), 'a folder or a link with content'],
    ['a file with holes', entry('a', 'x', 'S'), 'of the kind "S"'],
    ['a device', entry('a', '', '3'), 'of the kind "3"'],
    ['a part of a name where GNU has a time', entry('a', 'x', '0', { ...gnu, [prefix]: 'b' }), 'names that programs read differently'],
    ['a part of a name where star has one', entry('a', 'x', '0', { [prefix]: 'b', 508: 'tar' }), 'names that programs read differently'],
    ['two long names', [...entry('x', 'a\0', 'L'), ...entry('x', 'b\0', 'L'), ...good], 'a header is damaged'],
    ['a long name and one of pax', [...entry('x', 'a\0', 'L'), ...entry('x', paxRecord('path', 'b'), 'x'), ...good], 'a header is damaged'],
    [
      'a name of pax and a long one',
      [...entry('x', paxRecord('path', 'b'), 'x'), ...entry('x', 'a\0', 'L'), ...good],
      'a header is damaged',
    ],
    [
      'two headers of pax',
      [...entry('x', paxRecord('path', 'b'), 'x'), ...entry('x', paxRecord('uid', '1'), 'x'), ...good],
      'a header is damaged',
    ],
    ['a name for all that follow', [...entry('x', paxRecord('path', 'b'), 'g'), ...good], 'a header is damaged'],
    ['a name of GNU for files with holes', [...entry('x', paxRecord('GNU.sparse.name', 'b'), 'x'), ...good], 'a header is damaged'],
    ['a name that ends in its middle', [...entry('x', paxRecord('path', 'b\0c'), 'x'), ...good], 'a header is damaged'],
  ])('is refused: %s', async (_, blocks, reason) => {
    const file = path.join(newFolder(), 'archive')
    writeFileSync(file, Buffer.concat([...blocks, Buffer.alloc(1024)]))
    await expect(openTarArchive(file, 'x')).rejects.toMatchObject({ code: 'ENCODING_INVALID', message: expect.stringMatching(reason) })
  })

  it.each<[string, readonly Buffer[], string]>([
    ['a long name up to its first NUL', [...entry('x', 'b\0c', 'L'), ...good], 'b'],
    ['no name of pax that is empty', [...entry('x', paxRecord('path', ''), 'x'), ...good], 'a'],
    ['what git says of all that follow', [...entry('x', paxRecord('comment', 'c'), 'g'), ...good], 'a'],
    ['the header of GNU', entry('a', 'good', '0', gnu), 'a'],
    ['a folder twice', [...entry('d/', '', '5'), ...entry('d/a', 'good'), ...entry('d/', '', '5')], 'd/a'],
  ])('reads %s', async (_, blocks, name) => {
    const file = path.join(newFolder(), 'archive')
    writeFileSync(file, Buffer.concat([...blocks, Buffer.alloc(1024)]))
    expect(Buffer.from((await (await openTarArchive(file, 'x')).read(name, 10)) ?? []).toString()).toBe('good')
  })

  it('is refused: with something behind what is compressed', async () => {
    const file = path.join(newFolder(), 'archive')
    const tar = Buffer.concat(good)
    for (const behind of [Buffer.from('another one'), Buffer.alloc(3)]) {
      writeFileSync(file, Buffer.concat([gzipSync(tar), behind]))
      await expect(openTarArchive(file, 'x')).rejects.toThrow(/damaged|something behind the end of its gzip/)
    }
  })

  it('is refused: in what programs that know zstd pass over', async () => {
    const file = path.join(newFolder(), 'archive')
    // The name is also the beginning of a frame that they skip, and behind it they find what they are to read.
    writeFileSync(file, Buffer.concat([...entry('P*M\u0018\u00f8\u0001', 'evil'), Buffer.alloc(1024)]))
    await expect(openTarArchive(file, 'x')).rejects.toThrow(/zstd/)
  })

  it.runIf(zstd !== undefined)('is read whole or refused: with zstd in two parts', async () => {
    const file = path.join(newFolder(), 'archive')
    const parts = [good, entry('b', 'evil')].map((blocks) => zstd?.(Buffer.concat(blocks)) ?? Buffer.alloc(0))
    writeFileSync(file, Buffer.concat(parts))
    const files = await openTarArchive(file, 'x').catch((error: unknown) => error as Error)
    if (files instanceof Error) expect(files.message).toContain('something behind the end of its zstd')
    else expect(await files.size('b')).toBe(4)
  })
})

describe('a compressed archive', () => {
  const compress: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
    gzip: gzipSync,
    'gzip, in two parts': (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ...(zstd === undefined ? {} : { zstd }),
  }
  it.each(Object.entries(compress))('is read as what it is of (%s), and leaves nothing behind', async (_, pack) => {
    const saved = tarOf(dockerSave().folder)
    const plain = await openLayout(saved, 'x')
    const file = path.join(newFolder(), 'archive')
    writeFileSync(file, pack(readFileSync(saved)))
    vi.stubEnv('TMPDIR', newFolder())
    onTestFinished(() => void vi.unstubAllEnvs())
    const packed = await openLayout(file, 'x')
    expect(await packed.image()).toEqual(await plain.image())
    const layer = { mediaType: 'x', digest: sha256('the first layer'), size: 15 }
    expect(Buffer.from(await packed.blob(layer, 100)).toString()).toBe('the first layer')
    expect(readdirSync(tmpdir())).toEqual([])
  })

  it('that is cut off or damaged is refused', async () => {
    const file = path.join(newFolder(), 'archive')
    const good = gzipSync(readFileSync(tarOf(dockerSave().folder)))
    const damaged = Uint8Array.from(good)
    damaged.fill(0xff, 60, 90)
    for (const [bytes, reason] of [
      [good.subarray(0, good.length - 20), 'it is compressed with gzip, and cut off'],
      [damaged, 'it is compressed with gzip, and damaged'],
      [gzipSync('no archive'), 'it is no tar archive'],
      [gzipSync(good), 'it is no tar archive'],
    ] as const) {
      writeFileSync(file, bytes)
      await expect(openLayout(file, 'x')).rejects.toMatchObject({ code: 'ENCODING_INVALID', message: expect.stringContaining(reason) })
    }
  })

  it('that becomes far more than it is, is given up', async () => {
    const file = path.join(newFolder(), 'archive')
    vi.stubEnv('TMPDIR', newFolder())
    onTestFinished(() => void vi.unstubAllEnvs())
    writeFileSync(file, gzipSync(Buffer.alloc(5_000_000)))
    const limits = { always: 1_000_000, ratio: 100, most: 4_000_000 }
    await expect(decompress(file, 'x', 'gzip', limits)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/^x has \d+ bytes and becomes/),
    })
    await expect(decompress(file, 'x', 'gzip', { ...limits, ratio: 10_000 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(readdirSync(tmpdir())).toEqual([])
    const { size } = await decompress(file, 'x', 'gzip', { ...limits, always: 5_000_000, most: 5_000_000 })
    expect(size).toBe(5_000_000)
  })
})

describe('an archive with a file of more than 8 GiB', () => {
  const size = 9 * 1024 ** 3
  /** The file is a hole: it has its size, and takes no room. */
  function writeArchive(header: Buffer, paxSize?: string): string {
    const file = path.join(newFolder(), 'archive')
    const record = `path=large\n`
    const pax = paxSize === undefined ? '' : `${record.length + 3} ${record}${paxSize.length + 9} size=${paxSize}\n`
    const blocks = pax === '' ? [header] : [entryHeader('x', octal(pax.length), 'PaxHeader'), padded(pax), header]
    const start = Buffer.concat(blocks)
    const end = Buffer.concat([...entry('after', 'found'), Buffer.alloc(1024)])
    writeFileSync(file, start)
    truncateSync(file, start.length + size)
    appendFileSync(file, end)
    return file
  }
  const binary = Buffer.alloc(12)
  binary[0] = 0x80
  binary.writeBigUInt64BE(BigInt(size), 4)

  it.each([
    ['in the way of GNU', () => writeArchive(entryHeader('0', binary, 'large'))],
    ['in the way of pax', () => writeArchive(entryHeader('0', octal(0), 'short'), String(size))],
  ])('is read, %s', async (_, make) => {
    const files = await openTarArchive(make(), 'x')
    expect(await files.size('large')).toBe(size)
    expect(Buffer.from((await files.read('after', 10)) ?? []).toString()).toBe('found')
    await expect(files.read('large', 1e6)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it.each([
    ['that is larger than the archive', () => writeArchive(entryHeader('0', octal(0), 'x'), String(2 * size))],
    ['that no number can hold', () => writeArchive(entryHeader('0', Buffer.alloc(12, 0xff).fill(0x80, 0, 1), 'x'))],
    ['that is negative', () => writeArchive(entryHeader('0', Buffer.alloc(12, 0xff), 'x'))],
    ['that is no number', () => writeArchive(entryHeader('0', octal(0), 'x'), '0x10')],
    ['that is no safe number', () => writeArchive(entryHeader('0', octal(0), 'x'), '99999999999999999')],
  ])('is refused with a size %s', async (_, make) => {
    await expect(openTarArchive(make(), 'x')).rejects.toMatchObject({ code: 'ENCODING_INVALID' })
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
