/** Signing images with the library: what is stored, what is verified first, and who may find it. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { generateSigner } from '../../../src/crypto/private-key.ts'
import { attestImage, createSigningSession, openRepository, signImage, verifyImage } from '../../../src/index.ts'
import { createLayoutFolder } from '../../../src/oci/layout-folder.ts'
import type { Repository } from '../../../src/oci/repository.ts'
import { emptyTrustMaterial } from '../../../src/trust/trust-material.ts'
import { pushImage } from '../../support/images.ts'
import { startFakeRegistry } from '../../support/registry-fake.ts'

const signer = generateSigner('ecdsa-p256')
const own = { signer, witnesses: 'none' } as const
const policy = {
  signer: { kind: 'key', key: signer.publicKey },
  trust: emptyTrustMaterial,
  demands: { log: false, scts: false },
} as const
const type = 'https://example.com/tests/v1'

async function registry(name = 'app'): Promise<Repository> {
  const fake = await startFakeRegistry()
  onTestFinished(() => fake.stop())
  return openRepository(`${fake.host}/${name}`, { env: {} })
}

function layout(): Promise<Repository> {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-layout-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return createLayoutFolder(path.join(folder, 'app'), 'app')
}

for (const [where, open] of [
  ['a registry', () => registry()],
  ['an image layout, before it is pushed', layout],
] as const) {
  describe(`an image in ${where}`, () => {
    it('is signed by the digest that its tag means now, and verifies', async () => {
      const repository = await open()
      const image = await pushImage(repository, 'v1')
      const signed = await signImage(repository, 'v1', { ...own, annotations: { env: 'prod' } })
      expect(signed).toMatchObject({ digest: image.digest, stored: { mediaType: 'application/vnd.oci.image.manifest.v1+json' } })
      const { verified } = await verifyImage(repository, image.digest, { ...policy, annotations: { env: 'prod' } })
      expect(verified).toHaveLength(1)
      await expect(verifyImage(repository, image.digest, { ...policy, annotations: { env: 'test' } })).rejects.toThrow(/env/)
    })

    it('is attested, which is no signature of it', async () => {
      const repository = await open()
      const { digest } = await pushImage(repository, 'v1')
      await attestImage(repository, 'v1', { predicateType: type, predicate: { passed: 12 } }, own)
      const { verified } = await verifyImage(repository, digest, { ...policy, wanted: { predicateType: type } })
      expect(verified[0].evidence.statement).toMatchObject({ predicateType: type, predicate: { passed: 12 } })
      await expect(verifyImage(repository, digest, policy)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
}

it('one session signs several images', async () => {
  const repository = await registry()
  const session = await createSigningSession(own)
  const images = await Promise.all(['a', 'b', 'c'].map((contents) => pushImage(repository, contents, contents)))
  await Promise.all(images.map(({ digest }) => signImage(repository, digest, { session })))
  for (const { digest } of images) expect((await verifyImage(repository, digest, policy)).verified).toHaveLength(1)
})

it('the bundle can go elsewhere, or nowhere', async () => {
  const repository = await registry()
  const signatures = await registry('signatures')
  const { digest } = await pushImage(repository, 'v1')
  expect(await signImage(repository, 'v1', { ...own, store: false })).toMatchObject({ stored: undefined, digest })
  await signImage(repository, 'v1', { ...own, signatures })
  await expect(verifyImage(repository, digest, policy)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect((await verifyImage(repository, digest, { ...policy, signatures })).verified).toHaveLength(1)
})

describe('nothing is signed', () => {
  it('that is not there', async () => {
    const repository = await registry()
    await expect(signImage(repository, 'v1', own)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const digest = `sha256:${createHash('sha256').update('x').digest('hex')}`
    await expect(attestImage(repository, digest, { predicateType: type, predicate: {} }, own)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('with a predicate that is not of its type', async () => {
    const repository = await registry()
    await pushImage(repository, 'v1')
    const said = { predicateType: 'slsaprovenance1', predicate: { buildDefinition: 1 } }
    await expect(attestImage(repository, 'v1', said, own)).rejects.toMatchObject({ code: 'STATEMENT_INVALID' })
    expect((await repository.referrers((await repository.resolve('v1')).digest)).descriptors).toEqual([])
  })
})
