import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonFields } from '../../../src/encoding/json-fields.ts'
import type { JsonValue } from '../../../src/encoding/json.ts'
import { parseJson } from '../../../src/encoding/json.ts'
import { failureOf } from './failure.ts'

const fields = (text: string): JsonFields => new JsonFields(parseJson(text, 'x', { integers: 'exact' }), 'bundle', 'BUNDLE_INVALID')
const refusal = (text: string, read: (object: JsonFields) => unknown): string => failureOf(() => read(fields(text)))
const invalid = (reason: string): string => `DecodingError BUNDLE_INVALID: ${reason}`

/** Values of every kind, as text, and what a message calls them. */
const kinds: Readonly<Record<string, readonly [text: string, name: string]>> = {
  null: ['null', 'null'],
  boolean: ['true', 'true'],
  number: ['1.5', '1.5'],
  bigint: ['1'.repeat(900), 'an integer beyond ±(2^53 - 1)'],
  string: ['"abc"', 'the string "abc"'],
  array: ['[1]', 'an array'],
  object: ['{"a":1}', 'an object'],
}

describe('the fields of an object', () => {
  it.each(Object.entries(kinds).filter(([kind]) => kind !== 'object'))('cannot be read of a value of the kind %s', (_, [text, name]) => {
    expect(failureOf(() => fields(text))).toBe(invalid(`bundle should be an object, found ${name}`))
  })

  it('cannot be read of nothing', () => {
    expect(failureOf(() => new JsonFields(undefined, 'bundle.a', 'BUNDLE_INVALID'))).toBe(
      invalid('bundle.a should be an object, found nothing'),
    )
  })

  it('have paths that say where they are', () => {
    const inner = fields('{"a":{"b":[{"c":1},{"c":2}]}}').object('a')
    expect(inner.path).toBe('bundle.a')
    expect(inner.pathOf('b')).toBe('bundle.a.b')
    expect(inner.objects('b', 2).map(({ path }) => path)).toEqual(['bundle.a.b[0]', 'bundle.a.b[1]'])
    expect(failureOf(() => inner.objects('b', 2)[1]?.string('c'))).toBe(invalid('bundle.a.b[1].c should be a string, found 2'))
    expect(failureOf(() => inner.objects('b', 2)[1]?.string('d'))).toBe(invalid('bundle.a.b[1].d is missing'))
  })

  it('are not those of Object.prototype', () => {
    const object = fields('{"a":1}')
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(object.has(name)).toBe(false)
      expect(object.raw(name)).toBeUndefined()
      expect(failureOf(() => object.string(name))).toBe(invalid(`bundle.${name} is missing`))
    }
    expect(fields('{"__proto__":"a"}').string('__proto__')).toBe('a')
  })

  it('that are null are as absent', () => {
    const object = fields('{"a":null,"b":false,"c":0,"d":""}')
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => object.has(name))).toEqual([false, true, true, true, false])
    expect(object.entries()).toEqual([
      ['b', false],
      ['c', 0],
      ['d', ''],
    ])
    expect(object.raw('a')).toBeUndefined()
    expect(object.optionalString('a')).toBeUndefined()
    expect(object.optionalBoolean('a')).toBeUndefined()
    expect(object.optionalBytes('a')).toBeUndefined()
    expect(object.optionalInt64('a')).toBeUndefined()
    expect(object.optionalObject('a')).toBeUndefined()
    expect(object.array('a', 1)).toEqual([])
  })

  it.each([
    ['string', (object: JsonFields) => object.string('a')],
    ['bytes', (object: JsonFields) => object.bytes('a')],
    ['int64', (object: JsonFields) => object.int64('a')],
    ['object', (object: JsonFields) => object.object('a')],
  ])('that must be there are missed by %s, absent or null', (_, read) => {
    expect(refusal('{}', read)).toBe(invalid('bundle.a is missing'))
    expect(refusal('{"a":null}', read)).toBe(invalid('bundle.a is missing'))
  })

  const readers: readonly (readonly [expected: string, kinds: readonly string[], read: (object: JsonFields) => unknown])[] = [
    ['a string', ['string'], (object) => object.optionalString('a')],
    ['a string', ['string'], (object) => object.string('a')],
    ['true or false', ['boolean'], (object) => object.optionalBoolean('a')],
    ['a string', ['string'], (object) => object.optionalBytes('a')],
    ['a 64-bit integer', [], (object) => object.int64('a')],
    ['an object', ['object'], (object) => object.object('a')],
    ['an array', ['array'], (object) => object.array('a', 9)],
    ['an array', ['array'], (object) => object.objects('a', 9)],
  ]
  for (const [expected, taken, read] of readers) {
    it.each(Object.keys(kinds).filter((kind) => kind !== 'null' && !taken.includes(kind)))(
      `that should be ${expected} are refused as a value of the kind %s`,
      (kind) => {
        const [text, name] = kinds[kind] ?? ['', '']
        expect(refusal(`{"a":${text}}`, read)).toBe(invalid(`bundle.a should be ${expected}, found ${name}`))
      },
    )
  }

  it('that are unknown are refused where that is asked for', () => {
    expect(fields('{"a":1,"b":null}').only('a', 'b', 'c').has('a')).toBe(true)
    expect(refusal('{"a":1,"A":1}', (object) => object.only('a'))).toBe(invalid('bundle has an unknown field "A"'))
    expect(refusal('{"a":null}', (object) => object.only())).toBe(invalid('bundle has an unknown field "a"'))
    expect(refusal(`{"${'x'.repeat(9999)}":1}`, (object) => object.only('a'))).toBe(
      invalid(`bundle has an unknown field "${'x'.repeat(60)}…"`),
    )
  })

  it('are quoted in part only', () => {
    expect(refusal(`{"a":"${'x'.repeat(100_000)}"}`, (object) => object.object('a'))).toBe(
      invalid(`bundle.a should be an object, found the string "${'x'.repeat(30)}…"`),
    )
  })

  it('are wrong with the code of their format, and the cause', () => {
    const cause = new Error('why')
    const error = fields('{}').invalid('that is wrong', cause)
    expect(error).toMatchObject({ name: 'DecodingError', code: 'BUNDLE_INVALID', message: 'that is wrong', cause })
    expect(failureOf(() => new JsonFields(null, 'statement', 'STATEMENT_INVALID'))).toMatch(/^DecodingError STATEMENT_INVALID: statement /)
  })
})

describe('bytes', () => {
  it('are base64, and nothing when empty', () => {
    expect(Uint8Array.from(fields('{"a":"Zm9v"}').bytes('a'))).toEqual(Uint8Array.of(0x66, 0x6f, 0x6f))
    expect(fields('{"a":""}').optionalBytes('a')).toBeUndefined()
    expect(refusal('{"a":""}', (object) => object.bytes('a'))).toBe(invalid('bundle.a is missing'))
  })

  it.each(['Zg', 'Zm9v\\n', 'Zh==', '-_8=', ' '])('are not "%s"', (text) => {
    expect(refusal(`{"a":"${text}"}`, (object) => object.bytes('a'))).toBe(
      invalid(`bundle.a is not standard base64 with padding, found "${text}"`),
    )
  })

  it('have the base64 error as the cause', () => {
    const thrown = (): unknown => {
      try {
        return fields('{}').decodeBase64('!', 'a')
      } catch (error) {
        return error
      }
    }
    expect(thrown()).toMatchObject({ code: 'BUNDLE_INVALID', cause: { code: 'ENCODING_INVALID' } })
  })
})

describe('a 64-bit integer', () => {
  it.each([
    ['0', 0n],
    ['-1', -1n],
    ['-0', 0n],
    ['1e3', 1000n],
    ['1.0', 1n],
    ['9007199254740991', 2n ** 53n - 1n],
    ['9007199254740993', 2n ** 53n + 1n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['"0"', 0n],
    ['"-1"', -1n],
    ['"9223372036854775807"', 2n ** 63n - 1n],
    ['"-9223372036854775808"', -(2n ** 63n)],
  ])('may be %s', (text, value) => {
    expect(fields(`{"a":${text}}`).int64('a')).toBe(value)
  })

  it.each([
    ['a fraction', '0.5', '0.5'],
    ['a fraction as text', '"0.5"', 'the string "0.5"'],
    ['2^63', '9223372036854775808', 'an integer beyond ±(2^53 - 1)'],
    ['-2^63 - 1', '-9223372036854775809', 'an integer beyond ±(2^53 - 1)'],
    ['2^63 as text', '"9223372036854775808"', 'the string "9223372036854775808"'],
    ['-2^63 - 1 as text', '"-9223372036854775809"', 'the string "-9223372036854775809"'],
    ['twenty digits', '"10000000000000000000"', 'the string "10000000000000000000"'],
    ['a double of 2^53', '9007199254740992.0', '9007199254740992'],
    ['empty text', '""', 'the string ""'],
    ['a blank', '" 1"', 'the string " 1"'],
    ['a newline at the end', '"1\\n"', 'the string "1\\n"'],
    ['a leading zero', '"01"', 'the string "01"'],
    ['a negative zero as text', '"-0"', 'the string "-0"'],
    ['a plus sign', '"+1"', 'the string "+1"'],
    ['an exponent as text', '"1e3"', 'the string "1e3"'],
    ['hexadecimal', '"0x10"', 'the string "0x10"'],
    ['digits of another script', '"\u0661"', 'the string "\u0661"'],
    ['true', 'true', 'true'],
  ])('may not be %s', (_, text, found) => {
    expect(refusal(`{"a":${text}}`, (object) => object.int64('a'))).toBe(invalid(`bundle.a should be a 64-bit integer, found ${found}`))
  })

  it('is the same as a number and as text', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(fields(`{"a":${value}}`).int64('a')).toBe(value)
        expect(fields(`{"a":"${value}"}`).int64('a')).toBe(value)
      }),
    )
  })
})

describe('an array', () => {
  it('is empty when absent, and has a limit', () => {
    expect(fields('{}').array('a', 0)).toEqual([])
    expect(fields('{"a":[1,null,"b"]}').array('a', 3)).toEqual([1, null, 'b'])
    expect(refusal('{"a":[1,2,3]}', (object) => object.array('a', 2))).toBe(invalid('bundle.a has 3 elements, more than the limit of 2'))
    expect(refusal('{"a":[{},{}]}', (object) => object.objects('a', 1))).toBe(invalid('bundle.a has 2 elements, more than the limit of 1'))
  })

  it.each([
    ['null', 'null'],
    ['[]', 'an array'],
    ['"b"', 'the string "b"'],
  ])('of objects may not hold %s', (text, found) => {
    expect(refusal(`{"a":[{},${text}]}`, (object) => object.objects('a', 9))).toBe(
      invalid(`bundle.a[1] should be an object, found ${found}`),
    )
  })
})

describe('any value', () => {
  it('is read by one reader of its kind, and refused by the others', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 1 }), (value) => {
        const object = new JsonFields({ a: value as JsonValue }, 'x', 'BUNDLE_INVALID')
        const reads = [
          () => object.optionalString('a'),
          () => object.optionalBoolean('a'),
          () => object.optionalInt64('a'),
          () => object.optionalObject('a'),
          () => object.array('a', 1000),
        ]
        const taken = reads.filter((read) => {
          try {
            read()
            return true
          } catch (error) {
            expect(error).toMatchObject({ name: 'DecodingError', code: 'BUNDLE_INVALID' })
            return false
          }
        })
        const isIntegerText = typeof value === 'string' && /^(?:0|-?[1-9][0-9]{0,17})$/.test(value)
        if (value === null) expect(taken).toHaveLength(5)
        else if (typeof value === 'number') expect(taken).toHaveLength(Number.isSafeInteger(value) ? 1 : 0)
        else expect(taken).toHaveLength(isIntegerText ? 2 : 1)
      }),
    )
  })
})
