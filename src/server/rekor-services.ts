/** Both Rekors of a server, with the logs that they had before, and the search over all of them. */
import type { Parts } from './app-parts.ts'
import type { ServiceName } from './configuration.ts'
import { createRekorV1 } from './rekor/rekor-v1.ts'
import type { RekorV1Options } from './rekor/rekor-v1.ts'
import { createRekorV2 } from './rekor/rekor-v2.ts'
import type { RekorV2Options } from './rekor/rekor-v2.ts'
import type { RekorV1Shard } from './rekor/shards.ts'
import { errorFields } from './request-log.ts'
import { createFollower } from './search/follower.ts'
import type { SearchedLog } from './search/found-entry.ts'
import { createSearch } from './search/search.ts'
import type { ServerLogInstance } from './server-logs.ts'
import { logsOfKind } from './server-logs.ts'
import type { Service } from './service.ts'
import { openChecker } from './threads/signature-check.ts'
import type { EntrySearch } from './web/web.ts'

/** Adds them. @returns the search, if it is wanted */
export function addRekor({ options, instances, services, closers, onError }: Parts): EntrySearch | undefined {
  const { storage, log } = options
  const has = (name: ServiceName): boolean => options.services.includes(name)
  const shards = has('rekor-v1') ? rekorV1Shards(instances) : []
  const searched: SearchedLog[] = [
    ...shards.map(({ log: shard, firstIndex }) => ({ log: shard, api: 'rekor-v1' as const, firstIndex })),
    ...instances.flatMap(({ log: tiles, material: { kind } }) =>
      kind === 'rekor-v2' ? [{ log: tiles, api: 'rekor-v2' as const, firstIndex: 0n }] : [],
    ),
  ]
  const follower = createFollower({
    logs: searched.map((one) => one.log),
    terms: storage.terms,
    onError: (error) => log.warn(errorFields(error), 'the search index fell behind'),
  })
  const shared = { onError, onAdded: () => follower.wake(), ...(options.openTask && { checkSignature: openChecker(options.openTask) }) }
  if (has('rekor-v1')) services.push(rekorV1(shards, { ...shared, terms: storage.terms }))
  if (has('rekor-v2')) services.push(...rekorV2(instances, shared))
  closers.push(() => follower.close())
  if (!has('search')) return undefined
  const search = createSearch({ logs: searched, terms: storage.terms, onError })
  services.push({ ...search, start: () => follower.start() })
  return (query) => search.search(query)
}

/** The shards of Rekor v1, oldest first, under one virtual index. */
function rekorV1Shards(instances: readonly ServerLogInstance[]): RekorV1Shard[] {
  const { newest, others } = logsOfKind(instances, 'rekor-v1')
  let firstIndex = 0n
  return [...others, newest].map(({ material, log }) => {
    const shard = { log, treeId: material.treeId ?? 0n, firstIndex, signer: material.key.createSigner() }
    firstIndex += log.status().size
    return shard
  })
}

function rekorV1(shards: readonly RekorV1Shard[], options: Omit<RekorV1Options, 'active' | 'inactive'>): Service {
  const active = shards.at(-1)
  if (active === undefined) throw new TypeError('Rekor v1 has at least one shard')
  return createRekorV1({ ...options, active, inactive: shards.slice(0, -1) })
}

/** Rekor v2, and the logs before it below paths of their own: their entries stay readable. */
function rekorV2(instances: readonly ServerLogInstance[], options: Omit<RekorV2Options, 'log' | 'publicKey'>): Service[] {
  const { newest, others } = logsOfKind(instances, 'rekor-v2')
  const serve = ({ log, material }: ServerLogInstance, prefix: string): Service =>
    createRekorV2({ ...options, log, publicKey: material.key.publicKey, prefix })
  return [serve(newest, ''), ...others.map((other) => serve(other, `/${other.material.id}`))]
}
