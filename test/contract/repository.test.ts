/** The repository port on a registry in memory, with and without the referrers API, and on an image layout. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createLayoutFolder } from '../../src/oci/layout-folder.ts'
import { openRegistryRepository } from '../../src/oci/registry-repository.ts'
import { RegistrySession } from '../../src/oci/registry-session.ts'
import type { FakeRegistry, FakeRegistryOptions } from '../support/registry-fake.ts'
import { startFakeRegistry } from '../support/registry-fake.ts'
import { describeRepository } from '../support/repository-contract.ts'

const password = { username: 'alice', password: 'secret' } as const
const variants: readonly (readonly [string, FakeRegistryOptions, boolean])[] = [
  ['a registry with the referrers API', { pageSize: 2 }, true],
  ['a registry without it', { referrers: false }, false],
  ['a registry with a password', { auth: { kind: 'basic', ...password } }, true],
  ['a registry with tokens', { auth: { kind: 'bearer', ...password } }, true],
]

for (const [what, options, hasReferrers] of variants) {
  let registry: FakeRegistry
  beforeAll(async () => {
    registry = await startFakeRegistry(options)
  })
  afterAll(() => registry.stop())
  const open = (repository: string) => {
    const credentials = () => Promise.resolve({ kind: 'password' as const, ...password })
    const session = new RegistrySession(registry.host, { env: {}, credentials })
    return Promise.resolve(openRegistryRepository(session, { registry: registry.host, repository }))
  }
  describeRepository(what, open, { hasReferrers })
}

const folder = mkdtempSync(path.join(tmpdir(), 'layouts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
describeRepository('an image layout', (name) => createLayoutFolder(path.join(folder, name), name), { hasReferrers: true })
