import { expect, test } from 'vitest'
import { createBoundedCache } from '../../../../src/server/tile-log/bounded-cache.ts'

test('what was not used for longest is forgotten first', () => {
  const cache = createBoundedCache<string>(3)
  for (const key of ['a', 'b', 'c']) cache.set(key, key, 1)
  cache.get('a')
  cache.set('d', 'd', 1)
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual(['a', undefined, 'c', 'd'])
})

test('values take the room that they are said to take', () => {
  const cache = createBoundedCache<string>(10)
  cache.set('a', 'a', 4)
  cache.set('b', 'b', 4)
  cache.set('c', 'c', 6)
  expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([undefined, 'b', 'c'])
})

test('a value that replaces another takes its room', () => {
  const cache = createBoundedCache<string>(10)
  for (let round = 0; round < 100; round++) cache.set('a', String(round), 9)
  cache.set('b', 'b', 1)
  expect([cache.get('a'), cache.get('b')]).toEqual(['99', 'b'])
})

test('what is larger than the cache is not kept, and drives nothing out', () => {
  const cache = createBoundedCache<string>(3)
  cache.set('a', 'a', 1)
  cache.set('b', 'b', 4)
  expect([cache.get('a'), cache.get('b')]).toEqual(['a', undefined])
})
