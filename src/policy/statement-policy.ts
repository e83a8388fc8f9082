/**
 * The port to languages in which users write what an attestation must say: `*.cue` and `*.rego` as cosign has them, `*.cel` and JSON
 * Schema (`*.json`) besides. A policy sees a statement whose signature has been verified, and nothing else.
 */
import type { Statement } from '../bundle/statement.ts'
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
