import { describe, expect, it } from 'vitest'
import { CommandLineError } from '../../../src/cli/failure.ts'
import { checkFlagRules } from '../../../src/cli/flag-rules.ts'
import type { FlagRules } from '../../../src/cli/flag-rules.ts'
import { stringFlag } from '../../../src/cli/flags.ts'
import type { Positional } from '../../../src/cli/positional.ts'
import { anyArguments, atLeast, atMost, checkPositional, exactly, noArguments, oneOf } from '../../../src/cli/positional.ts'

function failure(run: () => void): string {
  try {
    run()
  } catch (error) {
    expect(error).toHaveProperty('code', 'USAGE')
    if (error instanceof CommandLineError) return error.message
    throw error
  }
  throw new Error('no error')
}

const table = {
  dir: stringFlag('', { required: true }),
  out: stringFlag('', { required: true }),
  a: stringFlag(''),
  b: stringFlag(''),
  c: stringFlag(''),
}
const required = ['dir', 'out']
const check = (rules: FlagRules, ...given: readonly string[]): void => checkFlagRules(table, rules, new Set(given))

describe('rules between flags', () => {
  it('name every required flag that is missing, sorted', () => {
    expect(failure(() => check({}))).toBe('required flag(s) "dir", "out" not set')
    expect(failure(() => check({}, 'dir'))).toBe('required flag(s) "out" not set')
  })
  it('allow one of an exclusive group', () => {
    expect(() => check({ exclusive: [['a', 'b']] }, ...required, 'a')).not.toThrow()
    expect(() => check({ exclusive: [['a', 'b']] }, ...required)).not.toThrow()
  })
  it('refuse two of an exclusive group and report the group whose text comes first', () => {
    expect(
      failure(() =>
        check(
          {
            exclusive: [
              ['c', 'b'],
              ['c', 'a'],
            ],
          },
          ...required,
          'a',
          'b',
          'c',
        ),
      ),
    ).toBe('if any flags in the group [c a] are set none of the others can be; [a c] were all set')
  })
  it('refuse a part of a group that belongs together', () => {
    expect(failure(() => check({ requiredTogether: [['c', 'b', 'a']] }, ...required, 'b'))).toBe(
      'if any flags in the group [c b a] are set they must all be set; missing [a c]',
    )
    expect(() => check({ requiredTogether: [['a', 'b']] }, ...required)).not.toThrow()
    expect(() => check({ requiredTogether: [['a', 'b']] }, ...required, 'a', 'b')).not.toThrow()
  })
  it('refuse none of a group of which one is required', () => {
    expect(failure(() => check({ oneRequired: [['a', 'b']] }, ...required, 'c'))).toBe(
      'at least one of the flags in the group [a b] is required',
    )
    expect(() => check({ oneRequired: [['a', 'b']] }, ...required, 'b')).not.toThrow()
  })
})

describe('arguments', () => {
  const refused = (positional: Positional, ...args: readonly string[]): string =>
    failure(() => checkPositional(positional, 'tool verb', args))
  it("are refused in cobra's words", () => {
    expect(refused(noArguments, 'x')).toBe('unknown command "x" for "tool verb"')
    expect(refused(exactly(1))).toBe('accepts 1 arg(s), received 0')
    expect(refused(exactly(1), 'a', 'b')).toBe('accepts 1 arg(s), received 2')
    expect(refused(atLeast(1))).toBe('requires at least 1 arg(s), only received 0')
    expect(refused(atMost(1), 'a', 'b')).toBe('accepts at most 1 arg(s), received 2')
    expect(refused({ minimum: 1, maximum: 2 })).toBe('accepts between 1 and 2 arg(s), received 0')
    expect(refused(oneOf(['a', 'b']), 'c')).toBe('invalid argument "c" for "tool verb": expected one of a, b')
    expect(refused(oneOf(['a', 'b']))).toBe('accepts 1 arg(s), received 0')
  })
  it('are accepted in the right number', () => {
    for (const [positional, args] of [
      [noArguments, []],
      [exactly(1), ['a']],
      [atLeast(1), ['a', 'b']],
      [atMost(1), []],
      [oneOf(['a']), ['a']],
      [anyArguments, ['a', 'b']],
    ] as const) {
      expect(() => checkPositional(positional, 'tool', args)).not.toThrow()
    }
  })
})
