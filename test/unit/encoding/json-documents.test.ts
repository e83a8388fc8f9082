import { describe, expect, it } from 'vitest'
import { splitJsonObjects } from '../../../src/encoding/json-documents.ts'

const split = (text: string): string[] =>
  splitJsonObjects(Buffer.from(text), 'the file').map((document) => Buffer.from(document).toString())

describe('JSON objects that follow each other', () => {
  it.each([
    ['', []],
    [' \r\n', []],
    ['{}', ['{}']],
    ['{}{}', ['{}', '{}']],
    ['{"a":{"b":1}}\n\n{"c":[{}]}\n', ['{"a":{"b":1}}', '{"c":[{}]}']],
    ['{"a":"}{\\""}{"b":"\\\\"}', ['{"a":"}{\\""}', '{"b":"\\\\"}']],
    ['\uFEFF{"ü":"€"}', ['{"ü":"€"}']],
  ])('in %j are %j', (text, expected) => {
    expect(split(text)).toEqual(expected)
  })

  it.each([
    ['[{}]', 'the file should hold JSON objects, one after the other'],
    ['{},{}', 'the file should hold JSON objects, one after the other'],
    ['{"a":1', 'the file ends within a JSON object'],
    ['{"a":"}', 'the file ends within a JSON object'],
    ['{}'.repeat(10_001), 'the file holds more than 10000 JSON objects'],
  ])('are refused in %.40j', (text, message) => {
    expect(() => split(text)).toThrow(message)
  })
})
