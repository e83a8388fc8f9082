/** Which repository is meant, where its cache is and which root it starts from: the rules of cosign, and no clock or network. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { encodeUtf8, excerpt } from '../encoding/bytes.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { DecodingError, messageOf, TransportError, UsageError, systemCode } from '../error.ts'
import { variableOf } from '../http/environment.ts'
import type { Environment } from '../http/environment.ts'
import { readBoundedFile } from './bounded-file.ts'
import { cacheName, RepositoryCache } from './cache.ts'
import { maxMetadataBytes } from './metadata-file.ts'
import { checkMirror, isSameMirror, publicGoodMirror, stagingMirror, withoutCredentials } from './mirror.ts'
import { publicGoodRoot } from './roots/public-good.ts'
import { stagingRoot } from './roots/staging.ts'

export interface LocationOptions {
  /** A Sigstore instance whose root is compiled in; overrides the environment and what `initialize` recorded. */
  readonly instance?: 'public-good' | 'staging'
  /** The repository's address (https, http or file); overrides the environment and what `initialize` recorded. */
  readonly mirror?: string
  /** Overrides TUF_ROOT and `$HOME/.sigstore/root`; metadata is kept there whatever SIGSTORE_NO_CACHE says. */
  readonly cacheDirectory?: string
  /** The root.json to start from; overrides TUF_ROOT_JSON and the compiled-in roots. */
  readonly initialRoot?: Uint8Array
}

/** A repository, and how to start trusting it. */
export interface Location {
  readonly mirror: string
  readonly root: Uint8Array
  /** Undefined when there is nowhere to keep one: everything is then held in memory. */
  readonly cache: RepositoryCache | undefined
  readonly warnings: readonly string[]
}

const maxRemoteBytes = 64 * 1024

/**
 * The folder that holds the caches of all repositories: TUF_ROOT, or `.sigstore/root` in the home folder.
 * @returns undefined without a home. A folder that every user of the machine may write to is no substitute: whoever comes
 * first could leave a root there.
 */
export function cacheDirectoryOf(env: Environment, directory?: string): string | undefined {
  if (directory !== undefined) return directory
  const chosen = variableOf(env, 'TUF_ROOT')
  if (chosen !== undefined) return chosen
  const home = variableOf(env, 'HOME', 'USERPROFILE')
  return home === undefined ? undefined : path.join(home, '.sigstore', 'root')
}

/**
 * Finds the repository: the mirror given, TUF_MIRROR, what `initialize` recorded in `remote.json`, or the public-good one.
 * @throws TransportError TRUST_ROOT_UNAVAILABLE when a mirror has no root to start from, FILE_UNREADABLE; DecodingError
 * JSON_INVALID for a damaged remote.json; UsageError USAGE for a mirror that is no address, or an instance that nobody knows
 */
export async function locate(options: LocationOptions, env: Environment): Promise<Location> {
  const warnings: string[] = []
  const directory = await usableDirectory(cacheDirectoryOf(env, options.cacheDirectory), warnings)
  const mirror = await findMirror(options, env, directory)
  const cache =
    directory === undefined
      ? undefined
      : new RepositoryCache(directory, cacheName(mirror), options.cacheDirectory === undefined && keepsNothing(env, warnings))
  const root = options.initialRoot ?? (await findRoot(mirror, env, cache, warnings))
  return { mirror, root, cache, warnings }
}

/** SIGSTORE_NO_CACHE, in the notation of Go's booleans. */
function keepsNothing(env: Environment, warnings: string[]): boolean {
  const text = variableOf(env, 'SIGSTORE_NO_CACHE') ?? 'false'
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true
  if (!/^(?:0|f|F|FALSE|false|False)$/.test(text)) {
    warnings.push(`SIGSTORE_NO_CACHE should be true or false, found ${excerpt(text)}: trust material is kept on disk`)
  }
  return false
}

/** The compiled-in root for a mirror: staging's for staging, and the public-good one for everything else, which may mirror it. */
export function compiledInRoot(mirror: string): Uint8Array {
  return encodeUtf8(isSameMirror(mirror, stagingMirror) ? stagingRoot : publicGoodRoot)
}

async function findMirror({ instance, mirror }: LocationOptions, env: Environment, directory: string | undefined): Promise<string> {
  if (mirror !== undefined) return checked(mirror, 'the TUF mirror')
  if (instance === 'staging') return stagingMirror
  if (instance === 'public-good') return publicGoodMirror
  if (instance !== undefined)
    throw new UsageError('USAGE', `the instance should be public-good or staging, found ${excerpt(String(instance))}`)
  const chosen = variableOf(env, 'TUF_MIRROR')
  if (chosen !== undefined) return checked(chosen, 'TUF_MIRROR')
  if (directory === undefined) return publicGoodMirror
  const file = path.join(directory, 'remote.json')
  const recorded = await readRequired(file, maxRemoteBytes, 'reading remote.json')
  if (recorded === undefined) return publicGoodMirror
  const document = parseJson(recorded, file, { maxBytes: maxRemoteBytes })
  const address = isJsonObject(document) ? document['mirror'] : undefined
  if (typeof address !== 'string') {
    throw new DecodingError('JSON_INVALID', `${file} should hold the address of a mirror; run initialize again, or set TUF_MIRROR`)
  }
  return checked(address, `the mirror in ${file}`)
}

async function findRoot(mirror: string, env: Environment, cache: RepositoryCache | undefined, warnings: string[]): Promise<Uint8Array> {
  const file = variableOf(env, 'TUF_ROOT_JSON')
  if (isSameMirror(mirror, publicGoodMirror)) {
    if (file !== undefined) warnings.push('TUF_ROOT_JSON is not used: the public-good repository starts from the compiled-in root')
    return compiledInRoot(mirror)
  }
  if (file !== undefined) {
    const root = await readRequired(file, maxMetadataBytes.root, 'reading root.json given by TUF_ROOT_JSON')
    if (root !== undefined) return root
    throw new TransportError('FILE_UNREADABLE', `error reading root.json given by TUF_ROOT_JSON: there is no file ${file}`)
  }
  if (isSameMirror(mirror, stagingMirror)) return compiledInRoot(mirror)
  const cached = await cache?.readRole('root')
  if (cached !== undefined) return cached
  const message = `could not find cached root.json for the mirror ${withoutCredentials(mirror)}; run initialize with --mirror and --root, or set TUF_ROOT_JSON`
  throw new TransportError('TRUST_ROOT_UNAVAILABLE', message)
}

/** A home of another user, as containers often have it, is as good as none. */
async function usableDirectory(directory: string | undefined, warnings: string[]): Promise<string | undefined> {
  if (directory === undefined) return undefined
  try {
    // Needs no right to the file itself, only to the folder.
    await stat(path.join(directory, 'remote.json'))
    return directory
  } catch (error) {
    if (systemCode(error) !== 'EACCES') return directory
    warnings.push(`the TUF cache ${directory} may not be read, so it is not used; set TUF_ROOT to a folder that may`)
    return undefined
  }
}

async function readRequired(file: string, maxBytes: number, what: string): Promise<Uint8Array | undefined> {
  try {
    return await readBoundedFile(file, maxBytes)
  } catch (cause) {
    throw new TransportError('FILE_UNREADABLE', `error ${what}: ${messageOf(cause)}`, { cause })
  }
}

function checked(address: string, source: string): string {
  checkMirror(address, source)
  return address
}
