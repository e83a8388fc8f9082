/** A new start with a TUF repository: the cache is emptied and the mirror recorded for later calls. */
import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { cwd, env as processEnvironment } from 'node:process'
import { messageOf, TransportError, UsageError } from '../error.ts'
import { variableOf } from '../http/environment.ts'
import type { Environment } from '../http/environment.ts'
import { replaceFile } from './bounded-file.ts'
import { cacheDirectoryOf, compiledInRoot } from './location.ts'
import { checkMirror, isOutOfReach, publicGoodMirror } from './mirror.ts'
import { openRepository } from './repository.ts'
import type { Repository, RepositoryOptions } from './repository.ts'

export interface InitializeOptions extends Omit<RepositoryOptions, 'instance'> {
  /** Default the public-good repository. */
  readonly mirror?: string
}

/**
 * Removes the caches of all repositories, records the mirror in `remote.json`, and opens it. The root it starts from stays in
 * the cache even when the mirror is out of reach; without one given it is a compiled-in one, since a mirror may mirror them. A root or a
 * mirror that must not be trusted changes nothing.
 * @throws TransportError FILE_UNREADABLE when the cache cannot be written; UsageError USAGE for a folder that is not to be emptied;
 * otherwise as `openRepository`
 */
export async function initializeRepository(options: InitializeOptions = {}): Promise<Repository> {
  const { env = processEnvironment, mirror = publicGoodMirror } = options
  const { cacheDirectory, ...others } = options
  checkFolder(mirror, env, cacheDirectory)
  const instance = { ...others, env, mirror, initialRoot: options.initialRoot ?? compiledInRoot(mirror) }
  await rehearse(instance)
  return openRepository({ ...instance, cacheDirectory: await resetCache(mirror, env, cacheDirectory) })
}

/** Opens the repository without a cache. @throws as `openRepository`, but not for a mirror that is out of reach */
async function rehearse(options: Omit<RepositoryOptions, 'cacheDirectory'> & { readonly env: Environment }): Promise<void> {
  const nowhere = path.join(tmpdir(), `countersign-${randomBytes(8).toString('hex')}`)
  try {
    await openRepository({ ...options, env: { ...options.env, TUF_ROOT: nowhere, SIGSTORE_NO_CACHE: 'true' } })
  } catch (error) {
    if (!(error instanceof TransportError) || !isOutOfReach(error.cause)) throw error
  }
}

/**
 * Removes the caches of all repositories and records the mirror in `remote.json`.
 * @returns the folder, which exists now
 * @throws as `initializeRepository`
 */
export async function resetCache(mirror: string, env: Environment, cacheDirectory?: string): Promise<string> {
  const folder = checkFolder(mirror, env, cacheDirectory)
  try {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await replaceFile(path.join(folder, 'remote.json'), JSON.stringify({ mirror }))
  } catch (cause) {
    throw new TransportError('FILE_UNREADABLE', `the TUF cache ${folder} could not be renewed: ${messageOf(cause)}`, { cause })
  }
  return folder
}

/** @returns the folder of the cache, which holds nothing else that matters */
function checkFolder(mirror: string, env: Environment, cacheDirectory: string | undefined): string {
  checkMirror(mirror, 'the TUF mirror')
  const directory = cacheDirectoryOf(env, cacheDirectory)
  if (directory === undefined) {
    throw new UsageError('USAGE', 'there is no home folder to keep the TUF cache in; set TUF_ROOT to a folder')
  }
  const folder = path.resolve(directory)
  for (const precious of [cwd(), variableOf(env, 'HOME', 'USERPROFILE')]) {
    if (precious !== undefined && isWithin(path.resolve(precious), folder)) {
      throw new UsageError(
        'USAGE',
        `the TUF cache ${folder} would be emptied, but ${precious} is in it; set TUF_ROOT to a folder of its own`,
      )
    }
  }
  return folder
}

function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner)
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative))
}
