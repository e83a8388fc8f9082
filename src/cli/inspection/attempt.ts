/** Parts of a bundle that may be malformed while the rest can still be shown. */
import { DecodingError } from '../../error.ts'

/** What a part holds, or why it cannot be parsed. */
export type Attempt<T> = { readonly value: T; readonly problem?: undefined } | { readonly value?: undefined; readonly problem: string }

/**
 * Parses a part.
 * @throws what `parse` throws, except DecodingError, whose message becomes the problem
 */
export function attempt<T>(parse: () => T): Attempt<T> {
  try {
    return { value: parse() }
  } catch (error) {
    if (!(error instanceof DecodingError)) throw error
    return { problem: error.message }
  }
}
