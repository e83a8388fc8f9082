import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checkContent, checkedContent, contentDigest, isDigest } from '../../../src/oci/digest.ts'

const bytes = Buffer.from('hello')

async function* once(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0
  for await (const chunk of chunks) length += chunk.length
  return length
}

describe('a digest', () => {
  it('is of an algorithm that is worth trusting, in lower-case hex of its length', () => {
    for (const [algorithm, length] of [
      ['sha256', 64],
      ['sha384', 96],
      ['sha512', 128],
    ] as const) {
      expect(isDigest(`${algorithm}:${'a'.repeat(length)}`)).toBe(true)
      expect(isDigest(`${algorithm}:${'a'.repeat(length - 1)}`)).toBe(false)
      expect(isDigest(`${algorithm}:${'A'.repeat(length)}`)).toBe(false)
    }
    for (const text of [
      '',
      ':',
      'sha256',
      'sha256:',
      `sha1:${'a'.repeat(40)}`,
      `md5:${'a'.repeat(32)}`,
      ` sha256:${'a'.repeat(64)}`,
      `sha256:${'a'.repeat(64)}\n`,
    ])
      expect(isDigest(text)).toBe(false)
  })
})

describe('content', () => {
  it.each(['sha256', 'sha384', 'sha512'])('must have its digest in %s', (algorithm) => {
    const right = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
    const wrong = `${algorithm}:${createHash(algorithm).update('hellp').digest('hex')}`
    expect(checkContent(bytes, right, 'x')).toBe(bytes)
    expect(() => checkContent(bytes, wrong, 'x')).toThrow(expect.objectContaining({ code: 'CONTENT_MISMATCH' }))
    expect(() => checkContent(bytes, 'sha1:00', 'x')).toThrow(expect.objectContaining({ code: 'CONTENT_MISMATCH' }))
  })

  it('in pieces must have its digest and its size', async () => {
    const digest = contentDigest(bytes)
    expect(await drain(checkedContent(once(bytes.subarray(0, 2), bytes.subarray(2)), { digest, size: 5 }, 'x'))).toBe(5)
    for (const [chunks, size] of [
      [[bytes], 4],
      [[bytes], 6],
      [[bytes, bytes], 10],
      [[bytes.subarray(1)], 4],
      [[], 0],
    ] as const) {
      await expect(drain(checkedContent(once(...chunks), { digest, size }, 'x'))).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
    }
  })

  it('that is more than it should be is refused before the rest of it arrives', async () => {
    let sent = 0
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent++
        yield await Promise.resolve(Buffer.alloc(1000))
      }
    }
    await expect(drain(checkedContent(endless(), { digest: contentDigest(bytes), size: 2500 }, 'x'))).rejects.toThrow(
      'more than the 2500 bytes',
    )
    expect(sent).toBe(3)
  })
})
