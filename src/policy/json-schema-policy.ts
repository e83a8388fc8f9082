/** Policies as JSON Schemas (draft 7, 2019-09, 2020-12) that a statement must satisfy. Nothing that they refer to is fetched. */
import { Ajv } from 'ajv'
import type { AnySchemaObject, Options, ValidateFunction } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { JsonValue } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { messageOf, UsageError } from '../error.ts'
import { compilePattern } from '../verify/pattern.ts'
import type { PolicySurroundings, StatementPolicy } from './statement-policy.ts'

const maxSchemaBytes = 4 * 1024 * 1024
const maxViolations = 20

/** Patterns in linear time: they meet text that somebody else wrote. */
const linearPatterns = Object.assign(
  (source: string) => {
    const pattern = compilePattern(source)
    return { test: (text: string) => pattern.matches(text) }
  },
  { code: 'linearPatterns' },
)

const options: Options = {
  allErrors: true,
  // A member that every object inherits is not one of the statement.
  ownProperties: true,
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  validateSchema: true,
  code: { regExp: linearPatterns },
  logger: false,
}

/** @throws UsageError POLICY_INVALID for what is no schema, or has what is not known: it would not be checked */
export function openJsonSchemas(files: readonly string[], { readFile }: PolicySurroundings): StatementPolicy {
  const schemas = files.map((file) => ({ file, validate: compile(file, readFile(file)) }))
  return {
    what: 'JSON Schemas',
    files,
    violations: ({ payload }) => {
      const document = withNumbers(parseJson(payload, 'the in-toto statement', { integers: 'exact' }))
      return Promise.resolve(
        schemas.flatMap(({ file, validate }) => {
          if (complies(file, validate, document)) return []
          const reasons = (validate.errors ?? []).map(({ instancePath, message = 'it is not as it should be' }) => {
            return `${file}: ${instancePath === '' ? 'the statement' : instancePath} ${message}`
          })
          const unique = [...new Set(reasons)]
          return unique.length === 0 ? [`${file}: the statement does not satisfy it`] : unique.slice(0, maxViolations)
        }),
      )
    },
  }
}

/** Only `true` is true: schemas that refer to themselves in place have no end. */
function complies(file: string, validate: ValidateFunction, document: JsonValue): boolean {
  try {
    return validate(document)
  } catch (cause) {
    throw new UsageError('POLICY_INVALID', `the policy ${file} cannot be evaluated: ${messageOf(cause)}`, { cause })
  }
}

/** Keywords about numbers pass over what is no number of JavaScript's: integers beyond 2^53 become the nearest. */
function withNumbers(value: JsonValue): JsonValue {
  if (typeof value === 'bigint') return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, Number(value)))
  if (Array.isArray(value)) return value.map(withNumbers)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, member === undefined ? null : withNumbers(member)]))
}

function compile(file: string, bytes: Uint8Array): ValidateFunction {
  const schema = parseJson(bytes, `the policy ${file}`, { maxBytes: maxSchemaBytes })
  if (!isJsonObject(schema)) throw new UsageError('POLICY_INVALID', `the policy ${file} should be a JSON Schema, an object`)
  try {
    const validate = validatorFor(schema['$schema']).compile(schema as AnySchemaObject)
    // Its answer would be a promise, which is as good as yes for whoever does not wait for it.
    if (!('$async' in validate)) return validate
  } catch (cause) {
    throw new UsageError('POLICY_INVALID', `the policy ${file} is not a usable JSON Schema: ${messageOf(cause)}`, { cause })
  }
  throw new UsageError('POLICY_INVALID', `the policy ${file} is not a usable JSON Schema: "$async" is a keyword of one library only`)
}

function validatorFor(dialect: unknown): Ajv {
  const text = typeof dialect === 'string' ? dialect : ''
  if (text.includes('draft/2020-12')) return new Ajv2020(options)
  return text.includes('draft/2019-09') ? new Ajv2019(options) : new Ajv(options)
}
