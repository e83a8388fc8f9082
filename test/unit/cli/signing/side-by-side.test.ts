/** Several things at the same time, told of in order. */
import { describe, expect, it } from 'vitest'
import { sideBySide } from '../../../../src/cli/signing/side-by-side.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('side by side', () => {
  it('no more run at a time than may, and all are told of in order', async () => {
    let running = 0
    let most = 0
    const told: number[] = []
    const items = [5, 1, 4, 1, 3, 1, 2]
    await sideBySide(items, {
      limit: 3,
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

  it('nothing is nothing', async () => {
    await expect(
      sideBySide([], { limit: 3, run: () => Promise.reject(new Error('never')), done: () => undefined }),
    ).resolves.toBeUndefined()
  })
})
