/** `verify --local-image`: whoever is told that a folder is verified goes on with what is in the folder. */
import { appendFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../support/registry-fake.ts'
import type { Outcome } from '../captured-context.ts'
import { createImageWorkspace, withKey } from './image-workspace.ts'
import type { ImageWorkspace } from './image-workspace.ts'

interface Saved extends ImageWorkspace {
  readonly blob: (digest: string) => string
  readonly verifyFolder: () => Promise<Outcome>
}

async function saved(): Promise<Saved> {
  const workspace = await createImageWorkspace()
  for (const words of [
    ['sign', ...withKey, workspace.image],
    ['save', '--dir', 'saved', workspace.image],
  ])
    expect(await workspace.run(words)).toMatchObject({ exitCode: 0 })
  return {
    ...workspace,
    blob: (digest) => path.join(workspace.folder, 'saved/blobs', digest.replace(':', '/')),
    verifyFolder: () => workspace.run(['verify', '--local-image', '--key', 'signer.pub', '--insecure-ignore-tlog', 'saved']),
  }
}

async function expectRefused({ verifyFolder }: Saved, reason: RegExp): Promise<void> {
  const { exitCode, stdout, stderr } = await verifyFolder()
  expect(stderr).toMatch(reason)
  expect(stderr).not.toContain('The following checks were performed')
  expect(stdout).toBe('')
  expect(exitCode).not.toBe(0)
}

function manifestOf({ blob, digest }: Saved): { layers: { digest: string; size: number }[]; config: { digest: string } } {
  return JSON.parse(readFileSync(blob(digest), 'utf8')) as never
}

describe('verify --local-image', () => {
  it('takes a folder that save has written', async () => {
    const { verifyFolder, digest } = await saved()
    const { exitCode, stdout, stderr } = await verifyFolder()
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toContain(digest)
  })

  it('refuses a folder without the image', async () => {
    const folder = await saved()
    rmSync(folder.blob(folder.digest))
    await expectRefused(folder, /saved has no sha256:/)
  })

  it('refuses a folder with another manifest in the place of the one that was signed', async () => {
    const folder = await saved()
    const text = readFileSync(folder.blob(folder.digest), 'utf8')
    writeFileSync(folder.blob(folder.digest), text.replace('"size":', '"size": '))
    await expectRefused(folder, /for the content with the digest sha256:/)
  })

  it.each(['layer', 'configuration'])('refuses a folder with another %s', async (what) => {
    const folder = await saved()
    const { layers, config } = manifestOf(folder)
    const digest = what === 'layer' ? layers[0]?.digest : config.digest
    appendFileSync(folder.blob(digest ?? ''), 'more')
    await expectRefused(folder, /for the content with the digest sha256:/)
  })

  it('takes a folder from which a layer is missing: nothing is in its place', async () => {
    const folder = await saved()
    rmSync(folder.blob(manifestOf(folder).layers[0]?.digest ?? ''))
    expect((await folder.verifyFolder()).exitCode).toBe(0)
  })

  it('refuses a folder of which docker load would make another image', async () => {
    const folder = await saved()
    const { layers, config } = manifestOf(folder)
    const place = (digest = ''): string => `blobs/${digest.replace(':', '/')}`
    const write = (image: object): void =>
      writeFileSync(path.join(folder.folder, 'saved/manifest.json'), JSON.stringify([{ RepoTags: ['app:v1'], ...image }]))
    const own = { Config: place(config.digest), Layers: layers.map(({ digest }) => place(digest)) }
    write(own)
    expect((await folder.verifyFolder()).exitCode).toBe(0)
    writeFileSync(folder.blob(digestOf('evil')), 'evil')
    for (const image of [
      { ...own, Layers: [...own.Layers, place(digestOf('evil'))] },
      { ...own, Config: place(digestOf('evil')) },
      { ...own, Layers: ['evil/layer.tar'] },
      { ...own, Config: config.digest },
      { ...own, Config: `./${place(config.digest)}` },
    ]) {
      write(image)
      await expectRefused(folder, /docker load, which goes by manifest\.json, takes .*, which is no part of it/)
    }
    for (const name of ['config', 'LAYERS', 'layer\u017F']) {
      write({ ...own, [name]: place(digestOf('evil')) })
      await expectRefused(folder, /manifest\.json has .*, which some programs take for (?:Config|Layers)/)
    }
    rmSync(path.join(folder.folder, 'saved/manifest.json'))
    writeFileSync(path.join(folder.folder, 'saved/repositories'), '{"app":{"v1":"evil"}}')
    await expectRefused(folder, /takes "repositories", which is no part of it/)
    rmSync(path.join(folder.folder, 'saved/repositories'))
    write({ Layers: [] })
    await expectRefused(folder, /Config/)
  })

  it('refuses a folder with another image under a tag, which other tools would take', async () => {
    const folder = await saved()
    const other = readFileSync(folder.blob(folder.digest), 'utf8').replace(
      '"schemaVersion":2',
      '"schemaVersion":2,"annotations":{"is":"other"}',
    )
    writeFileSync(folder.blob(digestOf(other)), other)
    const index = path.join(folder.folder, 'saved/index.json')
    const { manifests, ...rest } = JSON.parse(readFileSync(index, 'utf8')) as { manifests: { mediaType: string }[] }
    const entry = {
      mediaType: manifests[0]?.mediaType,
      digest: digestOf(other),
      size: other.length,
      annotations: { 'org.opencontainers.image.ref.name': 'v1' },
    }
    const write = (...others: readonly object[]): void =>
      writeFileSync(index, JSON.stringify({ ...rest, manifests: [...others, ...manifests] }))
    write(entry)
    await expectRefused(folder, /which has a tag: verify a folder with one image/)
    write({ ...entry, annotations: { 'io.containerd.image.name': 'registry.example/app:v1' } })
    await expectRefused(folder, /which has a tag: verify a folder with one image/)
    write({ ...entry, annotations: {}, Annotations: entry.annotations })
    await expectRefused(folder, /"Annotations", which some programs take for annotations/)
    writeFileSync(index, JSON.stringify({ ...rest, manifests, Manifests: [entry] }))
    await expectRefused(folder, /"Manifests", which some programs take for manifests/)
  })

  it('refuses a folder with a link in the place of what belongs to the image', async () => {
    const folder = await saved()
    const configuration = folder.blob(manifestOf(folder).config.digest)
    writeFileSync(path.join(folder.folder, 'evil'), 'evil')
    rmSync(configuration)
    symlinkSync(path.join(folder.folder, 'evil'), configuration)
    await expectRefused(folder, /is no regular file/)
  })
})

describe('verify-attestation --policy', () => {
  it('says nothing of checks about an image that the policy refuses', async () => {
    const { run, image, folder } = await createImageWorkspace()
    writeFileSync(path.join(folder, 'predicate.json'), '{"count":6}')
    writeFileSync(path.join(folder, 'seven.cel'), 'predicate.count == 7')
    expect(await run(['attest', ...withKey, '--predicate', 'predicate.json', '--type', 'https://a.example/t', image])).toMatchObject({
      exitCode: 0,
    })
    const { exitCode, stdout, stderr } = await run([
      'verify-attestation',
      '--key',
      'signer.pub',
      '--insecure-ignore-tlog',
      '--type',
      'https://a.example/t',
      '--policy',
      'seven.cel',
      image,
    ])
    expect(stderr).toContain('seven.cel: the expression is false')
    expect(stderr).not.toContain('The following checks were performed')
    expect(stdout).toBe('')
    expect(exitCode).toBe(1)
  })
})
