/** Systematic mutations of a bundle's JSON, each with a name, in a deterministic order. */
import type { Json } from './sign.ts'

/** One mutation of a bundle. */
export interface Mutation {
  /** Path and what was done to it. */
  readonly name: string
  /** Differs from the bundle it was made of in this one place; in two when they were swapped. */
  readonly bundle: Json
}

type Path = readonly (string | number)[]
type Change = readonly [what: string, replacement: unknown]

/**
 * Every mutation of every place, a few for each: bits flipped in base64, texts and numbers changed, lines, members and
 * elements dropped, repeated and reordered, types changed, two places of one type swapped.
 * @param seed picks which bits are flipped and what is swapped
 * @param other a bundle whose parts are put in the place of this one's, each by itself
 */
export function* mutationsOf(bundle: Json, seed = 1, other?: Json): Generator<Mutation> {
  const random = generator(seed)
  const places = pathsOf(bundle, [])
  for (const path of places) {
    yield { name: `${path.join('.')}: dropped`, bundle: removed(bundle, path) }
    const value = at(bundle, path)
    for (const [what, replacement] of changesOf(value, random)) {
      if (same(value, replacement)) continue
      yield { name: `${path.join('.')}: ${what}`, bundle: replaced(bundle, path, replacement) }
    }
  }
  yield* swapsOf(bundle, places, random)
  if (other !== undefined) yield* graftsOf(bundle, other, places)
}

/** Swaps each text with one other of its type. */
function* swapsOf(bundle: Json, places: readonly Path[], random: () => number): Generator<Mutation> {
  const texts = places.map((path) => ({ path, value: at(bundle, path) })).filter(({ value }) => typeof value === 'string')
  for (const { path, value } of texts) {
    const partners = texts.filter((text) => typeOf(text.value) === typeOf(value) && text.value !== value)
    const partner = partners[Math.floor(random() * partners.length)]
    if (partner === undefined) continue
    yield {
      name: `${path.join('.')}: swapped with ${partner.path.join('.')}`,
      bundle: replaced(replaced(bundle, path, partner.value), partner.path, value),
    }
  }
}

/** Puts another bundle's value in each place that both have. */
function* graftsOf(bundle: Json, other: Json, places: readonly Path[]): Generator<Mutation> {
  for (const path of places) {
    const graft = at(other, path)
    if (graft === undefined || same(graft, at(bundle, path))) continue
    yield { name: `${path.join('.')}: another bundle's`, bundle: replaced(bundle, path, graft) }
  }
}

function* changesOf(value: unknown, random: () => number): Generator<Change> {
  yield ['null', null]
  if (typeof value === 'string') yield* changesOfText(value, random)
  else if (Array.isArray(value)) yield* changesOfArray(value)
  else if (isJson(value)) {
    yield ['an unknown member added', { ...value, surprise: 1 }]
    yield ['emptied', {}]
    yield ['an array', [value]]
  }
}

function* changesOfText(text: string, random: () => number): Generator<Change> {
  yield ['emptied', '']
  yield ['a character added', `${text}A`]
  yield ['a space added', `${text} `]
  yield ['a number', 7]
  const type = typeOf(text)
  if (type === 'integer') {
    yield ['one more', String(BigInt(text) + 1n)]
    yield ['negative', `-${text}`]
    yield ['a leading zero', `0${text}`]
    yield ['beyond 64 bits', '18446744073709551616']
  } else if (type === 'base64') {
    yield* changesOfBase64(text, random)
  } else {
    const place = Math.floor(random() * text.length)
    yield [`character ${place} changed`, `${text.slice(0, place)}~${text.slice(place + 1)}`]
    if (text.includes('\n')) yield* changesOfLines(text.split('\n'))
  }
}

function* changesOfBase64(text: string, random: () => number): Generator<Change> {
  const bytes = Buffer.from(text, 'base64')
  const places = [0, random() * bytes.length, random() * bytes.length, bytes.length - 1].map(Math.floor)
  for (const place of places) {
    const flipped = Buffer.from(bytes)
    flipped[place] = (flipped[place] ?? 0) ^ (1 << Math.floor(random() * 8))
    yield [`a bit of byte ${place} flipped`, flipped.toString('base64')]
  }
  yield ['cut by a byte', bytes.subarray(0, -1).toString('base64')]
  yield ['a byte added', Buffer.concat([bytes, Buffer.of(0)]).toString('base64')]
  yield ['without padding', text.replace(/=+$/, '')]
  yield ['in the URL alphabet', text.replaceAll('+', '-').replaceAll('/', '_')]
  yield ['with a line break', `${text.slice(0, 4)}\n${text.slice(4)}`]
}

function* changesOfLines(lines: readonly string[]): Generator<Change> {
  for (const [at, line] of lines.entries()) {
    if (line === '') continue
    yield [`line ${at} dropped`, lines.toSpliced(at, 1).join('\n')]
    yield [`line ${at} repeated`, lines.toSpliced(at, 0, line).join('\n')]
  }
  yield ['with carriage returns', lines.join('\r\n')]
}

function* changesOfArray(value: readonly unknown[]): Generator<Change> {
  yield ['emptied', []]
  yield ['an object', {}]
  if (value.length > 0) yield ['first repeated', [value[0], ...value]]
  if (value.length > 1) yield ['reversed', value.toReversed()]
  if (value.length > 1) yield ['last dropped', value.slice(0, -1)]
}

function typeOf(value: unknown): 'integer' | 'base64' | 'text' | undefined {
  if (typeof value !== 'string') return undefined
  if (/^\d+$/.test(value)) return 'integer'
  return value.length >= 8 && Buffer.from(value, 'base64').toString('base64') === value ? 'base64' : 'text'
}

function pathsOf(value: unknown, path: Path): Path[] {
  const here = path.length === 0 ? [] : [path]
  if (typeof value !== 'object' || value === null) return here
  const keys: readonly (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  return [...here, ...keys.flatMap((key) => pathsOf(at(value, [key]), [...path, key]))]
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (isJson(inner) ? inner[key] : undefined), value)
}

function replaced(bundle: Json, path: Path, replacement: unknown): Json {
  return edited(bundle, path, (parent, key) => {
    parent[key] = replacement
  })
}

function removed(bundle: Json, path: Path): Json {
  return edited(bundle, path, (parent, key) => {
    if (Array.isArray(parent)) parent.splice(Number(key), 1)
    else delete parent[key]
  })
}

function edited(bundle: Json, path: Path, edit: (parent: Json, key: string) => void): Json {
  const copy = structuredClone(bundle)
  const parent = at(copy, path.slice(0, -1))
  if (!isJson(parent)) throw new Error(`no object holds ${path.join('.')}`)
  edit(parent, String(path.at(-1)))
  return copy
}

function same(value: unknown, other: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(other)
}

/** Whether it has members; those of an array go by their indices. */
function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
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
