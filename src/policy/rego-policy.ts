/** Policies in Rego: `data.signature.allow` must be true of a statement, in Rego of version 0 as in cosign, by the program `opa`. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import type { JsonValue } from '../encoding/json.ts'
import { CountersignError } from '../error.ts'
import { findEvaluator, firstLines } from './evaluator.ts'
import type { Evaluator } from './evaluator.ts'
import type { PolicySurroundings, StatementPolicy } from './statement-policy.ts'

const query = 'data.signature.allow'

/** @throws UsageError USAGE when `opa` is not installed */
export function openRegoPolicies(files: readonly string[], surroundings: PolicySurroundings): StatementPolicy {
  const { cwd, readFile } = surroundings
  for (const file of files) readFile(file)
  const opa = findEvaluator('opa', 'Rego', surroundings)
  // What has a colon is a path below a name to opa, unless it is an address; of an address, what follows # or % could be another file.
  const data = files.flatMap((file) => ['--data', pathToFileURL(path.resolve(cwd, file)).href])
  return {
    what: 'Rego policies',
    files,
    violations: async ({ payload }) => violationsOf(await evaluate(opa, data, payload)),
  }
}

/** Since version 1.0 opa has to be told that a policy is of version 0; before, it does not know the flag. */
async function evaluate(opa: Evaluator, data: readonly string[], payload: Uint8Array): Promise<JsonValue> {
  const words = ['eval', '--format', 'json', '--stdin-input', ...data, query]
  let ending = await opa.run([...words, '--v0-compatible'], payload)
  if (ending.exitCode !== 0 && firstLines(ending.stderr).includes('unknown flag')) ending = await opa.run(words, payload)
  const { exitCode, stdout, stderr } = ending
  if (stdout.length === 0) throw new CountersignError('POLICY_INVALID', `opa ended with status ${exitCode}: ${firstLines(stderr)}`)
  const answer = parseJson(stdout, 'the answer of opa', { integers: 'exact' })
  if (exitCode === 0 || (isJsonObject(answer) && answer['errors'] !== undefined)) return answer
  throw new CountersignError('POLICY_INVALID', `opa ended with status ${exitCode}: ${firstLines(stderr)}`)
}

function violationsOf(answer: JsonValue): string[] {
  if (!isJsonObject(answer)) return [`opa answered with something else than a result`]
  const errors = answer['errors']
  if (errors !== undefined) {
    const messages = (Array.isArray(errors) ? errors : []).map((error) =>
      isJsonObject(error) && typeof error['message'] === 'string' ? error['message'] : 'an error without words',
    )
    return [`the policy cannot be evaluated: ${messages.join('; ').slice(0, 1000)}`]
  }
  const results = answer['result'] ?? []
  if (!Array.isArray(results) || results.length === 0) return [`policy is not compliant for query '${query}': it is not defined`]
  const values = results.flatMap((result) => {
    const expressions = isJsonObject(result) ? result['expressions'] : undefined
    return Array.isArray(expressions)
      ? expressions.map((expression) => (isJsonObject(expression) ? expression['value'] : undefined))
      : [undefined]
  })
  return values.length > 0 && values.every((value) => value === true)
    ? []
    : values.filter((value) => value !== true).map((value) => `expression value, ${JSON.stringify(value) ?? 'nothing'}, is not true`)
}
