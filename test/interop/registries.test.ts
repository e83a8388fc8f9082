/** The repository port on real registries: Debian's docker-registry, with and without TLS and a password, and go-containerregistry's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRegistryRepository } from '../../src/oci/registry-repository.ts'
import type { RegistryOptions } from '../../src/oci/registry-session.ts'
import { RegistrySession } from '../../src/oci/registry-session.ts'
import type { Repository } from '../../src/oci/repository.ts'
import type { RealRegistry } from '../support/registries.ts'
import { missingRegistries, registryUser, startDockerRegistry, startReferrersRegistry } from '../support/registries.ts'
import { pushImage } from '../support/images.ts'
import { describeRepository } from '../support/repository-contract.ts'

const missing = missingRegistries()
const credentials = () => Promise.resolve({ kind: 'password' as const, ...registryUser })

function opener(registry: () => RealRegistry, options: RegistryOptions = {}): (repository: string) => Promise<Repository> {
  return (repository) => {
    const { host, certificate } = registry()
    const tls = certificate === undefined ? {} : { tls: { certificateAuthorities: certificate } }
    return Promise.resolve(
      openRegistryRepository(new RegistrySession(host, { env: {}, ...tls, ...options }), { registry: host, repository }),
    )
  }
}

const suites = [
  ['docker-registry', () => startDockerRegistry(), {}, false],
  ['docker-registry with TLS and a password', () => startDockerRegistry({ tls: true, password: true }), { credentials }, false],
  ['the registry of go-containerregistry', startReferrersRegistry, {}, true],
] as const

for (const [what, start, options, hasReferrers] of suites) {
  describe.skipIf(missing.length > 0)(what, () => {
    let registry: RealRegistry
    beforeAll(async () => {
      registry = await start()
    })
    afterAll(() => registry.stop())
    describeRepository(
      what,
      opener(() => registry, options),
      { hasReferrers },
    )

    it('takes a blob over from another repository', async () => {
      const open = opener(() => registry, options)
      const bytes = Buffer.from(`mounted ${what}`)
      const { digest } = await (await open('team/source')).putBlob(bytes)
      const target = await open('team/target')
      await target.putBlob({ digest, size: bytes.length, chunks: () => unread() }, 'team/source').catch((error: unknown) => {
        // go-containerregistry's registry keeps the blobs of all repositories in one place, or does not mount.
        if (!String(error).includes('nothing to read')) throw error
      })
      expect(await (await open('team/source')).hasBlob(digest)).toBe(true)
    })
  })
}

async function* unread(): AsyncGenerator<Uint8Array> {
  await Promise.reject(new Error('nothing to read'))
  yield new Uint8Array()
}

describe.skipIf(missing.length > 0)('a registry that wants a password', () => {
  it('is not used without it, with a wrong one, or with a certificate of somebody else', async () => {
    const registry = await startDockerRegistry({ tls: true, password: true })
    try {
      const open = (options: RegistryOptions) => opener(() => registry, options)('app')
      await expect((await open({})).resolve('v1')).rejects.toMatchObject({ code: 'SERVICE_REFUSED' })
      const wrong = { kind: 'password', username: registryUser.username, password: 'no' } as const
      const refused = (await open({ credentials: () => Promise.resolve(wrong) })).resolve('v1')
      await expect(refused).rejects.toThrow('check the credentials')
      await expect((await open({ credentials, tls: {} })).resolve('v1')).rejects.toThrow('authority that is not trusted')
      await pushImage(await open({ credentials }), 'v1')
    } finally {
      await registry.stop()
    }
  })
})
