/** in-toto statements of versions 0.1 and 1: which artifacts, by digest, a predicate speaks of. */
import type { JsonValue } from '../encoding/json.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { excerpt } from '../encoding/bytes.ts'

/** An in-toto statement: something is said, the predicate, about the subjects. */
export interface Statement {
  readonly type: 'https://in-toto.io/Statement/v0.1' | 'https://in-toto.io/Statement/v1'
  readonly subjects: readonly Subject[]
  readonly predicateType: string
  /** As parsed; integers beyond 2^53 are bigint. */
  readonly predicate: JsonValue | undefined
}

/** An artifact that a statement is about. */
export interface Subject {
  readonly name: string
  /** Digests in hexadecimal by algorithm, as the statement spells them. */
  readonly digests: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, JsonValue>
}

const maxSubjects = 16_384
const maxDigests = 32
/** A predicate may be a tree of whatever its author likes. */
const maxDepth = 1000

/**
 * Parses the payload of an in-toto envelope. Fields it does not know are ignored, as the in-toto specification asks, but for those that
 * differ from one that it knows by case only: Go's reader takes them for that one.
 * @throws DecodingError JSON_INVALID, STATEMENT_INVALID
 */
export function parseStatement(payload: Uint8Array): Statement {
  const json = parseJson(payload, 'the in-toto statement', { integers: 'exact', maxDepth })
  const statement = new JsonFields(json, 'statement', 'STATEMENT_INVALID').spelled('_type', 'subject', 'predicateType', 'predicate')
  const type = statement.string('_type')
  if (type !== 'https://in-toto.io/Statement/v1' && type !== 'https://in-toto.io/Statement/v0.1') {
    throw statement.invalid(`statement._type should be an in-toto statement of version 0.1 or 1, found ${excerpt(type)}`)
  }
  const subjects = statement.objects('subject', maxSubjects).map(readSubject)
  if (subjects.length === 0) throw statement.invalid('the statement has no subject')
  return { type, subjects, predicateType: statement.string('predicateType'), predicate: statement.raw('predicate') }
}

function readSubject(subject: JsonFields): Subject {
  const digests = new Map<string, string>()
  const entries = subject.spelled('name', 'digest', 'annotations').object('digest').entries()
  if (entries.length === 0 || entries.length > maxDigests)
    throw subject.invalid(`${subject.pathOf('digest')} should have 1 to ${maxDigests} digests`)
  for (const [algorithm, value] of entries) {
    if (typeof value !== 'string') throw subject.invalid(`${subject.pathOf('digest')}.${algorithm.slice(0, 20)} should be a string`)
    digests.set(algorithm, value)
  }
  const annotations = new Map<string, JsonValue>()
  for (const [key, value] of subject.optionalObject('annotations')?.entries() ?? []) annotations.set(key, value)
  return { name: subject.optionalString('name') ?? '', digests, annotations }
}
