/**
 * The port to languages in which users write what an attestation must say: `*.cue` and `*.rego` as cosign has them, `*.cel` and JSON
 * Schema (`*.json`) besides. A policy sees a statement whose signature has been verified, and nothing else.
 */
import type { Statement } from '../bundle/statement.ts'
import { UsageError } from '../error.ts'
import type { Environment } from '../http/environment.ts'

/** A statement that was verified. */
export interface PolicySubject {
  readonly statement: Statement
  /** The statement as it was signed: JSON in UTF-8. */
  readonly payload: Uint8Array
}

/** Policies of one language, which are applied together. */
export interface StatementPolicy {
  /** As messages name them: `CUE policies`. */
  readonly what: string
  /** The files as the user named them. */
  readonly files: readonly string[]
  /**
   * @returns why the statement does not comply: sentences; empty when it does
   * @throws CountersignError when the policy cannot be applied
   */
  violations(subject: PolicySubject): Promise<readonly string[]>
}

export interface PolicySurroundings {
  readonly env: Environment
  /** The folder that paths start from. */
  readonly cwd: string
  readonly signal?: AbortSignal
  /** Reads a file of the user's. @throws TransportError */
  readonly readFile: (file: string) => Uint8Array
}

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
