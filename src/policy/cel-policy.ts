/** Policies in CEL (Common Expression Language): an expression over the statement that must be true. */
import { Environment } from '@marcbachmann/cel-js'
import type { JsonObject } from '../encoding/json.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { messageOf, UsageError } from '../error.ts'
import { compilePattern } from '../verify/pattern.ts'
import type { PolicySubject, PolicySurroundings, StatementPolicy } from './statement-policy.ts'

/** The whole of a statement, and most of its members by themselves. */
const variables = { statement: 'map', predicateType: 'string', predicate: 'dyn', subject: 'list' } as const
/** CEL's own name, and ours for the same with patterns of RE2 in linear time, as CEL has them; the library's are those of JavaScript. */
const matches = { name: 'matches', linear: 'matchesInLinearTime' } as const

/** @throws UsageError POLICY_INVALID for what is no expression, or one that cannot be true or false */
export function openCelPolicies(files: readonly string[], { readFile }: PolicySurroundings): StatementPolicy {
  const environment = new Environment()
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type)
  environment.registerFunction(`string.${matches.linear}(string): bool`, (text: string, pattern: string) =>
    compilePattern(pattern).matches(text),
  )
  const expressions = files.map((file) => {
    const source = decodeUtf8(readFile(file), `the policy ${file}`)
    const evaluate = parse(environment, source, file)
    const { valid, type, error } = evaluate.check()
    if (!valid) throw new UsageError('POLICY_INVALID', `the policy ${file} is not valid CEL: ${firstLine(error)}`)
    if (type !== 'bool' && type !== 'dyn') {
      throw new UsageError('POLICY_INVALID', `the policy ${file} should be an expression that is true or false, found one of type ${type}`)
    }
    return { file, evaluate }
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

function parse(environment: Environment, source: string, file: string): ReturnType<Environment['parse']> {
  try {
    const parsed = environment.parse(source)
    useLinearPatterns(parsed.ast)
    return parsed
  } catch (cause) {
    throw new UsageError('POLICY_INVALID', `the policy ${file} is not valid CEL: ${firstLine(cause)}`, { cause })
  }
}

/** Calls of methods are nodes with a name in front of what they are called with. */
function useLinearPatterns(part: unknown): void {
  if (Array.isArray(part)) return part.forEach(useLinearPatterns)
  if (typeof part !== 'object' || part === null || !('op' in part) || !('args' in part)) return
  if (part.op === 'rcall' && Array.isArray(part.args) && part.args[0] === matches.name) part.args[0] = matches.linear
  useLinearPatterns(part.args)
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
