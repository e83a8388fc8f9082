/** Policies in CEL (Common Expression Language): an expression over the statement that must be true. */
import { Environment } from '@marcbachmann/cel-js'
import type { JsonObject } from '../encoding/json.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { messageOf, UsageError } from '../error.ts'
import type { PolicySubject, PolicySurroundings, StatementPolicy } from './statement-policy.ts'

/** The whole of a statement, and most of its members by themselves. */
const variables = { statement: 'map', predicateType: 'string', predicate: 'dyn', subject: 'list' } as const

/** @throws UsageError POLICY_INVALID for what is no expression, or one that cannot be true or false */
export function openCelPolicies(files: readonly string[], { readFile }: PolicySurroundings): StatementPolicy {
  const environment = new Environment()
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type)
  const expressions = files.map((file) => {
    const source = decodeUtf8(readFile(file), `the policy ${file}`)
    const { valid, type, error } = environment.check(source)
    if (!valid) throw new UsageError('POLICY_INVALID', `the policy ${file} is not valid CEL: ${firstLine(error)}`)
    if (type !== 'bool' && type !== 'dyn') {
      throw new UsageError('POLICY_INVALID', `the policy ${file} should be an expression that is true or false, found one of type ${type}`)
    }
    return { file, evaluate: environment.parse(source) }
  })
  return {
    what: 'CEL policies',
    files,
    violations: (subject) => {
      const context = contextOf(subject)
      return Promise.resolve(
        expressions.flatMap(({ file, evaluate }): string[] => {
          try {
            const value: unknown = evaluate(context)
            return value === true ? [] : [`${file}: the expression is ${typeof value === 'boolean' ? 'false' : 'neither true nor false'}`]
          } catch (error) {
            return [`${file}: ${firstLine(error)}`]
          }
        }),
      )
    },
  }
}

function contextOf({ statement: { type, predicateType, predicate, subjects } }: PolicySubject): Record<string, unknown> {
  const subject = subjects.map(({ name, digests, annotations }): JsonObject => ({
    name,
    digest: Object.fromEntries(digests),
    annotations: Object.fromEntries(annotations),
  }))
  const members = { predicateType, predicate: predicate ?? null, subject }
  return { ...members, statement: { _type: type, ...members } }
}

/** The library draws the expression below its messages. */
function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? ''
}
