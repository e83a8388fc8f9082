/** The next edition, as far as keys at hand sign it and keys that are offline have signed. What lacks signatures waits in the store. */
import type { Edition, Terms } from './edition.ts'
import { makeEdition } from './edition.ts'
import type { RootRoles } from './metadata.ts'
import type { Wishes } from './proposals.ts'
import { proposeRoot, proposeTargets, readPending } from './proposals.ts'
import type { RepositoryStore } from './repository-store.ts'

/**
 * @param first whom the very first root names
 * @returns the edition to publish, which may be the one of before; undefined while the first one lacks signatures
 */
export async function proposeEdition(
  store: RepositoryStore,
  before: Edition | undefined,
  wishes: Wishes,
  first: RootRoles,
  terms: Terms,
): Promise<Edition | undefined> {
  const root = await proposeRoot(store, before, wishes, first, terms)
  if (root !== undefined) {
    const targets = await proposeTargets(store, before, root.metadata, wishes, terms)
    if (targets !== undefined) return makeEdition(before, { root, targets }, terms)
    // A root whose targets keys have not signed yet waits for them.
    await store.putPending('root', root.bytes)
  }
  if (before === undefined) {
    // People sign the first root and the first targets in one go.
    const drafted = await readPending(store, 'root')
    if (root === undefined && drafted !== undefined) await proposeTargets(store, before, drafted, wishes, terms)
    return undefined
  }
  const targets = await proposeTargets(store, before, before.root.metadata, {}, terms)
  return targets && makeEdition(before, { root: before.root, targets }, terms)
}
