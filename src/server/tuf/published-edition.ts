/** Reads the published edition, and publishes the next one. */
import { CountersignError } from '../../error.ts'
import type { Edition, SignedFile } from './edition.ts'
import { mapRoles, stateOf } from './edition.ts'
import { parseMetadata, sha256Hex } from './metadata.ts'
import { readPending, targetsOf } from './proposals.ts'
import type { PublishedState, RepositoryStore, StoredState } from './repository-store.ts'
import { targetPath } from './target.ts'

/** The metadata that a state publishes. @throws CountersignError STORAGE_FAILED, VerificationError TUF_UNVERIFIED for damage */
export async function loadEdition(store: RepositoryStore, { versions, files }: PublishedState): Promise<Edition> {
  const load = async <Role extends keyof Edition>(role: Role, path: string): Promise<SignedFile<Role>> => {
    const bytes = await store.contents(files[path] ?? '')
    if (bytes === undefined) throw new CountersignError('STORAGE_FAILED', `the stored TUF repository has no contents for ${path}`)
    return { metadata: parseMetadata(bytes, role, `the stored ${path}`), bytes }
  }
  return {
    root: await load('root', `${versions.root}.root.json`),
    targets: await load('targets', `${versions.targets}.targets.json`),
    snapshot: await load('snapshot', `${versions.snapshot}.snapshot.json`),
    timestamp: await load('timestamp', 'timestamp.json'),
  }
}

/** What is published, with its metadata. */
export interface Published extends StoredState {
  readonly edition: Edition
}

/**
 * Reads what is published as of one moment: another server that publishes meanwhile removes the timestamp that it replaces.
 * @returns undefined before the first edition
 * @throws as `loadEdition`
 */
export async function loadPublished(store: RepositoryStore): Promise<Published | undefined> {
  let stored = await store.load()
  while (stored !== undefined) {
    try {
      return { ...stored, edition: await loadEdition(store, stored.state) }
    } catch (error) {
      const newer = await store.load()
      if (newer?.documentVersion === stored.documentVersion) throw error
      stored = newer
    }
  }
  return undefined
}

/**
 * Publishes an edition as one step.
 * @param stored the state that the edition was made from
 * @param now recorded as the time of the signature, in epoch milliseconds
 * @returns the new state, or undefined when another server was faster
 * @throws CountersignError STORAGE_FAILED when the contents of a target are not there
 */
export async function publishEdition(
  store: RepositoryStore,
  stored: StoredState | undefined,
  edition: Edition,
  now: number,
): Promise<PublishedState | undefined> {
  const digests = mapRoles((role) => sha256Hex(edition[role].bytes))
  const targetFiles: Record<string, string> = {}
  for (const [name, { hashes }] of Object.entries(targetsOf(edition.targets.metadata))) {
    if ((await store.contents(hashes.sha256)) === undefined) {
      throw new CountersignError('STORAGE_FAILED', `the contents of the target ${name} are not stored; publish it again`)
    }
    targetFiles[targetPath(name, hashes.sha256)] = hashes.sha256
  }
  const state = stateOf(edition, stored?.state, digests, targetFiles, now)
  const contents = Object.values(edition).map(({ bytes }) => bytes)
  if (!(await store.publish(state, contents, stored?.documentVersion ?? 0))) return undefined
  await tidyUp(store, stored?.state, state)
  return state
}

/** Removes what the new state has overtaken. Old metadata stays for clients that are half way, but for the timestamp. */
async function tidyUp(store: RepositoryStore, before: PublishedState | undefined, state: PublishedState): Promise<void> {
  for (const role of ['root', 'targets'] as const) {
    const pending = await readPending(store, role)
    if (pending !== undefined && pending.signed.version <= state.versions[role]) await store.removePending(role)
  }
  const replaced = before?.files['timestamp.json']
  if (replaced !== undefined && replaced !== state.files['timestamp.json']) await store.removeContents(replaced)
}
