import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { encodeBase64 } from '../../../src/encoding/base64.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { encodeHex } from '../../../src/encoding/hex.ts'
import type { Checkpoint } from '../../../src/merkle/checkpoint.ts'
import { encodeCheckpoint, parseCheckpoint } from '../../../src/merkle/checkpoint.ts'
import { failureOf } from './failure.ts'
import { flipBit } from './reference-tree.ts'

const refusal = (message: string) => ({ type: 'DecodingError', code: 'CHECKPOINT_INVALID', message })
const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
const text = `example.com/behind-the-sofa\n20852163\n${root}\n`
const good = parseCheckpoint(text)

const textLine = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).filter((line) => !/\p{Cc}/u.test(line) && line.isWellFormed())
const checkpoints: fc.Arbitrary<Checkpoint> = fc.record({
  origin: textLine,
  size: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  rootHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  extensions: fc.array(textLine, { maxLength: 3 }),
})
const plain = (checkpoint: Checkpoint) => ({ ...checkpoint, rootHash: encodeHex(checkpoint.rootHash) })

describe('a checkpoint', () => {
  it('states origin, tree size and root hash', () => {
    expect(plain(good)).toEqual({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163n,
      rootHash: '0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62',
      extensions: [],
    })
  })

  it('may have an origin with spaces and extension lines, as Rekor v1 writes them', () => {
    const { origin, extensions } = parseCheckpoint(
      `rekor.sigstore.dev - 2605736670972794746\n1\n${root}\nTimestamp: 1689177396617352539\nmore\n`,
    )
    expect(origin).toBe('rekor.sigstore.dev - 2605736670972794746')
    expect(extensions).toEqual(['Timestamp: 1689177396617352539', 'more'])
  })

  it.each([0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n])('can be of size %s', (size) => {
    expect(parseCheckpoint(`log\n${size}\n${root}\n`).size).toBe(size)
  })

  it('is parsed into what it was made from', () => {
    fc.assert(
      fc.property(checkpoints, (checkpoint) => {
        expect(plain(parseCheckpoint(encodeCheckpoint(checkpoint)))).toEqual(plain(checkpoint))
      }),
    )
  })

  it('is refused or another checkpoint when any bit is flipped', () => {
    fc.assert(
      fc.property(checkpoints, fc.nat(), (checkpoint, bit) => {
        const flipped = flipBit(encodeUtf8(encodeCheckpoint(checkpoint)), bit)
        try {
          const parsed = parseCheckpoint(decodeUtf8(flipped, 'text'))
          expect(plain(parsed)).not.toEqual(plain(checkpoint))
          expect(encodeHex(encodeUtf8(encodeCheckpoint(parsed)))).toBe(encodeHex(flipped))
        } catch (error) {
          expect(error).toSatisfy((thrown: { code?: string }) => thrown.code === 'CHECKPOINT_INVALID' || thrown.code === 'ENCODING_INVALID')
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each(['', 'a', 'log\n1', `log\n1\n${root}`])('is refused when it does not end in a newline, as %j', (bad) => {
    expect(failureOf(() => parseCheckpoint(bad))).toEqual(refusal('a checkpoint ends in a newline'))
  })

  it.each([
    ['origin', `20852163\n${root}\n`],
    ['tree size', `log\n${root}\n`],
    ['root hash', 'log\n20852163\n'],
  ])('is refused without its %s', (_, bad) => {
    expect(failureOf(() => parseCheckpoint(bad))).toEqual(
      refusal('a checkpoint has a line each for origin, tree size and root hash, found 2 lines'),
    )
  })

  it('is refused without its size when an extension line makes up for the number of lines', () => {
    expect(failureOf(() => parseCheckpoint(`log\n${root}\nTimestamp: 1\n`))).toEqual(
      refusal(`the tree size of the checkpoint should be a decimal number without leading zeros, found "${root}"`),
    )
  })

  it.each(['', '-1', '+1', '01', '00', '1.0', '1e3', '0x10', ' 1', '1 ', '1_000', '١', '9'.repeat(5000)])(
    'is refused with the tree size %j',
    (size) => {
      const { code, message } = failureOf(() => parseCheckpoint(`log\n${size}\n${root}\n`))
      expect(code).toBe('CHECKPOINT_INVALID')
      expect(message).toMatch(/^the tree size of the checkpoint should be a decimal number without leading zeros, found "/)
      expect(message.length).toBeLessThan(160)
    },
  )

  it.each(['9223372036854775808', '9999999999999999999', '12345678901234567890'])(
    'is refused with the tree size %s, which is above 2^63-1',
    (size) => {
      expect(failureOf(() => parseCheckpoint(`log\n${size}\n${root}\n`))).toEqual(
        refusal(`the tree size of the checkpoint is above the largest possible, 2^63-1: ${size}`),
      )
    },
  )

  it.each(['', root.slice(0, -1), `${root} `, `${root}=`, root.replace('2I=', '2J='), root.replace('/', '_'), 'abc'])(
    'is refused with the root hash %j, which is not canonical base64',
    (bad) => {
      const expected =
        bad === ''
          ? 'the root hash of the checkpoint should have 32 bytes, found 0'
          : `the root hash of the checkpoint should be base64, found ${JSON.stringify(bad)}`
      expect(failureOf(() => parseCheckpoint(`log\n1\n${bad}\n`))).toEqual(refusal(expected))
    },
  )

  it.each([31, 33, 64])('is refused with a root hash of %i bytes, read or written', (length) => {
    const rootHash = new Uint8Array(length)
    const expected = refusal(`the root hash of the checkpoint should have 32 bytes, found ${length}`)
    expect(failureOf(() => parseCheckpoint(`log\n1\n${encodeBase64(rootHash)}\n`))).toEqual(expected)
    expect(failureOf(() => encodeCheckpoint({ ...good, rootHash }))).toEqual(expected)
  })

  it('is refused with an empty origin, read or written', () => {
    const expected = refusal('the origin of the checkpoint is empty')
    expect(failureOf(() => parseCheckpoint(`\n1\n${root}\n`))).toEqual(expected)
    expect(failureOf(() => encodeCheckpoint({ ...good, origin: '' }))).toEqual(expected)
  })

  it('is refused with an empty extension line, read or written', () => {
    const expected = refusal('an extension line of the checkpoint is empty')
    expect(failureOf(() => parseCheckpoint(`${text}\n`))).toEqual(expected)
    expect(failureOf(() => parseCheckpoint(`${text}a\n\nb\n`))).toEqual(expected)
    expect(failureOf(() => encodeCheckpoint({ ...good, extensions: ['a', ''] }))).toEqual(expected)
  })

  it('is refused with carriage returns', () => {
    expect(failureOf(() => parseCheckpoint(text.replaceAll('\n', '\r\n')))).toEqual(
      refusal('the origin of the checkpoint holds a control character: "example.com/behind-the-sofa\\r"'),
    )
  })

  it.each(['a\nb', 'a\tb', '\u0000', 'a\r'])('is not written with the line %j', (bad) => {
    expect(failureOf(() => encodeCheckpoint({ ...good, origin: bad }))).toEqual(
      refusal(`the origin of the checkpoint holds a control character: ${JSON.stringify(bad)}`),
    )
    expect(failureOf(() => encodeCheckpoint({ ...good, extensions: [bad] }))).toEqual(
      refusal(`an extension line of the checkpoint holds a control character: ${JSON.stringify(bad)}`),
    )
  })

  it('is refused with a lone surrogate, read or written', () => {
    const expected = refusal('the origin of the checkpoint is not well-formed Unicode: "\\ud800"')
    expect(failureOf(() => parseCheckpoint(`\ud800\n1\n${root}\n`))).toEqual(expected)
    expect(failureOf(() => encodeCheckpoint({ ...good, origin: '\ud800' }))).toEqual(expected)
  })

  it.each([-1n, 2n ** 63n])('is not written with the size %s', (size) => {
    expect(failureOf(() => encodeCheckpoint({ ...good, size }))).toEqual(
      refusal('the tree size of the checkpoint lies between 0 and 2^63-1'),
    )
  })
})
