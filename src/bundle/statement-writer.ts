/** Makes in-toto statements: what is said, about which artifacts. */
import { digestLength } from '../crypto/digest.ts'
import { encodeUtf8, excerpt } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { encodeJson } from '../encoding/json-writer.ts'
import { DecodingError } from '../error.ts'
import type { PredicateDocument } from './predicate.ts'
import { encodePredicate } from './predicate.ts'
import type { Statement } from './statement.ts'
import { parseStatement } from './statement.ts'

/** An artifact that a statement is about. */
export interface StatementSubject {
  /** How it is called: a file's name. Unique within the statement. */
  readonly name: string
  /** At least one digest, as bytes or in hexadecimal. */
  readonly digests: { readonly [algorithm: string]: Uint8Array | string }
}

/** What a statement is made of. */
export interface StatementParts {
  readonly subjects: readonly StatementSubject[]
  /** The predicate's type: a URI, or one of cosign's short names such as `slsaprovenance1`. */
  readonly predicateType: string
  /** The predicate, as a JSON object or its text. For `custom` and `spdx`, any text. */
  readonly predicate: PredicateDocument
  /** Default version 0.1, which cosign writes, too; sigstore-python reads version 1 alone. */
  readonly type?: Statement['type']
}

const defaultType = 'https://in-toto.io/Statement/v0.1'

/**
 * Makes a statement. A predicate whose type has a specification is checked against it.
 * @param now epoch milliseconds: the time that a custom predicate states
 * @returns the JSON, on one line
 * @throws UsageError USAGE for an unknown predicate type; DecodingError STATEMENT_INVALID with the path of what is wrong, JSON_INVALID,
 * ENCODING_INVALID, TOO_LARGE
 */
export function encodeStatement(parts: StatementParts, now: number): Uint8Array {
  const { subjects, predicateType, predicate, type = defaultType } = parts
  const { type: uri, json } = encodePredicate(predicateType, predicate, now)
  checkNames(subjects)
  const subject = subjects.map(({ name, digests }) => `{"name":${encodeJson(name)},"digest":${encodeDigests(name, digests)}}`)
  const statement = encodeUtf8(
    `{"_type":${encodeJson(type)},"subject":[${subject.join(',')}],"predicateType":${encodeJson(uri)},"predicate":${json}}`,
  )
  // What cannot be verified must not be signed.
  parseStatement(statement)
  return statement
}

function checkNames(subjects: readonly StatementSubject[]): void {
  const seen = new Set<string>()
  for (const { name } of subjects) {
    if (seen.has(name)) throw new DecodingError('STATEMENT_INVALID', `two subjects of the statement have the same name ${excerpt(name)}`)
    seen.add(name)
  }
}

function encodeDigests(name: string, digests: StatementSubject['digests']): string {
  const encoded: Record<string, string> = {}
  for (const [algorithm, value] of Object.entries(digests)) {
    const hex = typeof value === 'string' ? value.toLowerCase() : encodeHex(value)
    const expected = algorithm === 'sha256' || algorithm === 'sha384' || algorithm === 'sha512' ? digestLength(algorithm) * 2 : undefined
    if (!/^[0-9a-f]+$/.test(hex) || (expected !== undefined && hex.length !== expected)) {
      throw new DecodingError(
        'STATEMENT_INVALID',
        `the ${algorithm} digest of the subject ${excerpt(name)} should be ${expected === undefined ? '' : `${expected} `}hexadecimal digits, found ${excerpt(hex, 20)}`,
      )
    }
    encoded[algorithm] = hex
  }
  return encodeJson(encoded)
}
