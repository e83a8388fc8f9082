/** Systematic mutations of a bundle's JSON, each with a name, in a deterministic order. */
import type { Json } from './universe.ts'

export interface Mutation {
  /** Path and what was done to it. */
  readonly name: string
  readonly bundle: Json
}

type Path = readonly (string | number)[]

/**
 * Every mutation of every place, a few for each: bits flipped in base64, texts and numbers changed, members dropped,
 * added and renamed, elements dropped, repeated and reordered.
 * @param seed picks which bits are flipped
 */
export function* mutationsOf(bundle: Json, seed = 1): Generator<Mutation> {
  const random = generator(seed)
  for (const path of pathsOf(bundle, [])) yield* mutationsAt(bundle, path, random)
}

function* mutationsAt(bundle: Json, path: Path, random: () => number): Generator<Mutation> {
  const value = at(bundle, path)
  const where = path.join('.')
  const put = (what: string, replacement: unknown): Mutation => ({ name: `${where}: ${what}`, bundle: replaced(bundle, path, replacement) })
  yield { name: `${where}: dropped`, bundle: removed(bundle, path) }
  yield put('null', null)
  if (typeof value === 'string') {
    yield put('emptied', '')
    yield put('a character added', `${value}A`)
    if (isBase64(value)) {
      const bytes = Buffer.from(value, 'base64')
      for (const place of [0, random() * bytes.length, random() * bytes.length, bytes.length - 1].map(Math.floor)) {
        const flipped = Buffer.from(bytes)
        flipped[place] = (flipped[place] ?? 0) ^ (1 << Math.floor(random() * 8))
        yield put(`a bit of byte ${place} flipped`, flipped.toString('base64'))
      }
      yield put('cut by a byte', bytes.subarray(0, -1).toString('base64'))
      yield put('a byte added', Buffer.concat([bytes, Buffer.of(0)]).toString('base64'))
      yield put('without padding', `${value.replace(/=+$/, '')} `)
    } else if (/^\d+$/.test(value)) {
      yield put('one more', String(BigInt(value) + 1n))
      yield put('negative', `-${value}`)
      yield put('a leading zero', `0${value}`)
      yield put('beyond 64 bits', '18446744073709551616')
    } else {
      const place = Math.floor(random() * value.length)
      yield put(`character ${place} changed`, `${value.slice(0, place)}~${value.slice(place + 1)}`)
      yield put('first line dropped', value.slice(value.indexOf('\n') + 1))
    }
    yield put('a number', 7)
  } else if (Array.isArray(value)) {
    yield put('emptied', [])
    if (value.length > 0) yield put('first repeated', [value[0], ...value])
    if (value.length > 1) yield put('reversed', value.toReversed())
    if (value.length > 1) yield put('last dropped', value.slice(0, -1))
    yield put('an object', {})
  } else if (typeof value === 'object' && value !== null) {
    yield put('an unknown member added', { ...value, surprise: 1 })
    yield put('emptied', {})
    yield put('an array', [value])
  }
}

function pathsOf(value: unknown, path: Path): Path[] {
  const here = path.length === 0 ? [] : [path]
  if (typeof value !== 'object' || value === null) return here
  return [
    ...here,
    ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, Array.isArray(value) ? Number(key) : key])),
  ]
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Json)[key], value)
}

function replaced(bundle: Json, path: Path, replacement: unknown): Json {
  const copy = structuredClone(bundle)
  const parent = at(copy, path.slice(0, -1)) as Json
  parent[String(path.at(-1))] = replacement
  return copy
}

function removed(bundle: Json, path: Path): Json {
  const copy = structuredClone(bundle)
  const parent = at(copy, path.slice(0, -1))
  const key = path.at(-1)
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete (parent as Json)[String(key)]
  return copy
}

function isBase64(text: string): boolean {
  return text.length >= 8 && Buffer.from(text, 'base64').toString('base64') === text && !/^\d+$/.test(text)
}

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
