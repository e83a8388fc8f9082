import { afterEach, describe, expect, it, vi } from 'vitest'
import { readBody } from '../../../../src/server/request/body.ts'

const mebibyte = 1024 * 1024

function post(body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Request {
  return new Request('http://localhost/', { method: 'POST', body, headers, duplex: 'half' })
}

/** A client that has sent so many bytes, and sends no more until it is told to end. */
function slowBody(bytes: number): { readonly body: ReadableStream<Uint8Array>; end(): void } {
  let end = (): void => {}
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (let sent = 0; sent < bytes; sent += mebibyte) controller.enqueue(new Uint8Array(mebibyte))
      end = () => controller.close()
    },
  })
  return { body, end: () => end() }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('bodies that are being received', () => {
  it('take a bounded amount of memory together: further large ones are refused, small ones are not', async () => {
    const slow = Array.from({ length: 64 }, () => slowBody(4 * mebibyte))
    const reading = slow.map(({ body }) => readBody(post(body, { 'content-length': String(4 * mebibyte) }), 4 * mebibyte))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await expect(readBody(post(slowBody(mebibyte).body), 4 * mebibyte)).rejects.toMatchObject({ code: 'LOG_OVERLOADED' })
    expect(await readBody(post(new Uint8Array(5), { 'content-length': '5' }), 4 * mebibyte)).toHaveLength(5)
    for (const { end } of slow) end()
    expect((await Promise.all(reading)).every(({ length }) => length === 4 * mebibyte)).toBe(true)
    expect(await readBody(post(new Uint8Array(mebibyte)), 4 * mebibyte)).toHaveLength(mebibyte)
  })

  it('make room for others after five seconds, the oldest first', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const slow = Array.from({ length: 64 }, () => slowBody(4 * mebibyte))
    const reading = slow.map(({ body }) => readBody(post(body), 4 * mebibyte))
    const ends = Promise.allSettled(reading)
    await new Promise((resolve) => setTimeout(resolve, 50))
    vi.advanceTimersByTime(4_999)
    await expect(readBody(post(slowBody(mebibyte).body), 4 * mebibyte)).rejects.toMatchObject({ code: 'LOG_OVERLOADED' })
    vi.advanceTimersByTime(1)
    for (let other = 0; other < 100; other++) {
      expect(await readBody(post(new Uint8Array(mebibyte)), 4 * mebibyte)).toHaveLength(mebibyte)
    }
    for (const { end } of slow) end()
    const [first, ...others] = await ends
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'LOG_OVERLOADED' } })
    expect(others.every(({ status }) => status === 'fulfilled')).toBe(true)
  })

  it('that were too large do not count any more', async () => {
    for (let round = 0; round < 100; round++) {
      await expect(readBody(post(slowBody(4 * mebibyte).body), 3 * mebibyte)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    }
    expect(await readBody(post(new Uint8Array(mebibyte)), 4 * mebibyte)).toHaveLength(mebibyte)
  })

  it('that end early are the mistake of the client, not of the server', async () => {
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('aborted')) })
    await expect(readBody(post(broken), 10)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  })
})
