/** The search index of Rekor v1: entry IDs by who signed, with which key, what. */
import { encodeEntryId } from '../../api/rekor-v1.ts'
import type { IndexQuery } from '../../api/rekor-v1-query.ts'
import { certificateTerm, digestTerm, keyTerm, subjectTerm } from '../../bundle/log-entry-terms.ts'
import { digest } from '../../crypto/digest.ts'
import { decodeUtf8 } from '../../encoding/bytes.ts'
import { leafHash } from '../../merkle/hash.ts'
import type { TermIndex } from '../storage/term-index.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'
import type { RekorV1Shard, Shards } from './shards.ts'
import { parseVerifierV1 } from './v1-verifier.ts'

/** How many of the newest entries of a term are looked at, and how many are answered. */
const maxLookedAt = 10_000
const maxAnswered = 1000

/**
 * The IDs of the entries that match, newest first; of many the newest.
 * @throws DecodingError, CountersignError REQUEST_INVALID when the key of the query cannot be read
 */
export async function searchEntryIds(
  query: IndexQuery,
  shards: Shards,
  terms: TermIndex,
  checkSignature: SignatureChecker,
): Promise<string[]> {
  const wanted = await termsOf(query, checkSignature)
  if (wanted.length === 0) return []
  const found: string[] = []
  for (const shard of [shards.active, ...shards.inactive.toReversed()]) {
    for (const index of await matches(shard, wanted, query.operator, terms)) {
      if (found.length === maxAnswered) return found
      const [logged] = await shard.log.leaves(index, 1)
      if (logged !== undefined) found.push(encodeEntryId(shard.treeId, leafHash(logged.leaf)))
    }
  }
  return found
}

async function matches(
  shard: RekorV1Shard,
  wanted: readonly string[],
  operator: IndexQuery['operator'],
  terms: TermIndex,
): Promise<bigint[]> {
  const lists = await Promise.all(wanted.map(async (term) => terms.find(shard.log.id, term, maxLookedAt)))
  const [first = [], ...others] = lists
  const sets = others.map((list) => new Set(list))
  const matching = operator === 'and' ? first.filter((index) => sets.every((set) => set.has(index))) : [...new Set(lists.flat())]
  return matching.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0))
}

async function termsOf({ email, subject, hash, publicKey }: IndexQuery, checkSignature: SignatureChecker): Promise<string[]> {
  const terms: string[] = []
  if (email !== undefined) terms.push(subjectTerm(email))
  if (subject !== undefined) terms.push(subjectTerm(subject))
  if (hash !== undefined) terms.push(hashTerm(hash))
  if (publicKey !== undefined) {
    const { key, certificate } = await parseVerifierV1(decodeUtf8(publicKey, 'the public key'), checkSignature)
    terms.push(certificate === undefined ? keyTerm(digest('sha256', key.spki)) : certificateTerm(digest('sha256', certificate.bytes)))
  }
  return terms
}

function hashTerm(hash: string): string {
  const colon = hash.indexOf(':')
  return digestTerm(hash.slice(0, colon), hash.slice(colon + 1))
}
