/** Policies in CUE: a statement is unified with them by the program `cue`, and must be concrete then. */
import path from 'node:path'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { CountersignError, UsageError } from '../error.ts'
import { findEvaluator, firstLines } from './evaluator.ts'
import type { PolicySurroundings, StatementPolicy } from './statement-policy.ts'

/** @throws UsageError USAGE when `cue` is not installed, POLICY_INVALID for a file that it would pass over, or that is empty */
export function openCuePolicies(files: readonly string[], surroundings: PolicySurroundings): StatementPolicy {
  const { cwd, readFile } = surroundings
  for (const file of files) demandApplied(file, decodeUtf8(readFile(file), `the policy ${file}`))
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

/** `cue` and cosign leave some files out without a word where there are others: what they demand would be thought checked. */
function demandApplied(file: string, text: string): void {
  const statements = text.split('\n').filter((line) => !/^\s*(?:\/\/.*|package\s+\w+\s*)?$/.test(line))
  if (statements.length === 0) throw new UsageError('POLICY_INVALID', `the policy ${file} demands nothing: every statement would comply`)
  const [suffix] = /_(?:tool|test)\.cue$/.exec(file) ?? []
  const [, attribute] = /(?:^|[\s,)])(@(?:if|ignore)\()/.exec(preambleOf(text)) ?? []
  if (suffix === undefined && attribute === undefined) return
  throw new UsageError(
    'POLICY_INVALID',
    suffix === undefined
      ? `the policy ${file} would not be applied: it has the attribute ${attribute}…) of a file that is left out; remove the attribute, or the policy`
      : `the policy ${file} would not be applied: CUE has files named *${suffix} for other programs; rename it`,
  )
}

/** What stands before the package clause, where there is one, without comments. */
function preambleOf(text: string): string {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('//'))
  const end = lines.findIndex((line) => /^\s*package\s/.test(line))
  return lines.slice(0, end === -1 ? lines.length : end).join('\n')
}
