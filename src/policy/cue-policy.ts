/** Policies in CUE: a statement is unified with them by the program `cue`, and must be concrete then, as in cosign. */
import path from 'node:path'
import { CountersignError } from '../error.ts'
import { findEvaluator, firstLines } from './evaluator.ts'
import type { PolicySurroundings, StatementPolicy } from './statement-policy.ts'

/** @throws UsageError USAGE when `cue` is not installed */
export function openCuePolicies(files: readonly string[], surroundings: PolicySurroundings): StatementPolicy {
  const { cwd, readFile } = surroundings
  for (const file of files) readFile(file)
  const cue = findEvaluator('cue', 'CUE', surroundings)
  const paths = files.map((file) => path.resolve(cwd, file))
  return {
    what: 'CUE policies',
    files,
    violations: async ({ payload }) => {
      const { exitCode, stderr, stdout } = await cue.run(['vet', '--concrete', ...paths, 'json:', '-'], payload)
      if (exitCode === 0) return []
      const reason = firstLines(stderr.length === 0 ? stdout : stderr)
      if (exitCode === 1 && reason !== '') return [reason]
      throw new CountersignError('POLICY_INVALID', `cue ended with status ${exitCode}${reason === '' ? '' : `: ${reason}`}`)
    },
  }
}
