/** Several things at the same time, told of in order. */
import { describe, expect, it } from 'vitest'
import { sideBySide } from '../../../../src/cli/signing/side-by-side.ts'

const { signal } = new AbortController()
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('side by side', () => {
  it('no more run at a time than may, and all are told of in order', async () => {
    let running = 0
    let most = 0
    const told: number[] = []
    const items = [5, 1, 4, 1, 3, 1, 2]
    await sideBySide(items, {
      limit: 3,
      signal,
      run: async (item) => {
        most = Math.max(most, ++running)
        await pause(item * 5)
        running--
        return item * 10
      },
      done: (_, result) => void told.push(result),
    })
    expect(most).toBe(3)
    expect(told).toEqual(items.map((item) => item * 10))
  })

  it('a failure stops what runs, begins nothing more, and is what is thrown', async () => {
    const begun: number[] = []
    const stopped: number[] = []
    const told: number[] = []
    const running = sideBySide([0, 1, 2, 3, 4, 5], {
      limit: 3,
      signal,
      run: async (item, signal) => {
        begun.push(item)
        if (item === 0) return
        if (item === 1) throw new Error('the second fails')
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        stopped.push(item)
        throw new Error('stopped')
      },
      done: (item) => void told.push(item),
    })
    await expect(running).rejects.toThrow('the second fails')
    expect(told).toEqual([0])
    expect(begun.length).toBeLessThan(6)
    expect(stopped).toEqual(begun.filter((item) => item > 1))
  })

  it('a failure of one alone is told of in its turn, and the others go on', async () => {
    const told: string[] = []
    await sideBySide([0, 1, 2, 3], {
      limit: 2,
      signal,
      run: async (item) => {
        await pause(item * 3)
        if (item === 1) throw new Error('of one alone')
        return item
      },
      done: (_, result) => void told.push(`done ${result}`),
      tolerates: (error) => error instanceof Error && error.message === 'of one alone',
      failed: (item) => void told.push(`failed ${item}`),
    })
    expect(told).toEqual(['done 0', 'failed 1', 'done 2', 'done 3'])
  })

  it('what was finished behind one that fails is told of, too', async () => {
    const told: number[] = []
    const running = sideBySide([0, 1, 2], {
      limit: 3,
      signal,
      run: async (item) => {
        await pause(item === 0 ? 40 : 1)
        if (item === 0) throw new Error('the first fails')
      },
      done: (item) => void told.push(item),
    })
    await expect(running).rejects.toThrow('the first fails')
    expect(told).toEqual([1, 2])
  })

  it('an abort is heard at once: what was finished is told of, and nothing is begun any more', async () => {
    const interruption = new AbortController()
    const [begun, told]: [number[], number[]] = [[], []]
    const running = sideBySide([0, 1, 2, 3], {
      limit: 2,
      signal: interruption.signal,
      run: async (item) => {
        begun.push(item)
        await pause(item === 0 ? 60 : 1)
        if (item === 2) await pause(100)
        interruption.signal.throwIfAborted()
      },
      done: (item) => void told.push(item),
    })
    await pause(20)
    interruption.abort(new Error('interrupted'))
    expect(told).toEqual([1])
    await expect(running).rejects.toThrow('interrupted')
    expect([begun, told]).toEqual([[0, 1, 2], [1]])
  })

  it('nothing is nothing', async () => {
    await expect(
      sideBySide([], { limit: 3, signal, run: () => Promise.reject(new Error('never')), done: () => undefined }),
    ).resolves.toBeUndefined()
  })
})
