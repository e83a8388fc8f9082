/** A repository of the server with keys of its own, its clock, and the clients that look at it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { serve } from '@hono/node-server'
import { onTestFinished } from 'vitest'
import { generateSigner } from '../../../../src/crypto/private-key.ts'
import type { LocalSigner } from '../../../../src/crypto/signer.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import type { RepositorySigners } from '../../../../src/server/tuf/edition.ts'
import type { RootRoles } from '../../../../src/server/tuf/metadata.ts'
import type { TufRepository, TufRepositoryOptions } from '../../../../src/server/tuf/repository.ts'
import { createTufRepository } from '../../../../src/server/tuf/repository.ts'
import type { TufTarget } from '../../../../src/server/tuf/target.ts'
import { openRepository } from '../../../../src/tuf/repository.ts'
import { MemoryDocuments } from './memory-documents.ts'

export const day = 86_400_000
export const epoch = Date.UTC(2026, 10, 21, 12, 0, 0)

/** A clock that a test moves. */
export interface TestClock {
  now: number
}

export interface ServedRepository {
  readonly repository: TufRepository
  readonly documents: MemoryDocuments
  readonly clock: TestClock
  readonly signers: RepositorySigners
  readonly failures: unknown[]
}

export function newSigners(): RepositorySigners {
  return { root: [newSigner()], targets: [newSigner()], snapshot: newSigner(), timestamp: newSigner() }
}

export function newSigner(): LocalSigner {
  return generateSigner('ecdsa-p256')
}

/** Whom a root names: these signers, each of whom must sign. */
export function rolesOf(signers: { readonly [Role in keyof RepositorySigners]: LocalSigner | readonly LocalSigner[] }): RootRoles {
  const keysOf = (role: LocalSigner | readonly LocalSigner[]) => {
    const keys = ('sign' in role ? [role] : role).map(({ publicKey }) => publicKey)
    return { keys, threshold: keys.length }
  }
  return {
    root: keysOf(signers.root),
    targets: keysOf(signers.targets),
    snapshot: keysOf(signers.snapshot),
    timestamp: keysOf(signers.timestamp),
  }
}

export function target(name: string, contents: string): TufTarget {
  return { name, contents: encodeUtf8(contents) }
}

export const someTargets = [
  target('trusted_root.json', '{"first":true}'),
  target('signing_config.v0.2.json', '{}'),
  { ...target('rekor.pub', 'PEM'), sigstore: { usage: 'Rekor', status: 'Active', uri: 'https://sigstore.example.com' } },
] as const satisfies readonly TufTarget[]

/** A repository that has not started yet. */
export function newRepository(options: Partial<TufRepositoryOptions> = {}, clock: TestClock = { now: epoch }): ServedRepository {
  const documents = options.documents instanceof MemoryDocuments ? options.documents : new MemoryDocuments()
  const signers = options.signers ?? newSigners()
  const failures: unknown[] = []
  const repository = createTufRepository({
    targets: () => someTargets,
    onFailure: (error) => failures.push(error),
    ...options,
    documents,
    signers,
    clock: () => clock.now,
  })
  onTestFinished(() => repository.close())
  return { repository, documents, clock, signers, failures }
}

/** A repository that has published its first edition. */
export async function startedRepository(options: Partial<TufRepositoryOptions> = {}, clock?: TestClock): Promise<ServedRepository> {
  const served = newRepository(options, clock)
  await served.repository.start()
  return served
}

/** A file as a client gets it; undefined for 404. */
export async function get(repository: TufRepository, name: string): Promise<Uint8Array | undefined> {
  const response = await repository.routes.request(`/tuf/${name}`)
  if (response.status === 404) return undefined
  if (response.status !== 200) throw new Error(`${name}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** A metadata file's signed part. */
export async function getSigned(
  repository: TufRepository,
  name: string,
): Promise<Record<string, unknown> & { version: number; expires: string }> {
  const bytes = await get(repository, name)
  if (bytes === undefined) throw new Error(`there is no ${name}`)
  const { signed } = JSON.parse(Buffer.from(bytes).toString())
  return signed
}

/** Serves the repository on a real port until the test ends. @returns its address */
export async function listen(repository: TufRepository): Promise<string> {
  const server = await new Promise<{ readonly server: ReturnType<typeof serve>; readonly info: AddressInfo }>((resolve) => {
    const server = serve({ fetch: repository.routes.fetch, port: 0, hostname: '127.0.0.1' }, (info) => resolve({ server, info }))
  })
  onTestFinished(() => void server.server.close())
  return `http://127.0.0.1:${server.info.port}/tuf`
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-tuf-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A mirror of the files a client asks for, in a folder: what the client sees without a port. */
export async function mirrorTo(folder: string, repository: TufRepository): Promise<string> {
  const write = async (name: string): Promise<boolean> => {
    const bytes = await get(repository, name)
    if (bytes === undefined) return false
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), bytes)
    return true
  }
  // The timestamp first: asking for it is what renews the rest.
  await write('timestamp.json')
  for (let version = 1; await write(`${version}.root.json`); version++);
  const { versions } = await repository.status()
  if (versions === undefined) throw new Error('nothing is published')
  const names = [`${versions.snapshot}.snapshot.json`, `${versions.targets}.targets.json`]
  for (const name of names) await write(name)
  const { targets } = (await getSigned(repository, `${versions.targets}.targets.json`)) as unknown as {
    targets: Record<string, { hashes: { sha256: string } }>
  }
  for (const [name, { hashes }] of Object.entries(targets)) await write(`targets/${hashes.sha256}.${name}`)
  return pathToFileURL(folder).href
}

/** What our own client trusts: a target, from the first root on, with a cache that lasts as long as the folder. */
export async function fetchWithOurClient(
  mirror: string,
  initialRoot: Uint8Array,
  cacheDirectory: string,
  now: number,
  name = 'trusted_root.json',
): Promise<string> {
  const repository = await openRepository({ mirror, initialRoot, cacheDirectory, now, env: {} })
  if (repository.warnings.length > 0) throw new Error(repository.warnings.join('; '))
  return Buffer.from(await repository.target(name)).toString()
}
