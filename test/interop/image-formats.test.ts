/**
 * Images and indexes in the formats of Docker and of OCI, as `crane` and `skopeo` push them: signed and attested by countersign and cosign,
 * verified by all. And refused: what nobody has signed, and what becomes of a signed image when it is converted.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countersign, expectJudgedRight, expectUnsigned, signersOf } from './image-clients.ts'
import type { ImageWorld, RegistryName } from './image-world.ts'
import { expectSuccess, isWorldMissing as isMissing, openImageWorld, registryNames } from './image-world.ts'
import { findFile } from './peer.ts'

const skopeo = findFile(['/usr/bin/skopeo'], '/usr/bin/skopeo is not there: apt-get install skopeo')
let world: ImageWorld

beforeAll(async () => {
  if (!isMissing) world = await openImageWorld()
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

let pushed = 0
const freshName = (): string => `formats/${pushed++}`

/** Pushes to a repository with skopeo. @returns the reference with its digest */
async function copyWithSkopeo(from: string, repository: string, words: readonly string[]): Promise<string> {
  const access = ['--src-tls-verify=false', '--dest-tls-verify=false', '--digestfile', 'digest']
  await expectSuccess(world.run(skopeo, ['--insecure-policy', 'copy', ...access, ...words, from, `docker://${repository}:v1`]))
  return `${repository}@${world.read('digest').trim()}`
}

/** An image in the file that `docker save` makes, pushed as its user does. */
async function pushArchive(registry: RegistryName, repository: string, format: string): Promise<string> {
  world.write('layer', `${repository} in ${registry}`)
  await expectSuccess(world.run('/bin/tar', ['cf', 'layer.tar', 'layer']))
  await world.crane('append', '-f', 'layer.tar', '-t', 'example.com/app:v1', '-o', 'image.tar')
  return copyWithSkopeo('docker-archive:image.tar', `${world.host(registry)}/${repository}`, ['--format', format])
}

async function pushTwo(registry: RegistryName, repository: string, words: readonly string[] = []): Promise<string> {
  const images = [await world.pushImage(registry, repository, 'a', words), await world.pushImage(registry, repository, 'b', words)]
  return world.pushIndex(registry, repository, images)
}

const docker = 'application/vnd.docker.distribution.manifest'
const oci = 'application/vnd.oci.image'

interface Form {
  readonly name: string
  readonly mediaType: string
  readonly isIndex?: boolean
  readonly needsSkopeo?: boolean
  push(registry: RegistryName, repository: string): Promise<string>
}

const forms: readonly Form[] = [
  { name: "Docker's image, by crane", mediaType: `${docker}.v2+json`, push: (registry, name) => world.pushImage(registry, name) },
  {
    name: "OCI's image, by crane",
    mediaType: `${oci}.manifest.v1+json`,
    push: (registry, name) => world.pushImage(registry, name, 'v1', ['--oci-empty-base']),
  },
  {
    name: "Docker's image, by skopeo",
    mediaType: `${docker}.v2+json`,
    needsSkopeo: true,
    push: (registry, name) => pushArchive(registry, name, 'v2s2'),
  },
  {
    name: "OCI's image, by skopeo",
    mediaType: `${oci}.manifest.v1+json`,
    needsSkopeo: true,
    push: (registry, name) => pushArchive(registry, name, 'oci'),
  },
  {
    name: "OCI's index of Docker's images, by crane",
    mediaType: `${oci}.index.v1+json`,
    isIndex: true,
    push: (registry, name) => pushTwo(registry, name),
  },
  {
    name: "OCI's index of its images, by skopeo",
    mediaType: `${oci}.index.v1+json`,
    isIndex: true,
    needsSkopeo: true,
    push: async (registry, name) =>
      copyWithSkopeo(`docker://${await pushTwo(registry, freshName(), ['--oci-empty-base'])}`, `${world.host(registry)}/${name}`, [
        '--all',
      ]),
  },
  {
    name: "Docker's list, converted by skopeo",
    mediaType: `${docker}.list.v2+json`,
    isIndex: true,
    needsSkopeo: true,
    push: async (registry, name) => {
      const words = ['--all', '--format', 'v2s2']
      return copyWithSkopeo(`docker://${await pushTwo(registry, freshName())}`, `${world.host(registry)}/${name}`, words)
    },
  },
]

interface ManifestJson {
  readonly mediaType?: string
  readonly manifests?: readonly { readonly digest: string }[]
}
const manifestOf = async (image: string): Promise<ManifestJson> => JSON.parse(await world.crane('manifest', image)) as ManifestJson
for (const registry of registryNames) {
  describe.skipIf(isMissing)(`pushed to ${registry}`, () => {
    for (const form of forms) {
      for (const layout of ['bundle', 'tag'] as const) {
        // A tag is the same in every registry.
        if (layout === 'tag' && registry === 'referrers-registry') continue
        it.skipIf(form.needsSkopeo === true && skopeo === undefined)(`${form.name}, is signed and attested as a ${layout}`, async () => {
          for (const signer of signersOf(layout)) {
            const repository = freshName()
            const image = await form.push(registry, repository)
            const { mediaType, manifests = [] } = await manifestOf(image)
            expect(mediaType).toBe(form.mediaType)
            expect(manifests).toHaveLength(form.isIndex === true ? 2 : 0)
            const unsigned = await world.pushImage(registry, repository, 'unsigned')
            for (const kind of ['signature', 'attestation'] as const) {
              const task = { kind, layout, keyless: false, image }
              await expectSuccess(signer.signs(world, { ...task, recursive: form.isIndex === true && kind === 'signature' }))
              await expectJudgedRight(world, task, unsigned)
              if (kind === 'attestation') continue
              for (const { digest } of manifests)
                await expectSuccess(countersign.judges(world, { ...task, image: `${image.slice(0, image.indexOf('@'))}@${digest}` }))
            }
          }
        })
      }
    }

    it.skipIf(skopeo === undefined)('a signed image that is converted to the other format is no longer the signed one', async () => {
      const name = freshName()
      const image = await pushArchive(registry, name, 'v2s2')
      const task = { kind: 'signature', layout: 'bundle', keyless: false, image } as const
      await expectSuccess(countersign.signs(world, task))
      const converted = await copyWithSkopeo(`docker://${image}`, `${world.host(registry)}/${name}`, ['--format', 'oci'])
      expect(converted).not.toBe(image)
      await expectUnsigned(world, { ...task, image: `${world.host(registry)}/${name}:v1` })
      await expectJudgedRight(world, task, converted)
    })
  })
}
