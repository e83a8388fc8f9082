/** Programs of the user's that know a policy language: run without a shell, on one statement at a time, within limits. */
import { UsageError } from '../error.ts'
import { variableOf } from '../http/environment.ts'
import type { Environment } from '../http/environment.ts'
import { findExecutable, runProgram } from '../keys/program-run.ts'
import type { ProgramEnding } from '../keys/program-run.ts'
import type { PolicySurroundings } from './statement-policy.ts'

const timeoutMs = 60_000
const maxOutputBytes = 16 * 1024 * 1024

export interface Evaluator {
  run(argv: readonly string[], input: Uint8Array): Promise<ProgramEnding>
}

/** @throws UsageError USAGE when it is not installed */
export function findEvaluator(name: string, language: string, { env, cwd, signal }: PolicySurroundings): Evaluator {
  const file = findExecutable(name, env)
  if (file === undefined) {
    throw new UsageError(
      'USAGE',
      `policies in ${language} are evaluated by the program ${name}, which is not on PATH: install it, or write the policy in CEL (.cel)`,
    )
  }
  return {
    run: (argv, input) =>
      runProgram({ name, file, argv, input, timeoutMs, maxOutputBytes, env: bareEnvironment(env), cwd, signal, keepsErrors: true }),
  }
}

/** What a program needs to start, and none of what is secret here. */
function bareEnvironment(env: Environment): Environment {
  const system = ['PATH', 'HOME', 'USERPROFILE', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LANG']
  // cue does nothing where it cannot tell where its cache would be.
  const folders = ['XDG_CACHE_HOME', 'LOCALAPPDATA', 'APPDATA', 'CUE_CACHE_DIR']
  const names = [...system, ...folders]
  return Object.fromEntries(names.flatMap((name) => [[name, variableOf(env, name)] as const]).filter(([, value]) => value !== undefined))
}

/** The first lines of what a program says, as one sentence. */
export function firstLines(text: Uint8Array, count = 5): string {
  const lines = new TextDecoder().decode(text).split('\n')
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, count)
    .join(' ')
    .slice(0, 1000)
}
