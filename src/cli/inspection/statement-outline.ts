/** What an in-toto statement says, also one that verification would refuse. */
import { parseStatement } from '../../bundle/statement.ts'
import type { JsonValue } from '../../encoding/json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { DecodingError } from '../../error.ts'
import { attempt } from './attempt.ts'

/** The members of a statement that are of the type they should be of. */
export interface StatementOutline {
  readonly type: string | undefined
  readonly predicateType: string | undefined
  /** As they are: each should be an object with a name and digests. */
  readonly subjects: readonly JsonValue[] | undefined
  readonly predicate: JsonValue | undefined
  /** Why the decoder that verification uses refuses the statement, if it does. */
  readonly refusal: string | undefined
}

/**
 * Reads the payload of an in-toto envelope.
 * @throws DecodingError JSON_INVALID, STATEMENT_INVALID when it is no JSON object
 */
export function outlineStatement(payload: Uint8Array): StatementOutline {
  const statement = parseJson(payload, 'the in-toto statement', { integers: 'exact' })
  if (!isJsonObject(statement)) throw new DecodingError('STATEMENT_INVALID', 'the in-toto statement should be a JSON object')
  return {
    type: textOf(statement['_type']),
    predicateType: textOf(statement['predicateType']),
    subjects: isArray(statement['subject']) ? statement['subject'] : undefined,
    predicate: statement['predicate'],
    refusal: attempt(() => parseStatement(payload)).problem,
  }
}

/** The name of a subject, if it has one that is a text. */
export function subjectName(subject: JsonValue): string | undefined {
  return isJsonObject(subject) ? textOf(subject['name']) : undefined
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}
