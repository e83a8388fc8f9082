/** The verbs that move, list and remove what is in registries, on registries in memory. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { attachmentsOf } from '../../../../src/oci/attachments.ts'
import type { Descriptor } from '../../../../src/oci/manifest.ts'
import { encodeManifest, mediaType } from '../../../../src/oci/manifest.ts'
import { openRegistryRepository } from '../../../../src/oci/registry-repository.ts'
import { RegistrySession } from '../../../../src/oci/registry-session.ts'
import type { Repository } from '../../../../src/oci/repository.ts'
import { storeBundle, storeLayer } from '../../../../src/oci/store-signatures.ts'
import { signStatement } from '../../../support/universe/universe.ts'
import { pushImage, pushIndex, referrerOf } from '../../../support/images.ts'
import type { FakeRegistry, FakeRegistryOptions } from '../../../support/registry-fake.ts'
import { answer, startFakeRegistry } from '../../../support/registry-fake.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

interface World {
  readonly registry: FakeRegistry
  readonly folder: string
  open(repository: string): Repository
  run(argv: readonly string[], surroundings?: Surroundings): Promise<Outcome>
}

async function newWorld(options: FakeRegistryOptions = {}): Promise<World> {
  const registry = await startFakeRegistry(options)
  const folder = mkdtempSync(path.join(tmpdir(), 'storage-'))
  onTestFinished(async () => {
    await registry.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const session = new RegistrySession(registry.host, { env: {} })
  return {
    registry,
    folder,
    open: (repository) => openRegistryRepository(session, { registry: registry.host, repository }),
    run: (argv, { env = {}, ...surroundings } = {}) => runCaptured(argv, { cwd: folder, env: { HOME: folder, ...env }, ...surroundings }),
  }
}

const bundle = signStatement().json

/** Puts one thing of every kind beside an image. */
async function attachEverything(repository: Repository, image: Descriptor): Promise<void> {
  const made = { bundle, content: 'dsse-envelope', created: new Date(0) } as const
  await storeBundle(repository, image, { ...made, predicateType: 'https://sigstore.dev/cosign/sign/v1' })
  await storeBundle(repository, image, { ...made, predicateType: 'https://slsa.dev/provenance/v1' })
  await storeSignature(repository, image, 1)
  const sbom = await repository.putBlob(encodeUtf8('{"spdxVersion":"SPDX-2.3"}'))
  const config = await repository.putBlob(encodeUtf8('{}'))
  const layers = [{ mediaType: 'text/spdx+json', ...sbom }]
  await repository.putManifest(
    encodeManifest({ config: { mediaType: mediaType.config, ...config }, layers }),
    `${image.digest.replace(':', '-')}.sbom`,
  )
  await repository.attach(await referrerOf(repository, image, 'documentation'), image.digest)
}

function storeSignature(repository: Repository, image: Descriptor, byte: number): Promise<string> {
  return storeLayer(repository, image.digest, {
    kind: 'signature',
    contents: encodeUtf8(`{"payload":${byte}}`),
    entity: {
      content: { kind: 'message-signature', signature: Uint8Array.of(byte), digest: undefined },
      keyMaterial: { kind: 'none' },
      logEntries: [],
      timestamps: [],
      format: 'legacy',
    },
  })
}

async function kindsBeside(repository: Repository, digest: string): Promise<string[]> {
  return (await attachmentsOf(repository, digest)).map(({ kind }) => kind).toSorted()
}

const everything = ['referrer', 'referrer', 'referrer', 'sbom', 'sig']

describe.each([[true], [false]])('copy (referrers API: %s)', (referrers) => {
  it('copies the image, everything beside it, and then the tag', async () => {
    const { registry, run, open } = await newWorld({ referrers })
    const image = await pushImage(open('from'), 'v1')
    await attachEverything(open('from'), image)
    const { exitCode, stdout, stderr } = await run(['copy', `${registry.host}/from:v1`, `${registry.host}/to:v1`])
    expect([exitCode, stdout]).toEqual([0, ''])
    expect(stderr.match(/^Copying \S+ to \S+\.\.\.$/gm)).toHaveLength(6)
    expect(await kindsBeside(open('to'), image.digest)).toEqual(everything)
    const puts = registry.requests.filter(({ method, target }) => method === 'PUT' && target.startsWith('/v2/to/manifests/'))
    expect(puts.at(-1)?.target).toBe('/v2/to/manifests/v1')
  })
})

describe('copy', () => {
  it('sends no blob that the registry can take over, and nothing again', async () => {
    const { registry, run, open } = await newWorld()
    await pushImage(open('from'), 'v1')
    const before = registry.requests.length
    await run(['copy', `${registry.host}/from:v1`, `${registry.host}/to:v1`])
    const mounts = registry.requests.slice(before).filter(({ target }) => target.includes('mount='))
    expect(mounts).toHaveLength(2)
    const copied = registry.requests.length
    await run(['copy', `${registry.host}/from:v1`, `${registry.host}/to:v1`])
    expect(registry.requests.slice(copied).some(({ method }) => method === 'POST')).toBe(false)
  })

  it('keeps signatures that the destination has', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    await pushImage(open('to'), 'v1')
    await storeSignature(open('from'), image, 1)
    await storeSignature(open('to'), image, 2)
    expect((await run(['copy', `${registry.host}/from:v1`, `${registry.host}/to:v1`])).exitCode).toBe(0)
    const { stdout } = await run(['download', 'signature', `${registry.host}/to:v1`])
    expect(stdout.trimEnd().split('\n')).toHaveLength(2)
  })

  it('keeps signatures that the destination has, whatever the source has in their place', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    const tag = `${image.digest.replace(':', '-')}.sig`
    await pushIndex(open('from'), tag)
    await pushImage(open('to'), 'v1')
    const kept = await storeSignature(open('to'), image, 1)
    const { exitCode, stderr } = await run(['copy', `${registry.host}/from:v1`, `${registry.host}/to:v1`])
    expect(exitCode).toBe(0)
    expect(stderr).toContain(`${tag} is an index and no signatures: what ${registry.host}/to has under that tag stays`)
    expect((await open('to').resolve(tag)).digest).toBe(kept)
  })

  it('does not replace another image without being told to', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    const other = await pushImage(open('to'), 'v1', 'another')
    const argv = ['copy', `${registry.host}/from:v1`, `${registry.host}/to:v1`]
    const { exitCode, stderr } = await run(argv)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`Error: image "${registry.host}/to:v1" already exists. Use \`-f\` to overwrite`)
    expect((await open('to').resolve('v1')).digest).toBe(other.digest)
    expect((await run([...argv, '-f'])).exitCode).toBe(0)
    expect((await open('to').resolve('v1')).digest).toBe(image.digest)
  })

  it.each([
    [['--only=sig'], ['referrer', 'sig']],
    [['--only=att'], ['referrer']],
    [['--only=sbom'], ['sbom']],
    [['--only=sig,sbom'], ['referrer', 'sbom', 'sig']],
    [['--sig-only'], ['referrer', 'sig']],
  ])('%j copies what it says, and moves no tag', async (flags, expected) => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    await attachEverything(open('from'), image)
    expect((await run(['copy', ...flags, `${registry.host}/from:v1`, `${registry.host}/to:v1`])).exitCode).toBe(0)
    expect(await kindsBeside(open('to'), image.digest)).toEqual(expected)
    expect(
      await open('to')
        .tags()
        .catch(() => []),
    ).not.toContain('v1')
  })

  it.each([
    ['copy', 'HOST/from:v1', 'HOST/to:v1'],
    ['save', '--dir', 'saved', 'HOST/from:v1'],
  ])('%s ends in the time that --timeout gives it, and leaves nothing half done', async (...words) => {
    const { registry, folder, run, open } = await newWorld()
    await pushImage(open('from'), 'v1')
    registry.rule(/^GET .*\/blobs\//, () => new Promise(() => undefined))
    const before = registry.manifests.size
    const argv = [...words.map((word) => word.replace('HOST', registry.host)), '--timeout', '300ms']
    const { exitCode, stderr } = await run(argv)
    expect(exitCode, stderr).toBe(1)
    expect(stderr).toContain('the command did not finish within 300ms, which --timeout can extend')
    expect(registry.manifests.size).toBe(before)
    const index = path.join(folder, 'saved', 'index.json')
    if (existsSync(index)) expect(JSON.parse(readFileSync(index, 'utf8'))).toMatchObject({ manifests: [] })
  })

  it('of one platform copies that image only', async () => {
    const { registry, run, open } = await newWorld()
    const { images } = await pushIndex(open('from'), 'v1')
    const argv = ['copy', '--platform', 'linux/arm64', `${registry.host}/from:v1`, `${registry.host}/to:arm`]
    expect((await run(argv)).exitCode).toBe(0)
    expect((await open('to').resolve('arm')).digest).toBe(images[1]?.digest)
    const refused = await run(['copy', '--platform', 'linux/s390x', `${registry.host}/from:v1`, `${registry.host}/to:x`])
    expect(refused.stderr).toContain('has no image for linux/s390x; it has linux/amd64, linux/arm64/v8')
  })

  it.each([
    [['--only', 'foo', 'a/b', 'c/d'], 'invalid value for --only: foo, only the following values are supported: [sig sbom att]'],
    [['a/b'], 'accepts 2 arg(s), received 1'],
    [['A/b', 'c/d'], 'could not parse reference'],
  ])('refuses %j', async (argv, message) => {
    const { run } = await newWorld()
    const { exitCode, stderr } = await run(['copy', ...argv])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
  })

  it('warns of what claims to refer to the image and does not, and copies the rest', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    const other = await pushImage(open('from'), 'v2', 'other')
    const note = await referrerOf(open('from'), other, 'note')
    await open('from').attach(note, other.digest)
    await storeSignature(open('from'), image, 1)
    const list = {
      schemaVersion: 2,
      mediaType: mediaType.index,
      manifests: [{ mediaType: mediaType.manifest, digest: note.digest, size: note.bytes.length }],
    }
    registry.rule(`GET /v2/from/referrers/${image.digest}`, answer(200, { 'content-type': mediaType.index }, JSON.stringify(list)))
    const { exitCode, stderr } = await run(['copy', `${registry.host}/from:v1`, `${registry.host}/to:v1`])
    expect(exitCode).toBe(0)
    expect(stderr).toContain(`WARNING: ${note.digest} is listed as a referrer of ${image.digest}, and is about something else`)
    expect(await kindsBeside(open('to'), image.digest)).toEqual(['sig'])
  })
})

describe('save and load', () => {
  it('bring everything back, and print nothing', async () => {
    const { registry, run, open, folder } = await newWorld()
    const { index, images } = await pushIndex(open('from'), 'v1')
    for (const image of [index, ...images]) await attachEverything(open('from'), image)
    expect(await run(['save', '--dir', 'saved', `${registry.host}/from:v1`])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(readdirSync(path.join(folder, 'saved')).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect(await run(['load', '--dir', 'saved', `${registry.host}/to:v2`])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect((await open('to').resolve('v2')).digest).toBe(index.digest)
    for (const { digest } of [index, ...images]) expect(await kindsBeside(open('to'), digest)).toEqual(everything)
  })

  it('have signatures in the repository that COSIGN_REPOSITORY names', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('app'), 'v1')
    await storeSignature(open('signatures'), image, 1)
    const env = { COSIGN_REPOSITORY: `${registry.host}/signatures` }
    expect((await run(['save', '--dir', 'saved', `${registry.host}/app:v1`], { env })).exitCode).toBe(0)
    expect((await run(['load', '--dir', 'saved', `${registry.host}/loaded:v1`])).exitCode).toBe(0)
    expect(await kindsBeside(open('loaded'), image.digest)).toEqual(['sig'])
    const there = await run(['triangulate', `${registry.host}/app:v1`], { env })
    expect(there.stdout).toBe(`${registry.host}/signatures:${image.digest.replace(':', '-')}.sig\n`)
  })

  it('of an image that is not there leaves nothing', async () => {
    const { registry, run, folder } = await newWorld()
    const { exitCode, stderr } = await run(['save', '--dir', 'saved', `${registry.host}/none:v1`])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`${registry.host}/none:v1 is not in the registry`)
    expect(existsSync(path.join(folder, 'saved'))).toBe(false)
  })

  it('that is interrupted by a blob that is wrong leaves the layout that was there', async () => {
    const { registry, run, open, folder } = await newWorld()
    await pushImage(open('from'), 'v1')
    await run(['save', '--dir', 'saved', `${registry.host}/from:v1`])
    const before = readFileSync(path.join(folder, 'saved', 'index.json'), 'utf8')
    await pushImage(open('from'), 'v2', 'another layer')
    registry.rule('GET /v2/from/blobs/', answer(200, {}, 'something else'))
    const { exitCode, stderr } = await run(['save', '--dir', 'saved', `${registry.host}/from:v2`])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/gave something else for the content|more than the limit/)
    expect(readFileSync(path.join(folder, 'saved', 'index.json'), 'utf8')).toBe(before)
  })

  it('load nothing that was changed on the way', async () => {
    const { registry, run, open, folder } = await newWorld()
    await pushImage(open('from'), 'v1', 'the layer')
    await run(['save', '--dir', 'saved', `${registry.host}/from:v1`])
    const blobs = path.join(folder, 'saved', 'blobs', 'sha256')
    for (const name of readdirSync(blobs)) {
      if (readFileSync(path.join(blobs, name), 'utf8') === 'the layer') writeFileSync(path.join(blobs, name), 'thE layer')
    }
    const { exitCode, stderr } = await run(['load', '--dir', 'saved', `${registry.host}/to:v1`])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('gave something else for the content with the digest')
    await expect(open('to').resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('load under a digest only what has it', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    await run(['save', '--dir', 'saved', `${registry.host}/from:v1`])
    expect((await run(['load', '--dir', 'saved', `${registry.host}/to@${image.digest}`])).exitCode).toBe(0)
    const wrong = await run(['load', '--dir', 'saved', `${registry.host}/to@sha256:${'0'.repeat(64)}`])
    expect(wrong.stderr).toContain(`saved holds the image ${image.digest}, not sha256:000`)
  })

  it('load an archive of a layout, too', async () => {
    const { registry, run, open, folder } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    await attachEverything(open('from'), image)
    await run(['save', '--dir', 'saved', `${registry.host}/from:v1`])
    expect(spawnSync('tar', ['-C', path.join(folder, 'saved'), '-cf', path.join(folder, 'saved.tar'), '.']).status).toBe(0)
    expect(await run(['load', '--dir', 'saved.tar', `${registry.host}/to:v1`])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(await kindsBeside(open('to'), image.digest)).toEqual(everything)
  })

  it('are not needed to sign an archive, which stays as it is', async () => {
    const { registry, run, open, folder } = await newWorld()
    const image = await pushImage(open('from'), 'v1')
    await run(['save', '--dir', 'saved', `${registry.host}/from:v1`])
    spawnSync('tar', ['-C', path.join(folder, 'saved'), '-cf', path.join(folder, 'saved.tar'), '.'])
    const env = { COSIGN_PASSWORD: '' }
    expect((await run(['generate-key-pair'], { env })).exitCode).toBe(0)
    const sign = ['sign', '--key', 'cosign.key', '--tlog-upload=false', '--use-signing-config=false', '-y', '--local-image', 'saved.tar']
    const refused = await run(sign, { env })
    expect(refused.stderr).toContain(
      'saved.tar is an archive, into which no signature is stored: do not upload, and name a file with --bundle',
    )
    const { exitCode, stderr } = await run([...sign, '--upload=false', '--bundle', 'bundle.json'], { env })
    expect(exitCode, stderr).toBe(0)
    const { dsseEnvelope } = JSON.parse(readFileSync(path.join(folder, 'bundle.json'), 'utf8')) as { dsseEnvelope: { payload: string } }
    expect(Buffer.from(dsseEnvelope.payload, 'base64').toString()).toContain(image.digest.slice('sha256:'.length))
  })

  it('show how far they are on a terminal, and nothing of it stays', async () => {
    const { registry, run, open } = await newWorld()
    await pushImage(open('from'), 'v1', Buffer.alloc(6_000_000, 'layer'))
    const { stderr } = await run(['save', '--dir', 'saved', `${registry.host}/from:v1`], { columns: 80, now: 1_000_000 })
    expect(stderr).toMatch(/^\rSaving [0-9.]+ MB of 6\.0 MB/)
    expect(stderr.endsWith('\r\u001B[K')).toBe(true)
  })

  it('want a folder', async () => {
    const { run } = await newWorld()
    expect((await run(['save', 'a/b'])).stderr).toContain('required flag(s) "dir" not set')
    expect((await run(['load', '--dir', 'nowhere', 'a/b'])).stderr).toContain('nowhere is no image layout: it has no index.json')
  })
})

describe.each([[true], [false]])('clean (referrers API: %s)', (referrers) => {
  it.each([
    ['all', ['referrer']],
    ['signature', ['referrer', 'referrer', 'referrer', 'sbom']],
    ['sbom', ['referrer', 'referrer', 'referrer', 'sig']],
    ['referrer', ['referrer', 'sbom', 'sig']],
  ])('--type %s leaves what is not of it, and what is not Sigstore’s', async (type, left) => {
    const { registry, run, open } = await newWorld({ referrers })
    const image = await pushImage(open('app'), 'v1')
    await attachEverything(open('app'), image)
    const { exitCode, stderr } = await run(['clean', '--type', type, '-f', `${registry.host}/app:v1`])
    expect(exitCode).toBe(0)
    expect(await kindsBeside(open('app'), image.digest)).toEqual(left)
    expect(stderr.includes('1 signature in bundles that refer to the image stay; --type referrer removes them')).toBe(type === 'signature')
    expect((await open('app').resolve('v1')).digest).toBe(image.digest)
  })
})

describe('clean', () => {
  it('asks before', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('app'), 'v1')
    await attachEverything(open('app'), image)
    const declined = await run(['clean', `${registry.host}/app:v1`], { stdin: encodeUtf8('n\n') })
    expect(declined.exitCode).toBe(1)
    expect(declined.stderr).toContain('WARNING: this will remove all signatures, SBOMs and attestations from the image')
    expect(declined.stderr).toContain('user declined the prompt (--force agrees without being asked)')
    expect(await kindsBeside(open('app'), image.digest)).toEqual(everything)
    expect((await run(['clean', `${registry.host}/app:v1`], { stdin: encodeUtf8('y\n') })).exitCode).toBe(0)
    expect(await kindsBeside(open('app'), image.digest)).toEqual(['referrer'])
  })
})

describe('tree', () => {
  it('shows what lies beside what lies beside an image, and nothing that acts on a terminal', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('app'), 'v1')
    const sbom = await open('app').attach(await referrerOf(open('app'), image, 'an SBOM', 'text/\u001B[31mspdx'), image.digest)
    await open('app').attach(await referrerOf(open('app'), sbom, 'its signature'), sbom.digest)
    const { stdout } = await run(['tree', `${registry.host}/app:v1`])
    expect(stdout.split('\n').map((line) => line.replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:…').replaceAll(registry.host, 'host'))).toEqual(
      [
        '📦 Supply Chain Security Related artifacts for an image: host/app:v1',
        '└── 🔗 text/\\x1b[31mspdx artifacts via OCI referrer: host/app@sha256:…',
        '   └── 🍒 sha256:…',
        '   └── 🔗 application/vnd.example.note artifacts via OCI referrer: host/app@sha256:…',
        '      └── 🍒 sha256:…',
        '',
      ],
    )
  })

  it('says when there is nothing', async () => {
    const { registry, run, open } = await newWorld()
    await pushImage(open('app'), 'v1')
    const { stdout } = await run(['tree', `${registry.host}/app:v1`])
    expect(stdout).toContain(`No Supply Chain Security Related Artifacts found for image ${registry.host}/app:v1`)
  })
})

describe('download', () => {
  it('prints what is asked for, one a line', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('app'), 'v1')
    const stored = { bundle, content: 'dsse-envelope', predicateType: undefined, created: new Date(0) } as const
    await storeBundle(open('app'), image, stored)
    await storeBundle(open('app'), image, { ...stored, bundle: JSON.stringify(JSON.parse(bundle), undefined, 2) })
    const { stdout } = await run(['download', 'attestation', `${registry.host}/app:v1`])
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(JSON.parse(line)).toEqual(JSON.parse(bundle))
    const none = await run(['download', 'attestation', '--predicate-type', 'https://other.example/v1', `${registry.host}/app:v1`])
    expect([none.exitCode, none.stdout]).toEqual([1, ''])
    expect(none.stderr).toContain("no attestations with predicate type 'https://other.example/v1' found")
    const signatures = await run(['download', 'signature', `${registry.host}/app:v1`])
    expect(signatures.stderr).toContain(`${registry.host}/app:v1: no signatures associated`)
  })

  it('writes an SBOM as it is, and says that nobody vouches for it', async () => {
    const { registry, run, open } = await newWorld()
    const image = await pushImage(open('app'), 'v1')
    expect((await run(['download', 'sbom', `${registry.host}/app:v1`])).stderr).toContain('no sbom attached to reference')
    await attachEverything(open('app'), image)
    const { stdout, stderr } = await run(['download', 'sbom', `${registry.host}/app:v1`])
    expect(stdout).toBe('{"spdxVersion":"SPDX-2.3"}')
    expect(stderr).toContain('does not ensure its authenticity')
    expect(stderr).toContain('Found SBOM of media type: text/spdx+json')
  })
})

describe('login', () => {
  const user = { username: 'alice', password: 'correct horse' }

  it.each(['basic', 'bearer'] as const)('keeps what the registry has taken (%s)', async (kind) => {
    const { registry, run, folder } = await newWorld({ auth: { kind, ...user } })
    const { exitCode, stdout, stderr } = await run(['login', registry.host, '-u', 'alice', '--password-stdin'], {
      stdin: encodeUtf8('correct horse\n'),
    })
    const file = path.join(folder, '.docker', 'config.json')
    expect([exitCode, stdout]).toEqual([0, ''])
    expect(stderr).toContain(`logged in via ${file}`)
    expect(stderr).not.toContain('correct horse')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await run(['triangulate', `${registry.host}/app:v1`])).stderr).toContain('is not in the registry')
  })

  it.each(['basic', 'bearer'] as const)('keeps nothing that the registry refuses (%s)', async (kind) => {
    const { registry, run, folder } = await newWorld({ auth: { kind, ...user } })
    const { exitCode, stderr } = await run(['login', registry.host, '-u', 'alice', '-p', 'wrong-word'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('a password on the command line can be read by other users')
    expect(stderr).not.toContain('wrong-word')
    expect(existsSync(path.join(folder, '.docker'))).toBe(false)
  })

  it.each([
    [['ghcr.io'], 'username and password required'],
    [['ghcr.io', '-u', 'a'], 'username and password required'],
    [['ghcr.io', '-u', 'a:b', '-p', 'x'], 'cannot hold a colon'],
    [['ghcr.io', '-u', 'a', '-p', 'x', '--password-stdin'], 'exclude each other'],
    [['ghcr.io/org/app', '-u', 'a', '-p', 'x'], 'expected the host of a registry'],
    [['a b', '-u', 'a', '-p', 'x'], 'expected the host of a registry'],
    [['ghcr.io', 'quay.io'], 'accepts 1 arg(s), received 2'],
  ])('refuses %j', async (argv, message) => {
    const { run } = await newWorld()
    const { exitCode, stderr } = await run(['login', ...argv])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
  })
})
