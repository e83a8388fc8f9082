/**
 * Copies of images by clients that know of signatures nothing but their tags: as `imgpkg copy --cosign-signatures` does it, an image by its
 * digest and `sha256-….sig` by its name, from repository to repository and from registry to registry. What was copied with its tag
 * verifies; without it, or under the tag of another image, it does not.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from './image-clients.ts'
import { countersign, expectJudgedRight, expectUnsigned, judgesOf, signersOf } from './image-clients.ts'
import type { ImageWorld, RegistryName } from './image-world.ts'
import { digestOf, expectSuccess, isWorldMissing as isMissing, openImageWorld, registryNames } from './image-world.ts'
import { findFile } from './peer.ts'

const skopeo = findFile(['/usr/bin/skopeo'], '/usr/bin/skopeo is not there: apt-get install skopeo')
let world: ImageWorld

beforeAll(async () => {
  if (!isMissing) world = await openImageWorld()
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

let made = 0
const freshRepository = (registry: RegistryName): string => `${world.host(registry)}/tags/${made++}`
const repositoryOf = (image: string): string => image.slice(0, image.indexOf('@'))
/** The tag beside an image: without an ending, that of its referrers where a registry has no API for them. */
const tagOf = (image: string, ending = ''): string => `${repositoryOf(image)}:${digestOf(image).replace(':', '-')}${ending}`

/** A program that copies one thing by its name. */
type Copier = (source: string, target: string) => Promise<unknown>
const byCrane: Copier = (source, target) => world.crane('copy', source, target)
const bySkopeo: Copier = (source, target) => {
  const access = ['--insecure-policy', 'copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false']
  return expectSuccess(world.run(skopeo, [...access, `docker://${source}`, `docker://${target}`]))
}
const copiers = [
  { name: 'crane', copy: byCrane, isAbsent: false },
  { name: 'skopeo', copy: bySkopeo, isAbsent: skopeo === undefined },
]

/** Copies an image as imgpkg does, with the tags that are asked for. @returns the reference of the copy */
async function copyImage(image: string, repository: string, endings: readonly string[], copy: Copier = byCrane): Promise<string> {
  const copied = `${repository}@${digestOf(image)}`
  // skopeo pushes to tags only.
  await copy(image, `${repository}:${digestOf(image).replace(':', '-')}.imgpkg`)
  for (const ending of endings) await copy(tagOf(image, ending), tagOf(copied, ending))
  return copied
}

async function signed(registry: RegistryName, form: Omit<Task, 'image'>, signer = countersign): Promise<Task> {
  const repository = freshRepository(registry)
  const image = await world.pushImage(registry, repository.slice(repository.indexOf('/') + 1))
  await expectSuccess(signer.signs(world, { ...form, image }))
  return { ...form, image }
}

const tagged = { kind: 'signature', layout: 'tag', keyless: false } as const

for (const source of registryNames) {
  for (const target of registryNames) {
    describe.skipIf(isMissing)(`an image copied from ${source} to ${target}`, () => {
      for (const signer of signersOf('tag')) {
        for (const keyless of [false, true]) {
          const who = `${signer.name}${keyless ? ', keyless' : ''}`
          for (const { name, copy, isAbsent } of copiers) {
            it.skipIf(isAbsent)(`with its tag by ${name} is verified there: signed by ${who}`, async () => {
              const task = await signed(source, { ...tagged, keyless }, signer)
              const repository = freshRepository(target)
              const image = await copyImage(task.image, repository, ['.sig'], copy)
              const unsigned = await world.pushImage(target, repository.slice(repository.indexOf('/') + 1), 'unsigned')
              await expectJudgedRight(world, { ...task, image }, unsigned)
            })
          }
        }

        it(`with the tag of its attestations is verified there: attested by ${signer.name}`, async () => {
          const task = await signed(source, { ...tagged, kind: 'attestation' }, signer)
          const image = await copyImage(task.image, freshRepository(target), ['.att'])
          for (const judge of judgesOf('tag')) await expectSuccess(judge.judges(world, { ...task, image }))
          await expectUnsigned(world, { ...tagged, image })
        })
      }

      it('without its tag is refused, as there is no signature', async () => {
        const task = await signed(source, tagged)
        await expectUnsigned(world, { ...task, image: await copyImage(task.image, freshRepository(target), []) })
      })

      it('with the signatures of another image under its tag is refused', async () => {
        const [task, other] = [await signed(source, tagged), await signed(source, tagged)]
        const image = await copyImage(task.image, freshRepository(target), [])
        await byCrane(tagOf(other.image, '.sig'), tagOf(image, '.sig'))
        for (const judge of judgesOf('tag')) {
          const { exitCode, stdout, stderr } = await judge.judges(world, { ...task, image })
          expect([judge.name, exitCode, stdout]).toEqual([judge.name, 12, ''])
          expect(stderr).toContain('no matching signatures')
        }
      })

      it('whose tag alone came over is verified by its digest', async () => {
        const task = await signed(source, tagged)
        const image = `${freshRepository(target)}@${digestOf(task.image)}`
        await byCrane(tagOf(task.image, '.sig'), tagOf(image, '.sig'))
        const exitCodes = await Promise.all(judgesOf('tag').map(async (judge) => (await judge.judges(world, { ...task, image })).exitCode))
        expect(exitCodes).toEqual(judgesOf('tag').map(() => 0))
      })
    })
  }

  it.skipIf(isMissing)(`images of several repositories of ${source} that are gathered in one keep each its own signature`, async () => {
    const tasks = [await signed(source, tagged), await signed(source, tagged), await signed(source, { ...tagged, keyless: true })]
    for (const target of registryNames) {
      const repository = freshRepository(target)
      for (const { image } of tasks) await copyImage(image, repository, ['.sig'])
      for (const task of tasks) {
        const image = `${repository}@${digestOf(task.image)}`
        for (const judge of judgesOf('tag')) await expectSuccess(judge.judges(world, { ...task, image }))
      }
    }
  })
}

describe.skipIf(isMissing)('an image signed with bundles, copied from a registry without the referrers API', () => {
  for (const signer of signersOf('bundle')) {
    for (const target of registryNames) {
      it(`with the tag of its referrers, is verified in ${target}: signed by ${signer.name}`, async () => {
        const task = await signed('docker-registry', { ...tagged, layout: 'bundle' }, signer)
        const repository = freshRepository(target)
        const image = await copyImage(task.image, repository, [''])
        const unsigned = await world.pushImage(target, repository.slice(repository.indexOf('/') + 1), 'unsigned')
        await expectJudgedRight(world, { ...task, image }, unsigned)
      })
    }
  }

  it('without that tag, or with that of another image, is refused', async () => {
    const form = { ...tagged, layout: 'bundle' } as const
    const [task, other] = [await signed('docker-registry', form), await signed('docker-registry', form)]
    for (const target of registryNames) {
      const image = await copyImage(task.image, freshRepository(target), [])
      await expectUnsigned(world, { ...task, image })
      await byCrane(tagOf(other.image), tagOf(image))
      for (const judge of judgesOf('bundle')) {
        const { exitCode, stdout } = await judge.judges(world, { ...task, image })
        expect([judge.name, exitCode === 0, stdout]).toEqual([judge.name, false, ''])
      }
    }
  })
})
