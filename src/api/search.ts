/**
 * `GET /api/search`: our own question to the search index, for the search page and for scripts. Exactly one of `email`, `subject`,
 * `digest`, `key` and `index` is given; `log` narrows it to one log, `limit` says how many entries at most (default 20, up to 100).
 *
 * - `email`: an address; `subject`: any subject alternative name; both without regard to case.
 * - `digest`: of an artifact, a payload or a subject of an attestation: `sha256:<hex>`, or the hexadecimal digits alone.
 * - `key`: SHA-256 of a SubjectPublicKeyInfo in hexadecimal (an entry signed with a certificate has that of its key), or `sha256:<hex>`.
 * - `index`: a log index; of a Rekor v1 log, the one over all its shards.
 *
 * Answers 200 with `SearchAnswer`, 400 with `{"error":"…"}` for a question that is none of these, 404 for an unknown log.
 */
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { DecodingError } from '../error.ts'

/** Where the index is asked. */
export const searchPath = '/api/search'

export const searchFields = ['email', 'subject', 'digest', 'key', 'index'] as const
export type SearchField = (typeof searchFields)[number]

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
  /** Newest first within each log. */
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

/** The query string of a question, without `?`. */
export function encodeSearchQuery(query: SearchQuery): string {
  const parameters = [`${query.field}=${encodeURIComponent(query.value)}`, `limit=${query.limit}`]
  if (query.log !== undefined) parameters.push(`log=${encodeURIComponent(query.log)}`)
  return parameters.join('&')
}

/** Parses an answer of our own server. @throws DecodingError JSON_INVALID, TOO_LARGE, REQUEST_REFUSED when it is an error */
export function parseSearchAnswer(body: Uint8Array): SearchAnswer {
  const json = parseJson(body, 'the answer of the search', { maxBytes: 64 * 1024 * 1024 })
  if (!isJsonObject(json) || !Array.isArray(json['entries'])) {
    const error = isJsonObject(json) ? json['error'] : undefined
    throw new DecodingError('REQUEST_REFUSED', typeof error === 'string' ? error : 'the search answered something else than entries')
  }
  return json as unknown as SearchAnswer
}
