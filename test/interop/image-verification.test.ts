/**
 * What cosign 3, 2 and 1 and countersign have signed, verified by all of them that can read it: signatures, attestations, several on one
 * image, an index with what it names, another repository for signatures; in both kinds of registry, with keys and keyless. Beside each, what
 * must be refused.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Doubt, ImageClient, Layout, Task } from './image-clients.ts'
import { countersign, imageClients } from './image-clients.ts'
import type { ImageWorld, RegistryName } from './image-world.ts'
import { digestOf, expectSuccess, isWorldMissing as isMissing, openImageWorld, password, registryNames } from './image-world.ts'
import { findPeer } from './peer.ts'
import { namedKey } from '../support/universe/keys.ts'
import { cell } from './server/matrix.ts'

const cosign1 = findPeer('cosign1')
const cosign2 = findPeer('cosign2')
let world: ImageWorld
/** An image of each registry that nobody signs. */
let unsigned: Readonly<Record<RegistryName, string>>

beforeAll(async () => {
  if (isMissing) return
  world = await openImageWorld()
  const pushed = async (registry: RegistryName): Promise<string> => world.pushImage(registry, 'images/unsigned')
  unsigned = { 'docker-registry': await pushed('docker-registry'), 'referrers-registry': await pushed('referrers-registry') }
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

/** What is made of an image, by one client, and what is false about it. */
interface Scenario {
  readonly name: string
  make(signer: ImageClient, registry: RegistryName, layout: Layout, keyless: boolean): Promise<Task>
  /** The same thing with one thing wrong: no client may take it. */
  readonly doubts: Readonly<Record<string, (task: Task) => readonly [Task, Doubt]>>
}

let made = 0
const freshName = (): string => `images/${made++}`
const otherSigner = (task: Task): readonly [Task, Doubt] => [task, { otherSigner: true }]

const scenarios: readonly Scenario[] = [
  {
    name: 'signature',
    make: async (signer, registry, layout, keyless) => {
      const image = await world.pushImage(registry, freshName())
      const task = { kind: 'signature', layout, keyless, image, annotations: ['env=prod', 'team=a'] } as const
      await expectSuccess(signer.signs(world, task))
      return task
    },
    doubts: {
      'another signer': otherSigner,
      'another annotation': (task) => [task, { annotations: ['env=dev'] }],
      'an annotation that is not there': (task) => [task, { annotations: ['env=prod', 'more=1'] }],
      'a signature in place of an attestation': (task) => [{ ...task, kind: 'attestation' }, {}],
    },
  },
  {
    name: 'attestation',
    make: async (signer, registry, layout, keyless) => {
      const task = { kind: 'attestation', layout, keyless, image: await world.pushImage(registry, freshName()) } as const
      await expectSuccess(signer.signs(world, task))
      return task
    },
    doubts: {
      'another signer': otherSigner,
      'another type': (task) => [task, { type: 'https://example.com/other/v1' }],
    },
  },
  {
    name: 'several signatures',
    make: async (signer, registry, layout, keyless) => {
      const image = await world.pushImage(registry, freshName())
      const task = { kind: 'signature', layout, keyless, image, annotations: ['turn=2'] } as const
      for (const annotations of [['turn=1'], ['turn=2'], ['turn=3']]) await expectSuccess(signer.signs(world, { ...task, annotations }))
      return task
    },
    doubts: { 'another signer': otherSigner, 'what none of them says': (task) => [task, { annotations: ['turn=4'] }] },
  },
  {
    name: 'index',
    make: async (signer, registry, layout, keyless) => {
      const repository = freshName()
      const images = [await world.pushImage(registry, repository, 'a'), await world.pushImage(registry, repository, 'b')]
      const task = {
        kind: 'signature',
        layout,
        keyless,
        image: await world.pushIndex(registry, repository, images),
        recursive: true,
      } as const
      await expectSuccess(signer.signs(world, task))
      return task
    },
    doubts: { 'another signer': otherSigner },
  },
  {
    name: 'COSIGN_REPOSITORY',
    make: async (signer, registry, layout, keyless) => {
      const image = await world.pushImage(registry, freshName())
      const task = { kind: 'signature', layout, keyless, image, elsewhere: `${world.host(registry)}/${freshName()}` } as const
      await expectSuccess(signer.signs(world, task))
      return task
    },
    doubts: {
      'another signer': otherSigner,
      'beside the image': (task) => [{ ...task, elsewhere: undefined }, {}],
    },
  },
]

/** What a client refuses by a fault of its own. */
function faultOf(judge: ImageClient, signer: ImageClient, scenario: Scenario, layout: Layout, keyless: boolean): RegExp | undefined {
  if (judge.name === 'cosign 2' && layout === 'bundle' && scenario.name === 'COSIGN_REPOSITORY') return /no valid bundles exist in registry/
  if (judge.name !== 'cosign 1') return undefined
  // It takes the chain that is beside the signature for everything that it may trust, and later clients leave the root out of it.
  if (keyless && (signer.name === 'cosign 3' || signer === countersign)) return /signed by unknown authority/
  // It looks for entries of its own kind, intoto 0.0.1, which no later client writes.
  return scenario.name === 'attestation' ? /signature not found in transparency log/ : undefined
}

/** What a client lets pass by a fault of its own: cosign 2 compares no annotations of bundles. */
function overlooks(judge: ImageClient, layout: Layout, doubt: Doubt): boolean {
  return judge.name === 'cosign 2' && layout === 'bundle' && doubt.annotations !== undefined
}

for (const registry of registryNames) {
  for (const signer of imageClients) {
    for (const layout of signer.layouts) {
      for (const keyless of [false, true]) {
        for (const scenario of scenarios) {
          // The log does not take the entries that cosign 1 makes of attestations.
          if (signer.name === 'cosign 1' && scenario.name === 'attestation') continue
          const name = `${scenario.name}${keyless ? ', keyless' : ''}, ${layout}, by ${signer.name} in ${registry}`
          describe.skipIf(isMissing || signer.isMissing)(name, () => {
            let task: Task
            beforeAll(async () => {
              task = await scenario.make(signer, registry, layout, keyless)
            })

            for (const judge of imageClients) {
              const reads = layout === 'tag' || judge.name !== 'cosign 1'
              if (!reads) continue
              const fault = faultOf(judge, signer, scenario, layout, keyless)
              if (fault !== undefined) {
                it.skipIf(judge.isMissing)(`${judge.name} refuses by a fault of its own`, cell(name, judge.name, 'its fault'), async () => {
                  expect((await judge.judges(world, task)).stderr).toMatch(fault)
                })
                continue
              }
              it.skipIf(judge.isMissing)(
                `${judge.name} takes it for what it is, and for nothing else`,
                cell(name, judge.name),
                async () => {
                  const ending = await judge.judges(world, task)
                  expect(ending.exitCode, ending.stderr).toBe(0)
                  expect(ending.stdout).toContain(
                    task.kind === 'signature' ? digestOf(task.image) : '"payloadType":"application/vnd.in-toto+json"',
                  )
                  const isOurs = judge === countersign
                  for (const [what, doubt] of Object.entries(scenario.doubts)) {
                    const [asked, doubted] = doubt(task)
                    if (!isOurs && (what === 'a signature in place of an attestation' || overlooks(judge, layout, doubted))) continue
                    const refused = await judge.judges(world, asked, doubted)
                    expect([what, refused.exitCode]).not.toEqual([what, 0])
                    expect([what, refused.stdout.includes('docker-manifest-digest')]).toEqual([what, false])
                  }
                  if (isOurs)
                    expect((await judge.judges(world, { ...task, image: unsigned[registry], recursive: false })).exitCode).not.toBe(0)
                },
              )
            }
          })
        }
      }
    }
  }
}

describe.skipIf(isMissing)('an index of which a part is not signed', () => {
  it('is refused with --recursive, and its signed parts are not', async () => {
    const repository = freshName()
    const images = [await world.pushImage('docker-registry', repository, 'a'), await world.pushImage('docker-registry', repository, 'b')]
    const index = await world.pushIndex('docker-registry', repository, images)
    const task = { kind: 'signature', layout: 'bundle', keyless: false, image: index } as const
    await expectSuccess(countersign.signs(world, task))
    await expectSuccess(countersign.signs(world, { ...task, image: images[0] ?? '' }))
    await expectSuccess(countersign.judges(world, task))
    await expectSuccess(countersign.judges(world, { ...task, image: images[0] ?? '' }))
    expect((await countersign.judges(world, { ...task, image: images[1] ?? '' })).exitCode).toBe(10)
    expect((await countersign.judges(world, { ...task, recursive: true })).exitCode).toBe(10)
  })
})

describe.skipIf(isMissing || cosign1 === undefined)('attestations that cosign 1 named', () => {
  it.each(['custom', 'vuln'])('%s are found by that name, although later versions write another type for it', async (type) => {
    const image = await world.pushImage('docker-registry', freshName())
    world.write('scan.json', '{"invocation":{},"scanner":{},"metadata":{}}')
    const words = ['attest', '--key', 'own.key', '--predicate', 'scan.json', '--type', type, image]
    await expectSuccess(world.run(cosign1, words, { COSIGN_PASSWORD: password }))
    const verify = ['verify-attestation', '--key', 'own.pub', '--insecure-ignore-tlog', '--type']
    const judge = (asked: string) => world.countersign([...verify, asked, image])
    expect(await judge(type)).toMatchObject({ exitCode: 0 })
    expect(await judge(type === 'custom' ? 'vuln' : 'custom')).toMatchObject({ exitCode: 1, stdout: '' })
  })
})

async function newestEntry(): Promise<unknown> {
  const ask = async (path: string): Promise<unknown> => (await fetch(`${world.sigstore.url}/api/v1/log${path}`)).json()
  const { treeSize } = (await ask('')) as { treeSize: number }
  const [entry] = Object.values((await ask(`/entries?logIndex=${treeSize - 1}`)) as Readonly<Record<string, { body: string }>>)
  return JSON.parse(Buffer.from(entry?.body ?? '', 'base64').toString('utf8'))
}

describe.skipIf(isMissing || cosign1 === undefined)('attestations that are logged as intoto 0.0.1', () => {
  it.each([
    ['cosign 1, which logs all so', cosign1, ['--force'], { COSIGN_EXPERIMENTAL: '1' }],
    ['cosign 2.6, which does so when it is told to', cosign2, ['--rekor-entry-type', 'intoto', '--yes', '--new-bundle-format=false'], {}],
  ])('by %s, are verified with the key and the promise of that log, and with no other', async (_, client, flags, env) => {
    const image = await world.pushImage('docker-registry', freshName())
    const words = ['attest', '--key', 'own.key', '--predicate', 'predicate.json', '--rekor-url', world.sigstore.url, ...flags, image]
    await expectSuccess(world.run(client, words, { COSIGN_PASSWORD: password, ...world.oldTrust, ...env }))
    const judge = (key: string, trust: Readonly<Record<string, string>>) =>
      world.countersign(['verify-attestation', '--key', key, '--type', 'custom', image], trust)
    world.write('other-log.pub', namedKey('another log').pem)
    expect(await judge('own.pub', world.oldTrust)).toMatchObject({ exitCode: 0 })
    expect(await judge('other.pub', world.oldTrust)).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await judge('own.pub', { SIGSTORE_REKOR_PUBLIC_KEY: 'other-log.pub' })).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await newestEntry()).toMatchObject({ kind: 'intoto', apiVersion: '0.0.1' })
  })
})
