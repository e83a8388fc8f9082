/** Checks what is stored of the repository as its clients would, all at once. */
import { messageOf } from '../../error.ts'
import { mayFollow } from './edition.ts'
import type { Edition } from './edition.ts'
import { isSignedBy, parseMetadata } from './metadata.ts'
import type { RoleMetadata } from './metadata.ts'
import { loadEdition } from './published-edition.ts'
import type { PublishedState, RepositoryStore } from './repository-store.ts'

/** @returns what is wrong: sentences */
export async function checkStored(store: RepositoryStore, state: PublishedState): Promise<string[]> {
  const problems: string[] = []
  for (const [path, digest] of Object.entries(state.files)) {
    try {
      if ((await store.contents(digest)) === undefined) problems.push(`the contents of ${path} are missing`)
    } catch (error) {
      problems.push(`${path}: ${messageOf(error)}`)
    }
  }
  if (problems.length > 0) return problems
  return [...(await rootProblems(store, state)), ...editionProblems(await loadEdition(store, state))]
}

/** Each root must be signed by the one before it: clients follow them one by one. */
async function rootProblems(store: RepositoryStore, { versions, files }: PublishedState): Promise<string[]> {
  let before: RoleMetadata<'root'> | undefined
  for (let version = 1; version <= versions.root; version++) {
    const path = `${version}.root.json`
    const bytes = await store.contents(files[path] ?? '')
    if (bytes === undefined) return [`${path} is missing, so that clients cannot follow the roots`]
    const root = parseMetadata(bytes, 'root', `the stored ${path}`)
    if (!mayFollow(before, root)) return [`${path} lacks signatures of the root keys before it or of its own`]
    before = root
  }
  return []
}

function editionProblems({ root, targets, snapshot, timestamp }: Edition): string[] {
  const problems: string[] = []
  for (const [role, { metadata }] of Object.entries({ targets, snapshot, timestamp } as const)) {
    if (!isSignedBy(root.metadata, role as 'targets' | 'snapshot' | 'timestamp', metadata))
      problems.push(`${role}.json is not signed by the keys that the root names for it`)
  }
  const described = [
    ['snapshot.json', timestamp.metadata.signed.snapshotMeta, snapshot],
    ['targets.json', snapshot.metadata.signed.meta['targets.json'], targets],
  ] as const
  for (const [name, meta, { bytes, metadata }] of described) {
    if (meta?.version !== metadata.signed.version) {
      problems.push(`the metadata above ${name} is about version ${meta?.version ?? 'none'} of it, published is ${metadata.signed.version}`)
      continue
    }
    try {
      meta.verify(Buffer.from(bytes))
    } catch (error) {
      problems.push(`${name} is not the file that the metadata above it describes: ${messageOf(error)}`)
    }
  }
  return problems
}
