/** Answers of the search for tests of pages. */
import type { FoundEntry, SearchAnswer } from '../../src/api/search.ts'

/** An entry that says everything an entry can say. */
export const foundEntry: FoundEntry = {
  log: 'rekor-1',
  api: 'rekor-v1',
  origin: 'sigstore.example.com - 3904496407287907110',
  index: '41207',
  leafHash: '5c3a7b1f0e9d8c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b',
  loggedAt: '2026-11-21T12:00:03Z',
  kind: 'hashedrekord',
  version: '0.0.1',
  digest: { algorithm: 'sha256', value: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
  signers: [
    {
      kind: 'certificate',
      keyHash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      pem: '-----BEGIN CERTIFICATE-----\nMIICqDCCAi6gAwIBAgIUJ2vYKjz0Mz4j1Y0iIuQ0b6f1c5IwCgYIKoZIzj0EAwMw\n-----END CERTIFICATE-----\n',
      subjects: [{ kind: 'email', value: 'alice@example.com' }],
      issuer: 'https://accounts.example.com',
      notBefore: '2026-11-21T12:00:00Z',
      notAfter: '2026-11-21T12:10:00Z',
    },
  ],
  body: Buffer.from(
    '{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}}}}',
  ).toString('base64'),
  inclusionProof: {
    leafIndex: '41207',
    treeSize: '41300',
    rootHash: '7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730',
    hashes: [
      '4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865',
      '53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3',
    ],
    checkpoint:
      'sigstore.example.com - 3904496407287907110\n41300\nfYZelZskZpGMmGOvypQtD7idfJrAyZuvw3SVBN7ZdzA=\n\n— sigstore.example.com 0yKfPjBEAiAm7Zl5Pq1Y2GjfcVw0AgIgN1tQZk3X\n',
  },
}

/** An answer with these entries, of a log that is indexed to its end. */
export function answerWith(entries: readonly FoundEntry[], changes: Partial<SearchAnswer> = {}): SearchAnswer {
  const { log, origin, api } = foundEntry
  return { entries, truncated: false, logs: [{ id: log, origin, api, size: '41300', indexed: '41300' }], ...changes }
}
