/**
 * `GET /api/search`: our own question to the search index, for the search page and for scripts. Exactly one of `email`, `subject`,
 * `digest`, `key` and `index` is given; `log` narrows it to one log, `limit` says how many entries at most (default 20, up to 100).
 *
 * - `email`: an address; `subject`: any subject alternative name; both without regard to case.
 * - `digest`: of an artifact, a payload or a subject of an attestation: `sha256:<hex>`, or the hexadecimal digits alone.
 * - `key`: SHA-256 of a SubjectPublicKeyInfo in hexadecimal (an entry signed with a certificate has that of its key), or `sha256:<hex>`.
 * - `index`: a log index; of a Rekor v1 log, the one over all its shards.
 *
 * Answers 200 with `SearchAnswer`, 400 with `{"error":"…"}` for a question that is none of these, 404 for an unknown log. Of entries whose
 * bodies have more than 1 MiB together fewer are answered than `limit` says.
 */
import { excerpt } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'

/** Where the index is asked. */
export const searchPath = '/api/search'

export const searchFields = ['email', 'subject', 'digest', 'key', 'index'] as const
export type SearchField = (typeof searchFields)[number]
const known: readonly string[] = [...searchFields, 'log', 'limit']

/** One question. */
export interface SearchQuery {
  readonly field: SearchField
  readonly value: string
  /** The ID of a log, where only that one is asked. */
  readonly log?: string
  /** From 1 to 100. */
  readonly limit: number
}

export interface SearchAnswer {
  /** Newest first. */
  readonly entries: readonly FoundEntry[]
  /** Whether there are more than were answered. */
  readonly truncated: boolean
  /** How far each log that was asked is indexed, in entries: those behind `indexed` cannot be found by a term yet. */
  readonly logs: readonly {
    readonly id: string
    readonly origin: string
    readonly api: RekorApi
    readonly size: string
    readonly indexed: string
  }[]
}

export type RekorApi = 'rekor-v1' | 'rekor-v2'

/** An entry with the proof that it is in its log. Every text in it comes from whoever made the entry, and may be hostile. */
export interface FoundEntry {
  /** The log's ID in the server's configuration. */
  readonly log: string
  readonly api: RekorApi
  /** The first line of the log's checkpoints. */
  readonly origin: string
  /** Decimal; of a Rekor v1 log, the index over all its shards. */
  readonly index: string
  /** 64 hexadecimal digits; the UUID of Rekor v1. */
  readonly leafHash: string
  /** When the log took it, RFC 3339. Signed by a Rekor v1 log alone. */
  readonly loggedAt: string
  readonly kind: string
  readonly version: string
  /** What was signed; null for kinds that say nothing of it. Of an attestation, its payload or what was signed over it. */
  readonly digest: { readonly algorithm: string; readonly value: string } | null
  readonly signers: readonly FoundSigner[]
  /** The entry as it was logged: base64 of the canonical JSON, which the leaf hash is over. */
  readonly body: string
  readonly inclusionProof: {
    /** Within the tree of the checkpoint, decimal. */
    readonly leafIndex: string
    readonly treeSize: string
    /** Hexadecimal. */
    readonly rootHash: string
    readonly hashes: readonly string[]
    readonly checkpoint: string
  }
}

/** Who signed, as the entry says. */
export interface FoundSigner {
  readonly kind: 'certificate' | 'public-key'
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal; null where the key could not be read. */
  readonly keyHash: string | null
  /** PEM. */
  readonly pem: string
  /** Of the certificate: its subject alternative names, and who said so (the OIDC issuer), if it says. */
  readonly subjects: readonly { readonly kind: string; readonly value: string }[]
  readonly issuer: string | null
  /** RFC 3339; null for a public key. */
  readonly notBefore: string | null
  readonly notAfter: string | null
}

const maxValueLength = 1024
const defaultLimit = 20
const maxLimit = 100

/**
 * Reads a question from the parameters of a URL.
 * @throws DecodingError REQUEST_INVALID
 */
export function parseSearchQuery(parameters: URLSearchParams): SearchQuery {
  for (const name of parameters.keys()) {
    if (!known.includes(name)) throw invalid(`the search has no parameter ${excerpt(name, 30)}, only ${known.join(', ')}`)
    if (parameters.getAll(name).length > 1) throw invalid(`the parameter ${name} stands twice`)
  }
  const [field, ...others] = searchFields.filter((name) => parameters.has(name))
  if (field === undefined || others.length > 0) throw invalid(`exactly one of ${searchFields.join(', ')} is searched by`)
  const value = (parameters.get(field) ?? '').trim()
  if (value === '' || value.length > maxValueLength) throw invalid(`${field} should have 1 to ${maxValueLength} characters`)
  const log = parameters.get('log')
  return { field, value, limit: readLimit(parameters.get('limit')), ...(log === null || log === '' ? {} : { log }) }
}

function readLimit(text: string | null): number {
  if (text === null || text === '') return defaultLimit
  if (!/^[1-9][0-9]{0,2}$/.test(text) || Number(text) > maxLimit) throw invalid(`limit should be from 1 to ${maxLimit}`)
  return Number(text)
}

function invalid(message: string): DecodingError {
  return new DecodingError('REQUEST_INVALID', message)
}
