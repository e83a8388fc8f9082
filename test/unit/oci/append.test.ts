import { describe, expect, it } from 'vitest'
import { appendUntilThere } from '../../../src/oci/append.ts'

describe('adding to what others add to', () => {
  it('writes nothing when it is there already', async () => {
    let writes = 0
    await appendUntilThere({
      what: 'x',
      read: () => Promise.resolve([1]),
      isThere: (list) => list.includes(1),
      write: () => Promise.resolve(void writes++),
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
      write: (list) => Promise.resolve(void (stored = [...list, 1])),
    })
    expect(stored).toEqual([9, 1])
  })

  it('stops when the caller stops', async () => {
    const stop = new AbortController()
    const adding = appendUntilThere({
      what: 'x',
      signal: stop.signal,
      read: () => Promise.resolve([]),
      isThere: () => false,
      write: () => Promise.resolve(stop.abort(new Error('enough'))),
    })
    await expect(adding).rejects.toThrow('enough')
  })
})
