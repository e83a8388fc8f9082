import { expect, test } from 'vitest'
import type { TermIndex } from '../../src/server/storage/term-index.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withStorage } from '../support/storages.ts'

describeEachStorage((kind) => {
  async function withTerms(use: (terms: TermIndex) => Promise<void>): Promise<void> {
    await withStorage(await kind.newLocation(), ({ terms }) => use(terms))
  }

  test('a new log is indexed up to 0', () =>
    withTerms(async (terms) => {
      expect(await terms.position('rekor')).toBe(0n)
      expect(await terms.find('rekor', 'email:a@example.com', 10)).toEqual([])
    }))

  test('entries are found by their terms, newest first and no more than asked for', () =>
    withTerms(async (terms) => {
      const entries = [3n, 4n, 5n].map((index) => ({ index, terms: ['email:a@example.com', `sha256:${index}`] }))
      await terms.add('rekor', entries, 6n)
      expect(await terms.find('rekor', 'email:a@example.com', 2)).toEqual([5n, 4n])
      expect(await terms.find('rekor', 'sha256:3', 2)).toEqual([3n])
      expect(await terms.position('rekor')).toBe(6n)
    }))

  test('adding an entry again changes nothing', () =>
    withTerms(async (terms) => {
      const entries = [{ index: 0n, terms: ['a', 'b', 'a'] }]
      await terms.add('rekor', entries, 1n)
      await terms.add('rekor', entries, 1n)
      expect(await terms.find('rekor', 'a', 10)).toEqual([0n])
    }))

  test('entries without terms move the position too', () =>
    withTerms(async (terms) => {
      await terms.add('rekor', [{ index: 0n, terms: [] }], 1n)
      await terms.add('rekor', [], 5n)
      expect(await terms.position('rekor')).toBe(5n)
    }))

  test('many entries at once are all found', () =>
    withTerms(async (terms) => {
      const entries = Array.from({ length: 2_000 }, (_, index) => ({ index: BigInt(index), terms: ['all', `one:${index}`, "it's"] }))
      await terms.add('rekor', entries, 2_000n)
      expect(await terms.find('rekor', "it's", 5_000)).toHaveLength(2_000)
      expect(await terms.find('rekor', 'one:1999', 5)).toEqual([1_999n])
    }))

  test('a term that is too long is refused, and nothing of its batch is added', () =>
    withTerms(async (terms) => {
      const entries = [{ index: 0n, terms: ['a', 'ä'.repeat(257)] }]
      await expect(terms.add('rekor', entries, 1n)).rejects.toMatchObject({ code: 'USAGE' })
      expect(await terms.find('rekor', 'a', 1)).toEqual([])
      expect(await terms.position('rekor')).toBe(0n)
    }))

  test('forgetting a log leaves others alone', () =>
    withTerms(async (terms) => {
      await terms.add('one', [{ index: 1n, terms: ['a'] }], 2n)
      await terms.add('two', [{ index: 7n, terms: ['a'] }], 8n)
      await terms.reset('one')
      expect(await terms.find('one', 'a', 1)).toEqual([])
      expect(await terms.position('one')).toBe(0n)
      expect(await terms.find('two', 'a', 1)).toEqual([7n])
    }))
})
