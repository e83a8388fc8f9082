/** Images in folders and from registry to registry: what cosign saves is loaded here and the other way round, and nothing is lost. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachmentsOf } from '../../src/oci/attachments.ts'
import { openLayoutFolder } from '../../src/oci/layout-folder.ts'
import { openRegistryRepository } from '../../src/oci/registry-repository.ts'
import { RegistrySession } from '../../src/oci/registry-session.ts'
import type { Repository } from '../../src/oci/repository.ts'
import type { RealRegistry } from '../support/registries.ts'
import { missingRegistries, startDockerRegistry, startReferrersRegistry } from '../support/registries.ts'
import { pushImage, pushIndex, referrerOf } from '../support/images.ts'
import type { Outcome } from '../unit/cli/captured-context.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeerLive } from './peer.ts'

const cosign = findPeer('cosign') ?? ''
const isMissing = missingRegistries().length > 0 || cosign === ''
const offline = ['--key', 'cosign.key', '--tlog-upload=false', '--use-signing-config=false', '-y']
const verifying = ['--key', 'cosign.pub', '--insecure-ignore-tlog']

describe.skipIf(isMissing)('images with everything beside them', () => {
  const registries = new Map<string, RealRegistry>()
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'image-layouts-'))
    writeFileSync(path.join(folder, 'predicate.json'), '{"hello":"world"}')
    registries.set('docker-registry', await startDockerRegistry())
    registries.set('referrers', await startReferrersRegistry())
    expect((await theirs('generate-key-pair')).exitCode).toBe(0)
  })
  afterAll(async () => {
    for (const registry of registries.values()) await registry.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const theirs = (...argv: readonly string[]): Promise<Ending> => runPeerLive(cosign, argv, folder, { COSIGN_PASSWORD: '' })
  const ours = (...argv: readonly string[]): Promise<Outcome> =>
    runCaptured(argv, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: '', TUF_ROOT: path.join(folder, 'tuf') }, now: Date.now() })
  const hostOf = (kind: string): string => registries.get(kind)?.host ?? ''
  const open = (kind: string, repository: string): Repository =>
    openRegistryRepository(new RegistrySession(hostOf(kind), { env: {} }), { registry: hostOf(kind), repository })

  const must = async (ending: Promise<Ending | Outcome>): Promise<Ending | Outcome> => {
    const ended = await ending
    if (ended.exitCode !== 0) throw new Error(`status ${ended.exitCode}: ${ended.stderr}`)
    return ended
  }

  /** Signs and attests with cosign, in both of its forms. */
  const signEverything = async (image: string): Promise<void> => {
    for (const form of [[], ['--new-bundle-format=false']]) {
      await must(theirs('sign', ...offline, ...form, image))
      await must(theirs('attest', ...offline, ...form, '--predicate', 'predicate.json', image))
    }
  }

  /** Everything beside an image and beside the images that it names: what must not be lost. */
  const inventory = async (repository: Repository, digests: readonly string[]): Promise<string[]> => {
    const lines: string[] = []
    for (const digest of digests) {
      for (const { kind, descriptor } of await attachmentsOf(repository, digest)) lines.push(`${digest} ${kind} ${descriptor.digest}`)
    }
    return lines.toSorted()
  }

  const verifies = async (image: string): Promise<void> => {
    await must(theirs('verify', ...verifying, image))
    await must(theirs('verify-attestation', ...verifying, image))
    await must(ours('verify', ...verifying, image))
    await must(ours('verify-attestation', ...verifying, image))
  }

  for (const kind of ['docker-registry', 'referrers']) {
    it(`${kind}: what we save and load is what was there, and cosign verifies it`, async () => {
      const repository = open(kind, 'saved')
      const { digest } = await pushImage(repository, 'v1')
      await signEverything(`${hostOf(kind)}/saved:v1`)
      await repository.attach(await referrerOf(repository, await repository.resolve('v1'), 'documentation'), digest)
      const all = await inventory(repository, [digest])
      expect(all).toHaveLength(5)
      const saved = await must(ours('save', '--dir', `ours-${kind}`, `${hostOf(kind)}/saved:v1`))
      expect([saved.stdout, saved.stderr]).toEqual(['', ''])
      expect(await inventory(await openLayoutFolder(path.join(folder, `ours-${kind}`), 'x'), [digest])).toEqual(all)
      for (const target of ['docker-registry', 'referrers']) {
        const loaded = await must(ours('load', '--dir', `ours-${kind}`, `${hostOf(target)}/loaded/${kind}:v1`))
        expect([loaded.stdout, loaded.stderr]).toEqual(['', ''])
        expect(await inventory(open(target, `loaded/${kind}`), [digest])).toEqual(all)
        await verifies(`${hostOf(target)}/loaded/${kind}:v1`)
      }
    })

    it(`${kind}: cosign verifies and loads what we save`, async () => {
      for (const form of [[], ['--new-bundle-format=false']]) {
        const name = `for-cosign${form.length}`
        const { digest } = await pushImage(open(kind, name), 'v1')
        await must(theirs('sign', ...offline, ...form, `${hostOf(kind)}/${name}:v1`))
        await must(ours('save', '--dir', `${name}-${kind}`, `${hostOf(kind)}/${name}:v1`))
        await must(theirs('verify', ...verifying, '--local-image', `${name}-${kind}`))
        await must(theirs('load', '--dir', `${name}-${kind}`, `${hostOf('referrers')}/${name}/${kind}:v1`))
        await must(theirs('verify', ...verifying, `${hostOf('referrers')}/${name}/${kind}@${digest}`))
      }
    })

    it(`${kind}: what cosign saves is loaded`, async () => {
      const repository = open(kind, 'theirs')
      const { digest } = await pushImage(repository, 'v1')
      await signEverything(`${hostOf(kind)}/theirs:v1`)
      const all = await inventory(repository, [digest])
      await must(theirs('save', '--dir', `theirs-${kind}`, `${hostOf(kind)}/theirs:v1`))
      await must(ours('load', '--dir', `theirs-${kind}`, `${hostOf(kind)}/theirs-loaded:v1`))
      expect(await inventory(open(kind, 'theirs-loaded'), [digest])).toEqual(all)
      await verifies(`${hostOf(kind)}/theirs-loaded:v1`)
    })

    it(`${kind}: an index is saved, loaded and copied with the signatures of every image in it`, async () => {
      const { index, images } = await pushIndex(open(kind, 'index'), 'v1')
      const digests = [index, ...images].map(({ digest }) => digest)
      for (const form of [[], ['--new-bundle-format=false']])
        await must(theirs('sign', '-r', ...offline, ...form, `${hostOf(kind)}/index:v1`))
      const all = await inventory(open(kind, 'index'), digests)
      expect(all).toHaveLength(6)
      await must(ours('save', '--dir', `index-${kind}`, `${hostOf(kind)}/index:v1`))
      await must(ours('load', '--dir', `index-${kind}`, `${hostOf(kind)}/index-loaded:v1`))
      expect(await inventory(open(kind, 'index-loaded'), digests)).toEqual(all)
      const other = kind === 'referrers' ? 'docker-registry' : 'referrers'
      await must(ours('copy', `${hostOf(kind)}/index:v1`, `${hostOf(other)}/index-copied:v1`))
      expect(await inventory(open(other, 'index-copied'), digests)).toEqual(all)
      for (const digest of digests) {
        await must(theirs('verify', ...verifying, `${hostOf(kind)}/index-loaded@${digest}`))
        await must(theirs('verify', ...verifying, `${hostOf(other)}/index-copied@${digest}`))
      }
      await must(theirs('save', '--dir', `index-theirs-${kind}`, `${hostOf(kind)}/index:v1`))
      await must(ours('load', '--dir', `index-theirs-${kind}`, `${hostOf(kind)}/index-theirs:v1`))
      await must(theirs('verify', ...verifying, `${hostOf(kind)}/index-theirs@${index.digest}`))
    })

    it(`${kind}: what we clean is gone for cosign, and what is not Sigstore's stays`, async () => {
      const repository = open(kind, 'clean')
      const { digest } = await pushImage(repository, 'v1')
      await signEverything(`${hostOf(kind)}/clean:v1`)
      await repository.attach(await referrerOf(repository, await repository.resolve('v1'), 'documentation'), digest)
      const { stderr } = await must(ours('clean', '-f', `${hostOf(kind)}/clean:v1`))
      expect(stderr.match(/^Removed .* from .*$/gm)).toHaveLength(4)
      expect(await inventory(repository, [digest])).toHaveLength(1)
      expect((await theirs('verify', ...verifying, `${hostOf(kind)}/clean:v1`)).exitCode).toBe(10)
      expect((await ours('verify', ...verifying, `${hostOf(kind)}/clean:v1`)).exitCode).toBe(10)
    })

    it(`${kind}: tree, triangulate and download print what cosign prints`, async () => {
      const image = `${hostOf(kind)}/printed:v1`
      await pushImage(open(kind, 'printed'), 'v1')
      await must(theirs('sign', ...offline, '--new-bundle-format=false', image))
      await must(theirs('attest', ...offline, '--new-bundle-format=false', '--predicate', 'predicate.json', image))
      const sorted = ({ stdout }: Ending | Outcome): string[] => stdout.trimEnd().split('\n').toSorted()
      expect(sorted(await must(ours('tree', image)))).toEqual(sorted(await must(theirs('tree', image))))
      for (const type of ['signature', 'attestation', 'sbom', 'digest']) {
        const argv = ['triangulate', '--type', type, image] as const
        const [a, b] = [await must(ours(...argv)), await must(theirs(...argv))]
        expect(a).toEqual(b)
      }
      // cosign adds key identifiers that are empty.
      const json = ({ stdout }: Ending | Outcome): unknown => JSON.parse(stdout.replace('"keyid":"",', ''))
      for (const what of ['signature', 'attestation']) {
        expect(json(await must(ours('download', what, image)))).toEqual(json(await must(theirs('download', what, image))))
      }
      await must(theirs('sign', ...offline, image))
      const lines = (await must(ours('download', 'signature', image))).stdout.trimEnd().split('\n')
      expect(lines).toHaveLength(2)
      expect(lines).toContain((await must(theirs('download', 'signature', image))).stdout.trimEnd())
    })
  }
})
