/** Environment variables, as `process.env` holds them. Passed in everywhere, so that callers and tests decide. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The value of the first of these variables that is set and not empty. */
export function variableOf(env: Environment, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = env[name]
    if (value !== undefined && value !== '') return value
  }
  return undefined
}
