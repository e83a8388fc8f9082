/** The keys of the TUF repository as files, and their rotation: a new root names new keys, then `server.yaml` does. */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { PrivateKey } from '../crypto/private-key.ts'
import { generatePrivateKey } from '../crypto/private-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { isSameKey } from '../crypto/public-key.ts'
import { CountersignError, messageOf, UsageError } from '../error.ts'
import type { TopLevelRole } from '../tuf/metadata-file.ts'
import type { Administration } from './administration.ts'
import { openTuf, signersOf } from './administration.ts'
import { prepareEdit } from './configuration-edit.ts'
import { dataFiles } from './data-folder.ts'
import { readKeyFile, writeKeyFile } from './key-file.ts'
import type { TufKeys } from './material.ts'
import type { RepositorySigners } from './tuf/edition.ts'
import type { RoleKeys, RootRoles } from './tuf/metadata.ts'
import { parseMetadata, rolesOfRoot } from './tuf/metadata.ts'
import { roleOfExported } from './tuf/offline-signatures.ts'
import type { Resumption, TufRepository } from './tuf/repository.ts'
import type { Outcome } from './tuf/repository-status.ts'

const tufRoles = ['root', 'targets', 'snapshot', 'timestamp'] as const

/** A key and its file, relative to the data folder. */
interface KeyFile {
  readonly file: string
  readonly key: PrivateKey
}

/** Keys that take the place of configured ones. */
type Replacements = ReadonlyMap<TopLevelRole, KeyFile>

export interface TufRotation {
  readonly outcome: Outcome
  /** The files of the new keys by role, relative to the data folder. */
  readonly newKeys: ReadonlyMap<TopLevelRole, string>
  /** What `server.yaml` names from now on. */
  readonly nowConfigured: ReadonlyMap<TopLevelRole, string>
}

export interface TufRotationOptions {
  /** Roles whose key is on this server, and is to be replaced by a new one. */
  readonly newKeys: readonly TopLevelRole[]
  /** The public keys from now on of roles whose keys are kept offline. */
  readonly publicKeys: ReadonlyMap<TopLevelRole, readonly PublicKey[]>
  /** How many of a role's keys must sign, where that changes. */
  readonly thresholds: ReadonlyMap<TopLevelRole, number>
  readonly passphrase: string | undefined
}

/**
 * Makes the next root, with new keys for some roles. It is signed with the old root key and the new one, as far as they are on this server;
 * `server.yaml` names new keys as soon as the root is published. Should that fail, the next `rotateTuf` or `importTuf` does it.
 * @throws UsageError USAGE for keys that are kept elsewhere than it is said; as `TufRepository.rotate`
 */
export async function rotateTuf(administration: Administration, options: TufRotationOptions): Promise<TufRotation> {
  const { newKeys, publicKeys, thresholds, passphrase } = options
  const roles = await administration.tuf.roles()
  const before = await keysFor(administration, roles, passphrase)
  checkPlaces(before, options)
  if (roles === undefined)
    throw new CountersignError('CONFIGURATION_INVALID', 'the TUF repository has no root yet: start the server first, which publishes one')
  const isRenewal = newKeys.length + publicKeys.size + thresholds.size === 0
  // What is due is renewed with the old keys: no root names the new ones yet.
  await withTuf(administration, signersOf(before), (tuf) => tuf.refresh())
  const replacements = await makeKeys(administration.folder, newKeys, passphrase)
  const after = signersOf(withReplacements(before, replacements))
  const signers = { ...after, root: [...signersOf(before).root, ...after.root] }
  const wanted = isRenewal ? undefined : nextRoles(before, roles, replacements, options)
  const outcome = await withTuf(administration, signers, (tuf) => tuf.rotate(wanted))
  return {
    outcome,
    newKeys: new Map([...replacements].map(([role, { file }]) => [role, file])),
    nowConfigured: await finishRotation(administration, passphrase),
  }
}

/** What came of an import, or of going on. */
export type TufChange = Omit<TufRotation, 'newKeys'>

/**
 * Takes metadata that was signed elsewhere. Where a new root becomes the published one, `server.yaml` names its keys from then on.
 * @throws as `TufRepository.importSigned`
 */
export async function importTuf(administration: Administration, bytes: Uint8Array, passphrase: string | undefined): Promise<TufChange> {
  const isRoot = roleOfExported(bytes) === 'root'
  const next = isRoot ? rolesOfRoot(parseMetadata(bytes, 'root', 'the imported root.json')) : await nextRootRoles(administration)
  const keys = await keysFor(administration, next, passphrase)
  const outcome = await withTuf(administration, signersOf(keys), (tuf) => tuf.importSigned(bytes))
  return { outcome, nowConfigured: await finishRotation(administration, passphrase) }
}

/** Goes on after an operator has looked into it. @throws as `TufRepository.resume` */
export async function resumeTuf(administration: Administration, what: Resumption, passphrase: string | undefined): Promise<TufChange> {
  const keys = await keysFor(administration, await nextRootRoles(administration), passphrase)
  const outcome = await withTuf(administration, signersOf(keys), (tuf) => tuf.resume(what))
  return { outcome, nowConfigured: await finishRotation(administration, passphrase) }
}

/** Whom the root names that will be published next, or is published. */
async function nextRootRoles({ tuf }: Administration): Promise<RootRoles | undefined> {
  return (await tuf.roles('pending')) ?? tuf.roles()
}

/** The keys that a root names, as far as they are in the folder, otherwise the configured ones. */
async function keysFor(
  { folder, material }: Administration,
  roles: RootRoles | undefined,
  passphrase: string | undefined,
): Promise<TufKeys> {
  return roles === undefined ? material.tuf : withReplacements(material.tuf, await keysNamedBy(folder, material.tuf, roles, passphrase))
}

/**
 * Makes `server.yaml` name the keys that the published root names, where it names others and the right ones are in the folder: after a
 * root was published, and where that was interrupted.
 * @returns what it names from now on
 */
async function finishRotation(
  { folder, material, tuf }: Administration,
  passphrase: string | undefined,
): Promise<ReadonlyMap<TopLevelRole, string>> {
  const published = await tuf.roles()
  if (published === undefined) return new Map()
  const replacements = await keysNamedBy(folder, material.tuf, published, passphrase)
  await nameInConfiguration(folder, replacements)
  return new Map([...replacements].map(([role, { file }]) => [role, file]))
}

async function withTuf<Result>(
  administration: Administration,
  signers: RepositorySigners,
  action: (tuf: TufRepository) => Promise<Result>,
): Promise<Result> {
  const tuf = openTuf(administration, signers)
  try {
    return await action(tuf)
  } finally {
    await tuf.close()
  }
}

function checkPlaces(keys: TufKeys, { newKeys, publicKeys }: TufRotationOptions): void {
  for (const role of newKeys) {
    if (keys[role] !== undefined) continue
    throw new UsageError(
      'USAGE',
      `the ${role} key is kept offline: make the new one there, and give its public key with --public-key ${role}=FILE`,
    )
  }
  for (const role of publicKeys.keys()) {
    if (keys[role] === undefined) continue
    throw new UsageError('USAGE', `the ${role} key is on this server: replace it with --new-keys ${role}`)
  }
}

async function makeKeys(folder: string, roles: readonly TopLevelRole[], passphrase: string | undefined): Promise<Replacements> {
  const names = new Set(await readdir(path.join(folder, dataFiles.keys)))
  const made = new Map<TopLevelRole, KeyFile>()
  for (const role of roles) {
    let number = 2
    while (names.has(`tuf-${role}-${number}.key`)) number++
    const keyFile = { file: `${dataFiles.keys}/tuf-${role}-${number}.key`, key: generatePrivateKey('ecdsa-p256') }
    await writeKeyFile(path.join(folder, keyFile.file), keyFile.key, passphrase)
    made.set(role, keyFile)
  }
  return made
}

/** The roles of the next root: each new key stands in the place of the one that it replaces. */
function nextRoles(
  configured: TufKeys,
  roles: RootRoles,
  replacements: Replacements,
  { publicKeys, thresholds }: TufRotationOptions,
): RootRoles {
  const next = (role: TopLevelRole): RoleKeys => {
    const { keys } = roles[role]
    const threshold = thresholds.get(role) ?? roles[role].threshold
    const offline = publicKeys.get(role)
    if (offline !== undefined) return { keys: offline, threshold }
    const replacement = replacements.get(role)?.key.publicKey
    const old = configured[role]?.publicKey
    if (replacement === undefined || old === undefined) return { keys, threshold }
    return { keys: [replacement, ...keys.filter((key) => !isSameKey(key, old))], threshold }
  }
  return { root: next('root'), targets: next('targets'), snapshot: next('snapshot'), timestamp: next('timestamp') }
}

/** For each role whose configured key the root does not name: the key in the folder that it names, if it is there. */
async function keysNamedBy(folder: string, keys: TufKeys, roles: RootRoles, passphrase: string | undefined): Promise<Replacements> {
  const names = await readdir(path.join(folder, dataFiles.keys))
  const found = new Map<TopLevelRole, KeyFile>()
  for (const role of tufRoles) {
    const configured = keys[role]?.publicKey
    const isNamed = (key: PublicKey): boolean => roles[role].keys.some((other) => isSameKey(key, other))
    if (configured === undefined || isNamed(configured)) continue
    const candidates = names.filter((name) => new RegExp(`^tuf-${role}(-[0-9]+)?\\.key$`).test(name))
    for (const name of candidates) {
      const file = `${dataFiles.keys}/${name}`
      // Others than the one that is looked for may be locked away with another passphrase.
      const key = await readKeyFile(path.join(folder, file), passphrase).catch(() => undefined)
      if (key !== undefined && isNamed(key.publicKey)) found.set(role, { file, key })
    }
  }
  return found
}

function withReplacements(keys: TufKeys, replacements: Replacements): TufKeys {
  return {
    root: replacements.get('root')?.key ?? keys.root,
    targets: replacements.get('targets')?.key ?? keys.targets,
    snapshot: replacements.get('snapshot')?.key ?? keys.snapshot,
    timestamp: replacements.get('timestamp')?.key ?? keys.timestamp,
  }
}

async function nameInConfiguration(folder: string, replacements: Replacements): Promise<void> {
  if (replacements.size === 0) return
  const lines = [...replacements].map(([role, { file }]) => `${role}: ${file}`).join(', ')
  try {
    const edit = await prepareEdit(folder, 'the new keys cannot be named', (document) => {
      for (const [role, { file }] of replacements) document.setIn(['tuf', role], file)
    })
    await edit.write()
  } catch (cause) {
    throw new CountersignError(
      'CONFIGURATION_INVALID',
      `the published TUF root names new keys, and server.yaml could not be changed to name them: write them under tuf yourself (${lines}): ${messageOf(cause)}`,
      { cause },
    )
  }
}
