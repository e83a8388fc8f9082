/** Patterns in RE2's syntax, matched in linear time, as Go's `regexp` has them. */
import { RE2JS } from 're2js'
import { UsageError } from '../error.ts'
import type { Pattern } from './policy.ts'
import { checkMembers, invalidDemand, kindOf } from './policy-check.ts'

const maxPatternLength = 10_000

/**
 * Compiles a regular expression. As in cosign it matches anywhere in the text unless `anchored` is set or it says `^` and `$` itself.
 * @throws UsageError POLICY_INVALID when RE2 does not take it (look-around and back-references do not exist there)
 */
export function compilePattern(source: string, options: { readonly anchored?: boolean } = {}): Pattern {
  checkMembers(options, 'the options of a pattern', { anchored: true })
  const { anchored = false } = options
  if (typeof source !== 'string') throw invalidDemand(`a pattern is made of a text in the syntax of RE2, found ${kindOf(source)}`)
  if (typeof anchored !== 'boolean') throw invalidDemand(`anchored should be true or false, found ${kindOf(anchored)}`)
  if (source.length > maxPatternLength)
    throw new UsageError('POLICY_INVALID', `the regular expression is longer than ${maxPatternLength} characters`)
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(source)
  } catch (cause) {
    throw new UsageError('POLICY_INVALID', `${JSON.stringify(source)} is not a regular expression in RE2 syntax`, { cause })
  }
  return { source, matches: (text) => (anchored ? compiled.matches(text) : compiled.matcher(text).find()) }
}
