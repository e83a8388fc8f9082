/** Policies by the ends of their files' names. A language is loaded when there is a file of it. */
import { UsageError } from '../error.ts'
import type { PolicySurroundings, StatementPolicy } from './statement-policy.ts'

const languages = [
  {
    extension: '.cue',
    load: async (files: readonly string[], surroundings: PolicySurroundings) =>
      (await import('./cue-policy.ts')).openCuePolicies(files, surroundings),
  },
  {
    extension: '.rego',
    load: async (files: readonly string[], surroundings: PolicySurroundings) =>
      (await import('./rego-policy.ts')).openRegoPolicies(files, surroundings),
  },
  {
    extension: '.cel',
    load: async (files: readonly string[], surroundings: PolicySurroundings) =>
      (await import('./cel-policy.ts')).openCelPolicies(files, surroundings),
  },
  {
    extension: '.json',
    load: async (files: readonly string[], surroundings: PolicySurroundings) =>
      (await import('./json-schema-policy.ts')).openJsonSchemas(files, surroundings),
  },
] as const

/**
 * Opens policies; what they say is checked as far as that can be done without a statement.
 * @throws UsageError USAGE for a file of another kind, or a program that is missing; POLICY_INVALID; TransportError for files
 */
export async function openPolicies(files: readonly string[], surroundings: PolicySurroundings): Promise<readonly StatementPolicy[]> {
  const strange = files.find((file) => !languages.some(({ extension }) => file.endsWith(extension)))
  if (strange !== undefined) {
    throw new UsageError('USAGE', `invalid policy format, expected .cue or .rego (or .cel, or .json for a JSON Schema), found ${strange}`)
  }
  const policies: StatementPolicy[] = []
  for (const { extension, load } of languages) {
    const own = files.filter((file) => file.endsWith(extension))
    if (own.length > 0) policies.push(await load(own, surroundings))
  }
  return policies
}
