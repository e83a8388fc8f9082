/** Runs a contract suite against every kind of storage. */
import { afterAll, beforeAll, describe } from 'vitest'
import type { StorageKind } from './storages.ts'
import { storageKinds } from './storages.ts'

/** One that cannot be tested here is skipped, and the reason printed, unless CI is set. */
export function describeEachStorage(suite: (kind: StorageKind) => void): void {
  for (const kind of storageKinds()) {
    const isSkipped = kind.missing !== undefined && process.env.CI === undefined
    if (isSkipped) console.log(`skipped: ${kind.name}: ${kind.missing}`)
    describe.skipIf(isSkipped)(kind.name, () => {
      beforeAll(kind.start)
      afterAll(kind.stop)
      suite(kind)
    })
  }
}
