/**
 * Flags from the environment. Every flag that does not say otherwise can be set as `COSIGN_<FLAG>` or, first, as `COUNTERSIGN_<FLAG>`:
 * upper case, with `_` for `-`. As in cosign, a flag on the command line wins and an empty variable counts as not set. Unlike cosign, a
 * text that is not a value of the flag is an error: otherwise a mistyped restriction would be dropped silently.
 */
import type { FlagAssignments } from './flag-assignments.ts'
import type { FlagIndex } from './flag-index.ts'

const PREFIXES = ['COUNTERSIGN_', 'COSIGN_'] as const

/** The variables that set a flag, the one that wins first. */
export function environmentNames(flagName: string): readonly string[] {
  const suffix = flagName.toUpperCase().replaceAll('-', '_')
  return PREFIXES.map((prefix) => prefix + suffix)
}

/**
 * Adds the values of the environment to those of the command line, in the order of the flags' names.
 * @param taken is told each flag that the environment set, and by which variable
 * @throws CommandLineError when a variable holds no value of the flag's kind, or sets what an old name has set
 */
export function assignFromEnvironment(
  index: FlagIndex,
  flags: FlagAssignments,
  env: Readonly<Record<string, string | undefined>>,
  taken: (flagName: string, variable: string) => void,
): void {
  if (!Object.keys(env).some(namesFlag)) return
  for (const named of index.all().toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = named
    if (named.flag.environment === false || flags.given.has(name)) continue
    for (const variable of environmentNames(name)) {
      const text = env[variable]
      if (text === undefined || text === '') continue
      flags.assign(named, text, variable)
      taken(name, variable)
      break
    }
  }
}

/** Most environments set no flag at all, and asking for every flag takes longer. On Windows names have no case. */
function namesFlag(variable: string): boolean {
  const name = variable.toUpperCase()
  return PREFIXES.some((prefix) => name.startsWith(prefix))
}
