/** Rekor services over naive logs with the keys of a test universe, and what clients send them. */
import { PrivateKey } from '../../src/crypto/private-key.ts'
import { createNoteSigner, createRekorV1NoteSigner } from '../../src/merkle/note-signer.ts'
import type { RekorV1Options } from '../../src/server/rekor/rekor-v1.ts'
import { createRekorV1 } from '../../src/server/rekor/rekor-v1.ts'
import type { RekorV1Shard } from '../../src/server/rekor/shards.ts'
import type { RekorV2Options } from '../../src/server/rekor/rekor-v2.ts'
import { createRekorV2 } from '../../src/server/rekor/rekor-v2.ts'
import type { Service } from '../../src/server/service.ts'
import type { LocalSigner } from '../../src/crypto/signer.ts'
import type { NaiveLog, NaiveLogOptions } from './naive-log.ts'
import { createNaiveLog } from './naive-log.ts'
import type { TestKey } from './universe/keys.ts'
import type { Universe } from './universe/services.ts'

/** A service, and the log it is over. */
export interface TestRekor {
  readonly service: Service
  readonly log: NaiveLog
  request(path: string, init?: RequestInit): Promise<Response>
  /** Posts JSON. */
  post(path: string, body: unknown): Promise<Response>
}

/** The tree of the v1 log unless a test says otherwise. */
export const treeId = 1193050959916656506n

/** A Rekor v2 service as the universe's trusted root knows it. */
export async function testRekorV2(
  universe: Universe,
  options: Partial<RekorV2Options> = {},
  logOptions: Partial<NaiveLogOptions> = {},
): Promise<TestRekor> {
  const { key, baseUrl } = universe.tiles
  const origin = new URL(baseUrl).hostname
  const signer = signerOf(key)
  const log = await createNaiveLog({
    origin,
    clock: () => universe.time + 60_000,
    signer: createNoteSigner(origin, signer),
    ...logOptions,
  })
  return testRekor(createRekorV2({ log, publicKey: signer.publicKey, ...options }), log)
}

/** A Rekor v1 service as the universe's trusted root knows it. */
export async function testRekorV1(
  universe: Universe,
  options: Partial<RekorV1Options> = {},
  logOptions: Partial<NaiveLogOptions> = {},
): Promise<TestRekor> {
  const { shard, log } = await testShard(universe, {}, logOptions)
  return testRekor(createRekorV1({ active: shard, ...options }), log)
}

/** One shard of a v1 log. */
export async function testShard(
  universe: Universe,
  shard: { readonly treeId?: bigint; readonly firstIndex?: bigint; readonly key?: TestKey } = {},
  logOptions: Partial<NaiveLogOptions> = {},
): Promise<{ readonly shard: RekorV1Shard; readonly log: NaiveLog }> {
  const key = shard.key ?? universe.rekor.key
  const id = shard.treeId ?? treeId
  const host = new URL(universe.rekor.baseUrl).hostname
  const signer = signerOf(key)
  const log = await createNaiveLog({
    id: `rekor-v1-${id}`,
    origin: `${host} - ${id}`,
    clock: () => universe.time + 60_000,
    signer: createRekorV1NoteSigner(host, signer),
    ...logOptions,
  })
  return { shard: { log, treeId: id, firstIndex: shard.firstIndex ?? 0n, signer }, log }
}

/** The signer of a test key. */
export function signerOf(key: TestKey): LocalSigner {
  return new PrivateKey(key.privateKey).createSigner()
}

function testRekor(service: Service, log: NaiveLog): TestRekor {
  const request = async (path: string, init?: RequestInit): Promise<Response> => service.routes.request(path, init)
  return {
    service,
    log,
    request,
    post: async (path, body) =>
      request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}
