/** A cache of a bounded number of bytes, which forgets what was not used for longest. */

export interface BoundedCache<Value> {
  get(key: string): Value | undefined
  /** @param size bytes that the value holds */
  set(key: string, value: Value, size: number): void
}

export function createBoundedCache<Value>(maxSize: number): BoundedCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly size: number }>()
  let total = 0
  const remove = (key: string) => {
    total -= entries.get(key)?.size ?? 0
    entries.delete(key)
  }
  return {
    get: (key) => {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      // A Map keeps the order of insertion: what was used goes to the end.
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set: (key, value, size) => {
      remove(key)
      if (size > maxSize) return
      entries.set(key, { value, size })
      total += size
      for (const oldest of entries.keys()) {
        if (total <= maxSize) break
        remove(oldest)
      }
    },
  }
}
