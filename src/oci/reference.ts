/**
 * Image references: `[registry/]repository[:tag][@digest]`, with the defaults of Docker Hub. Registries and repositories have the
 * names that go-containerregistry prints, so that what cosign and scripts compare stays the same: Docker Hub is `index.docker.io`.
 */
import { excerpt } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'
import { isDigest } from './digest.ts'

/** A repository of a registry. */
export interface RepositoryName {
  /** Host, with a port where it was given. */
  readonly registry: string
  /** Path on the registry: `library/alpine`. */
  readonly repository: string
}

export interface ImageReference extends RepositoryName {
  /** `latest` where neither a tag nor a digest was given; the tag beside a digest says nothing and is dropped. */
  readonly tag: string | undefined
  /** `sha256:…`. */
  readonly digest: string | undefined
}

const dockerHub = 'index.docker.io'
const maxReferenceLength = 4096
const maxRepositoryLength = 255
// Distribution specification, "Pulling manifests".
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const hostPattern =
  /^(?:\[[0-9a-fA-F:.]{2,45}\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]{1,5})?$/

/**
 * Reads an image reference.
 * @throws UsageError USAGE, saying which part is wrong
 */
export function parseReference(text: string): ImageReference {
  if (text.length > maxReferenceLength) throw invalid(text, 'it is too long')
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, `${excerpt(digest)} is not a digest like sha256:<64 hex digits>`)
  }
  const named = at < 0 ? text : text.slice(0, at)
  const { name, tag } = splitTag(named)
  if (tag !== undefined && !tagPattern.test(tag)) {
    throw invalid(text, `the tag ${excerpt(tag)} has other characters than letters, digits, ".", "_" and "-", or more than 128`)
  }
  return { ...repositoryOf(name, text), tag: digest === undefined ? (tag ?? 'latest') : undefined, digest }
}

/**
 * Reads the name of a repository, without tag or digest.
 * @throws UsageError USAGE
 */
export function parseRepository(text: string): RepositoryName {
  if (text.length > maxReferenceLength) throw invalid(text, 'it is too long')
  return repositoryOf(text, text)
}

/** Whether it is the name of a tag. */
export function isTag(text: string): boolean {
  return tagPattern.test(text)
}

/** `registry/repository`. */
export function repositoryText({ registry, repository }: RepositoryName): string {
  return `${registry}/${repository}`
}

/** The whole reference, with every default spelled out. */
export function referenceText(reference: ImageReference): string {
  const name = repositoryText(reference)
  return reference.digest === undefined ? `${name}:${reference.tag}` : `${name}@${reference.digest}`
}

/** What a registry is asked for: the digest, or the tag. */
export function referenceTarget({ tag, digest }: ImageReference): string {
  return digest ?? tag ?? 'latest'
}

/** The same repository, with this tag. */
export function withTag({ registry, repository }: RepositoryName, tag: string): ImageReference {
  return { registry, repository, tag, digest: undefined }
}

/** A colon in the last component starts a tag; one before it belongs to a port. */
function splitTag(named: string): { readonly name: string; readonly tag: string | undefined } {
  const colon = named.lastIndexOf(':')
  return colon <= named.lastIndexOf('/') ? { name: named, tag: undefined } : { name: named.slice(0, colon), tag: named.slice(colon + 1) }
}

/** The first component is a registry if it could not be a user of Docker Hub: it has a dot or a port, or is `localhost`. */
function repositoryOf(name: string, text: string): RepositoryName {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isRegistry = /[.:]/.test(first) || first === 'localhost'
  const host = isRegistry ? first : dockerHub
  const path = isRegistry ? name.slice(slash + 1) : name
  if (!isHost(host.toLowerCase())) {
    throw invalid(text, `${excerpt(host)} is not the host of a registry`)
  }
  const lower = host.toLowerCase()
  const registry = lower === 'docker.io' || lower === 'registry-1.docker.io' ? dockerHub : lower
  const repository = registry === dockerHub && !path.includes('/') ? `library/${path}` : path
  if (path === '') throw invalid(text, 'it has no repository')
  if (repository.length > maxRepositoryLength || !repositoryPattern.test(repository)) {
    throw invalid(text, `the repository ${excerpt(path)} should be lower-case letters and digits, separated by ".", "_", "-" and "/"`)
  }
  return { registry, repository }
}

/** A name that addresses are made of must be the one that they lead to: `127.1` and `2130706433:80` are other spellings of 127.0.0.1. */
function isHost(host: string): boolean {
  if (!hostPattern.test(host) || !URL.canParse(`https://${host}`)) return false
  return host.startsWith('[') || new URL(`https://${host}`).hostname === host.replace(/:[0-9]+$/, '')
}

function invalid(text: string, reason: string): UsageError {
  return new UsageError('USAGE', `could not parse reference ${excerpt(text, 120)}: ${reason}`)
}
