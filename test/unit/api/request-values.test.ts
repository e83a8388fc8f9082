import { describe, expect, it } from 'vitest'
import { parseProposedEntry } from '../../../src/api/rekor-v1-proposal.ts'
import { parseIndexQuery, parseRetrieveQuery } from '../../../src/api/rekor-v1-query.ts'
import { parseCreateEntryRequest } from '../../../src/api/rekor-v2.ts'
import { parseEnvelopeV1 } from '../../../src/server/rekor/v1-envelope.ts'

const mebibyte = 1024 * 1024
const text = `{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":1`).join()}}`
const body = Buffer.from(text)

describe('a request of very many values, which would hold up everyone while it is read', () => {
  it.each([
    ['Rekor v2 entry', () => parseCreateEntryRequest(body)],
    ['Rekor v1 entry', () => parseProposedEntry(body, 4 * mebibyte)],
    ['Rekor v1 retrieval', () => parseRetrieveQuery(body, 4 * mebibyte)],
    ['Rekor v1 index query', () => parseIndexQuery(body)],
    ['envelope', () => parseEnvelopeV1(text, 4 * mebibyte)],
  ])('is refused as a %s', (_, parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })
})
