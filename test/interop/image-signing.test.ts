/**
 * How images are signed beside the plain case (`image-verification.test.ts` has it in every form): several at once, somewhere else, by many
 * at the same time, in a registry that wants a password; and what comes from files. What countersign writes, the real cosign reads.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registryUser, startDockerRegistry } from '../support/registries.ts'
import { cosign3, countersign } from './image-clients.ts'
import type { ImageWorld } from './image-world.ts'
import { digestOf, expectSuccess, isWorldMissing as isMissing, openImageWorld, password, registryNames } from './image-world.ts'
import { findPeer } from './peer.ts'

const cosign = findPeer('cosign')
const cosign2 = findPeer('cosign2')
let world: ImageWorld

beforeAll(async () => {
  if (!isMissing) world = await openImageWorld()
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

const withServices = ['--key', 'own.key', '--signing-config', 'config.json', '--trusted-root', 'root.json', '-y']
const unlogged = ['--key', 'own.key', '--tlog-upload=false']

describe.skipIf(isMissing)('one call of sign', () => {
  it.skipIf(cosign3.isMissing)('signs an index with everything that it names, and several images, for cosign', async () => {
    const first = await world.pushImage('docker-registry', 'several/one')
    const second = await world.pushImage('docker-registry', 'several/two')
    const index = await world.pushIndex('docker-registry', 'several/one', [first])
    const { stderr } = await expectSuccess(world.countersign(['sign', '--recursive', ...withServices, index, second]))
    expect(stderr.match(/Pushing signature to: /g)).toHaveLength(3)
    for (const image of [index, first, second])
      await expectSuccess(cosign3.judges(world, { kind: 'signature', layout: 'bundle', keyless: false, image }))
  })

  for (const layout of ['bundle', 'tag'] as const) {
    it(`says where it stores a ${layout} when COSIGN_REPOSITORY says where`, async () => {
      const image = await world.pushImage('docker-registry', `elsewhere/${layout}`)
      const elsewhere = `${world.host('docker-registry')}/kept/${layout}`
      const { stderr } = await expectSuccess(countersign.signs(world, { kind: 'signature', layout, keyless: false, image, elsewhere }))
      expect(stderr).toContain(`Pushing signature to: ${elsewhere}\n`)
    })

    for (const registry of registryNames) {
      it(`of twenty at once loses no signature: ${layout} in ${registry}`, async () => {
        const image = await world.pushImage(registry, `writers/${layout}`)
        const words = ['sign', ...unlogged, image, ...(layout === 'tag' ? ['--new-bundle-format=false'] : [])]
        const writers = Array.from({ length: 20 }, (_, index) => world.countersign([...words, '-a', `writer=${index}`]))
        for (const writer of writers) await expectSuccess(writer)
        for (let index = 0; index < 20; index++) {
          const asked = ['verify', '--key', 'own.pub', '--insecure-ignore-tlog', '-a', `writer=${index}`, image]
          const { exitCode, stderr } = await world.countersign(asked)
          expect(exitCode, `writer ${index}: ${stderr}`).toBe(0)
        }
      })
    }
  }
})

it.skipIf(isMissing || cosign === undefined)(
  'a registry with TLS and a password of its own is written to, and read by cosign',
  async () => {
    const registry = await startDockerRegistry({ tls: true, password: true })
    try {
      world.write('registry.pem', registry.certificate ?? '')
      const { username, password: secret } = registryUser
      const tls = ['--registry-cacert', 'registry.pem', '--registry-server-name', 'registry.example']
      const access = [...tls, '--registry-username', username, '--registry-password', secret]
      const { stdout } = await expectSuccess(
        world.countersign(['upload', 'blob', '-f', 'predicate.json', ...access, `${registry.host}/team/blob`]),
      )
      const image = stdout.trim()
      const refused = await world.countersign(['sign', ...unlogged, ...tls, image])
      expect(refused.exitCode).toBe(1)
      expect(refused.stderr).toContain('check the credentials')
      await expectSuccess(world.countersign(['sign', ...withServices, ...access, image]))
      const verified = await expectSuccess(
        world.run(cosign, ['verify', '--key', 'own.pub', '--trusted-root', 'root.json', ...access, image]),
      )
      expect(verified.stdout).toContain(digestOf(image))
    } finally {
      await registry.stop()
    }
  },
)

describe.skipIf(isMissing)('files from elsewhere', () => {
  it.skipIf(cosign === undefined)('get the same digest as from cosign', async () => {
    const host = world.host('docker-registry')
    world.write('binary', 'a binary')
    for (const words of [
      ['-f', 'predicate.json', '-a', 'k=v'],
      ['-f', 'binary:linux/amd64', '-f', 'predicate.json:darwin', '-a', 'k=v'],
    ]) {
      const theirs = await expectSuccess(world.run(cosign, ['upload', 'blob', ...words, `${host}/blob/theirs`]))
      const ours = await expectSuccess(world.countersign(['upload', 'blob', ...words, `${host}/blob/ours`]))
      const digest = /@(sha256:[0-9a-f]{64})/.exec(theirs.stdout + theirs.stderr)?.[1]
      expect(ours.stdout).toBe(`${host}/blob/ours@${digest}\n`)
    }
  })

  it.skipIf(cosign === undefined || cosign2 === undefined)('signatures and attestations that are attached verify with cosign', async () => {
    const image = await world.pushImage('docker-registry', 'attached')
    world.write('payload.json', (await expectSuccess(world.countersign(['generate', image]))).stdout)
    await expectSuccess(world.countersign(['sign-blob', ...unlogged, '--output-signature', 'payload.sig', 'payload.json']))
    expect(world.read('payload.sig')).not.toBe('')
    await expectSuccess(world.countersign(['attach', 'signature', '--payload', 'payload.json', '--signature', 'payload.sig', image]))
    const envelope = ['attest', ...unlogged, '--no-upload', '-y', '--predicate', 'predicate.json', image]
    world.write('envelope.json', (await expectSuccess(world.run(cosign2, envelope, { COSIGN_PASSWORD: password }))).stdout)
    await expectSuccess(world.countersign(['attach', 'attestation', '--attestation', 'envelope.json', image]))
    for (const program of [cosign, cosign2]) {
      for (const verb of ['verify', 'verify-attestation'])
        await expectSuccess(world.run(program, [verb, '--key', 'own.pub', '--insecure-ignore-tlog', image], world.oldTrust))
    }
  })
})
