import { describe, expect, it } from 'vitest'
import { encodeStatement } from '../../../src/bundle/statement-writer.ts'
import type { StatementParts } from '../../../src/bundle/statement-writer.ts'
import { parseStatement } from '../../../src/bundle/statement.ts'
import { failureOf } from '../encoding/failure.ts'

const sha256 = 'ab'.repeat(32)
const parts = (more: Partial<StatementParts> = {}): StatementParts => ({
  subjects: [{ name: 'app', digests: { sha256 } }],
  predicateType: 'https://example.com/tests/v1',
  predicate: '{"passed": true}',
  ...more,
})
const encode = (more?: Partial<StatementParts>): Uint8Array => encodeStatement(parts(more), 0)

describe('a statement', () => {
  it('is what cosign writes', () => {
    expect(Buffer.from(encode()).toString()).toBe(
      `{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"app","digest":{"sha256":"${sha256}"}}],"predicateType":"https://example.com/tests/v1","predicate":{"passed":true}}`,
    )
  })

  it('is about several artifacts, of version 1 where that is wanted', () => {
    const subjects = [
      { name: 'a "b"', digests: { sha512: new Uint8Array(64).fill(1), sha256: sha256.toUpperCase() } },
      { name: 'c', digests: { gitCommit: 'c'.repeat(40) } },
    ]
    const statement = parseStatement(encode({ subjects, type: 'https://in-toto.io/Statement/v1' }))
    expect(statement.type).toBe('https://in-toto.io/Statement/v1')
    expect(statement.subjects.map(({ name, digests }) => [name, Object.fromEntries(digests)])).toEqual([
      ['a "b"', { sha256, sha512: '01'.repeat(64) }],
      ['c', { gitCommit: 'c'.repeat(40) }],
    ])
  })

  it.each([
    ['no subject', { subjects: [] }, 'the statement has no subject'],
    ['a subject without a digest', { subjects: [{ name: 'a', digests: {} }] }, 'statement.subject[0].digest should have 1 to 32 digests'],
    [
      'two subjects of one name',
      {
        subjects: [
          { name: 'a', digests: { sha256 } },
          { name: 'a', digests: { sha256 } },
        ],
      },
      'two subjects of the statement have the same name "a"',
    ],
    [
      'a digest that is too short',
      { subjects: [{ name: 'a', digests: { sha256: 'abc' } }] },
      'the sha256 digest of the subject "a" should be 64 hexadecimal digits, found "abc"',
    ],
    [
      'a digest that is none',
      { subjects: [{ name: 'a', digests: { gitCommit: 'head' } }] },
      'the gitCommit digest of the subject "a" should be hexadecimal digits, found "head"',
    ],
    ['a predicate that is wrong', { predicateType: 'link', predicate: {} }, 'predicate.name is missing'],
  ])('with %s is not made', (_, more, message) => {
    expect(failureOf(() => encode(more))).toContain(` STATEMENT_INVALID: ${message}`)
  })
})
