/** What a registry with the referrers API lists (distribution specification, "Listing Referrers"). */
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { CountersignError } from '../error.ts'
import type { Descriptor } from './manifest.ts'
import { maxManifestBytes, readDescriptor } from './manifest.ts'

/** A page of the list. */
export interface ReferrerList {
  readonly descriptors: readonly Descriptor[]
  /** Sentences about entries that could not be read. Whoever may push a manifest adds one: it takes nothing from the others. */
  readonly unreadable: readonly string[]
}

/**
 * Reads a page of the list.
 * @param what names it in messages
 * @throws DecodingError MANIFEST_INVALID, JSON_INVALID, TOO_LARGE
 */
export function parseReferrerList(body: Uint8Array, what: string, maxEntries: number): ReferrerList {
  const fields = new JsonFields(parseJson(body, what, { maxBytes: maxManifestBytes, maxDepth: 32 }), what, 'MANIFEST_INVALID')
  const descriptors: Descriptor[] = []
  const unreadable: string[] = []
  for (const entry of fields.spelled('manifests').objects('manifests', maxEntries)) {
    try {
      descriptors.push(readDescriptor(entry))
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      unreadable.push(error.message)
    }
  }
  return { descriptors, unreadable }
}
