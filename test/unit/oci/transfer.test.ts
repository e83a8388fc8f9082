/** What a copy keeps in memory has an end, whatever a registry lists. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRegistryRepository } from '../../../src/oci/registry-repository.ts'
import { RegistrySession } from '../../../src/oci/registry-session.ts'
import type { Transfer, TransferLimits } from '../../../src/oci/transfer.ts'
import { createTransfer } from '../../../src/oci/transfer.ts'
import { startFakeRegistry } from '../../support/registry-fake.ts'
import { putImage, putIndex } from '../../support/signed-image.ts'

interface World {
  /** The digests of two images and of an index of both. */
  readonly digests: readonly [string, string, string]
  readonly sizes: readonly number[]
  transfer(limits?: TransferLimits): Transfer
}

async function newWorld(): Promise<World> {
  const registry = await startFakeRegistry()
  onTestFinished(() => registry.stop())
  const [one, two] = [putImage(registry, 'a', 'one'), putImage(registry, 'b', 'two')]
  const digests = [one, two, putIndex(registry, { 'linux/amd64': one, 'linux/arm64': two })] as const
  const session = new RegistrySession(registry.host, { env: {} })
  const open = (repository: string) => openRegistryRepository(session, { registry: registry.host, repository })
  return {
    digests,
    sizes: digests.map((digest) => registry.manifests.get(`app@${digest}`)?.bytes.length ?? 0),
    transfer: (limits) => createTransfer({ source: open('app'), target: open('to'), ...(limits === undefined ? {} : { limits }) }),
  }
}

const plenty = 1_000_000

describe('a transfer', () => {
  it('copies an index with what it names, and each once', async () => {
    const { digests, transfer } = await newWorld()
    const { copy } = transfer({ manifests: 3, manifestBytes: plenty })
    expect((await copy(digests[2])).map(({ stored }) => stored.digest)).toEqual(digests)
    // What was copied counts once.
    expect(await copy(digests[0])).toHaveLength(1)
  })

  it('ends at its number of manifests, over everything that it is asked for', async () => {
    const { digests, transfer } = await newWorld()
    const message =
      /^127\.0\.0\.1:\d+\/app: the image and what lies beside it have more than 2 manifests, which is the limit of one copy; copy/
    await expect(transfer({ manifests: 2, manifestBytes: plenty }).copy(digests[2])).rejects.toThrow(message)
    const { copy } = transfer({ manifests: 2, manifestBytes: plenty })
    await copy(digests[0])
    await copy(digests[1])
    await expect(copy(digests[2])).rejects.toThrow(message)
  })

  it('ends at its number of bytes', async () => {
    const { digests, sizes, transfer } = await newWorld()
    const { copy } = transfer({ manifests: plenty, manifestBytes: sizes[0] ?? 0 })
    await copy(digests[0])
    await expect(copy(digests[1])).rejects.toMatchObject({ code: 'TOO_LARGE', message: expect.stringContaining('bytes of manifests') })
  })
})
