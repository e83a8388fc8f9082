/** Which flags need each other and which exclude each other, with cobra's words for a violation. */
import { CommandLineError } from './failure.ts'
import type { FlagTable } from './flags.ts'

/** Several flags of one command. */
export type FlagGroup = readonly string[]

/** The rules between the flags of a command. */
export interface FlagRules {
  /** At most one flag of each group may be given. */
  readonly exclusive?: readonly FlagGroup[]
  /** At least one flag of each group must be given. */
  readonly oneRequired?: readonly FlagGroup[]
  /** All flags of each group must be given, or none. */
  readonly requiredTogether?: readonly FlagGroup[]
}

/**
 * Checks what was given against the required flags of the table and the rules, in cobra's order.
 * @throws CommandLineError in cobra's words
 */
export function checkFlagRules(table: FlagTable, rules: FlagRules, given: ReadonlySet<string>): void {
  const missing = Object.keys(table)
    .filter((name) => table[name]?.required === true && !given.has(name))
    .sort()
  if (missing.length > 0) {
    throw new CommandLineError(`required flag(s) ${missing.map((name) => `"${name}"`).join(', ')} not set`)
  }
  for (const group of inOrder(rules.requiredTogether)) {
    const unset = group.filter((name) => !given.has(name)).sort()
    if (unset.length > 0 && unset.length < group.length) {
      throw new CommandLineError(`if any flags in the group ${list(group)} are set they must all be set; missing ${list(unset)}`)
    }
  }
  for (const group of inOrder(rules.oneRequired)) {
    if (!group.some((name) => given.has(name))) {
      throw new CommandLineError(`at least one of the flags in the group ${list(group)} is required`)
    }
  }
  for (const group of inOrder(rules.exclusive)) {
    const set = group.filter((name) => given.has(name)).sort()
    if (set.length > 1) {
      throw new CommandLineError(`if any flags in the group ${list(group)} are set none of the others can be; ${list(set)} were all set`)
    }
  }
}

/** cobra reports the violated group that comes first in the order of the groups' texts. */
function inOrder(groups: readonly FlagGroup[] = []): readonly FlagGroup[] {
  return [...groups].sort((a, b) => (list(a) < list(b) ? -1 : 1))
}

function list(names: readonly string[]): string {
  return `[${names.join(' ')}]`
}
