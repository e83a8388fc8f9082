import { describe, expect, it } from 'vitest'
import { CountersignError } from '../../../src/error.ts'
import { appendUntilThere } from '../../../src/oci/append.ts'
import { RegistryBusyError } from '../../../src/oci/registry-busy.ts'

describe('adding to what others add to', () => {
  it('writes nothing when it is there already', async () => {
    let writes = 0
    await appendUntilThere({
      what: 'x',
      read: () => Promise.resolve([1]),
      isThere: (list) => list.includes(1),
      version: String,
      write: (list) => {
        writes++
        return Promise.resolve(list)
      },
    })
    expect(writes).toBe(0)
  })

  it('adds again what somebody has overwritten', async () => {
    let stored: readonly number[] = []
    let stolen = 3
    await appendUntilThere({
      what: 'x',
      read: () => {
        if (stolen-- > 0) stored = [9]
        return Promise.resolve(stored)
      },
      isThere: (list) => list.includes(1),
      version: String,
      write: (list) => Promise.resolve((stored = [...list, 1])),
    })
    expect(stored).toEqual([9, 1])
  })

  it('goes on when a registry fails for a moment, and not when it refuses', async () => {
    let stored: readonly number[] = []
    const add = (failure: Error, times: number) => {
      stored = []
      let left = times
      return appendUntilThere({
        what: 'x',
        read: () => (left-- > 0 ? Promise.reject(failure) : Promise.resolve(stored)),
        version: String,
        isThere: (list) => list.includes(1),
        write: (list) => Promise.resolve((stored = [...list, 1])),
      })
    }
    await add(new RegistryBusyError('SERVICE_REFUSED', 'busy'), 3)
    expect(stored).toEqual([1])
    await expect(add(new RegistryBusyError('SERVICE_REFUSED', 'busy'), 100)).rejects.toThrow('busy')
    await expect(add(new CountersignError('SERVICE_REFUSED', 'denied'), 1)).rejects.toThrow('denied')
    expect(stored).toEqual([])
  })

  it('reads again when others wrote while it prepared', async () => {
    let stored: readonly number[] = [1]
    let prepared = 0
    await appendUntilThere({
      what: 'x',
      read: () => Promise.resolve(stored),
      version: String,
      isThere: (list) => list.includes(5),
      prepare: () => Promise.resolve(void (prepared++ < 2 && (stored = [...stored, stored.length + 1]))),
      write: (list) => Promise.resolve((stored = [...list, 5])),
    })
    expect(stored).toEqual([1, 2, 3, 5])
    expect(prepared).toBe(3)
  })

  it('loses nothing of twenty that take different times between reading and writing', async () => {
    let stored: readonly number[] = []
    const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const add = (mine: number) =>
      appendUntilThere({
        what: 'x',
        read: async () => {
          const found = stored
          await wait(mine % 7)
          return found
        },
        version: String,
        isThere: (list) => list.includes(mine),
        prepare: () => wait(mine % 5),
        write: async (list) => {
          await wait(mine % 3)
          return (stored = [...list, mine])
        },
      })
    await Promise.all(Array.from({ length: 20 }, (_, mine) => add(mine)))
    expect(stored.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, mine) => mine))
  })

  it('stops when the caller stops', async () => {
    const stop = new AbortController()
    const adding = appendUntilThere({
      what: 'x',
      signal: stop.signal,
      read: () => Promise.resolve([]),
      isThere: () => false,
      version: String,
      write: (list) => {
        stop.abort(new Error('enough'))
        return Promise.resolve(list)
      },
    })
    await expect(adding).rejects.toThrow('enough')
  })
})
