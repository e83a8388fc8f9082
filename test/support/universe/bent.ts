/** A copy of a bundle with a change to its JSON, as an attacker or an accident makes it: nothing is signed again. */
import type { Json } from './universe.ts'

export interface BundleParts {
  readonly material: Json
  /** The first log entry; an empty object when there is none. */
  readonly entry: Json
}

export function bent(bundle: Json, change: (bundle: Json, parts: BundleParts) => void): Json {
  const copy = structuredClone(bundle)
  const material = copy['verificationMaterial'] as Json & { tlogEntries?: Json[] }
  change(copy, { material, entry: material.tlogEntries?.[0] ?? {} })
  return copy
}
