/** Predicates: from what a user has to what goes into a statement, checked against the type's specification. */
import { decodeUtf8 } from '../encoding/bytes.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { encodeJson, sortJson } from '../encoding/json-writer.ts'
import { DecodingError } from '../error.ts'
import { predicateTypes, predicateTypeUri } from './predicate-type.ts'
import { checkLink } from './predicates/link.ts'
import { checkOpenVex } from './predicates/openvex.ts'
import { checkCycloneDx, checkSpdx } from './predicates/sbom.ts'
import { checkSlsaProvenance02, checkSlsaProvenance1 } from './predicates/slsa.ts'
import { checkVulnerabilityScan } from './predicates/vulnerability-scan.ts'

/** A predicate as a statement has it. */
export interface EncodedPredicate {
  /** The type's URI. */
  readonly type: string
  /** On one line, keys sorted, numbers as they were written. */
  readonly json: string
}

/** A document as bytes or text, or as a JSON object. In an object, a bigint is an integer of any length. */
export type PredicateDocument = Uint8Array | string | object

/** What the statement's nesting leaves of the 100 levels that every verifier reads. */
const maxDepth = 99

const checks: Readonly<Record<string, (predicate: JsonFields) => void>> = {
  [predicateTypes.slsaProvenance02]: checkSlsaProvenance02,
  [predicateTypes.slsaProvenance1]: checkSlsaProvenance1,
  [predicateTypes.spdx]: checkSpdx,
  [predicateTypes.cycloneDx]: checkCycloneDx,
  [predicateTypes.link]: checkLink,
  [predicateTypes.vulnerabilityScan]: checkVulnerabilityScan,
  [predicateTypes.openVex]: checkOpenVex,
}

/**
 * Encodes a predicate. `custom` holds any text, with the time; `spdx` any text; every other type is a JSON object, and that of a
 * type with a specification is checked against it. Fields that the specification does not have stay.
 * @param type a URI, or a short name of cosign's
 * @param now epoch milliseconds: the time that a custom predicate states
 * @throws UsageError USAGE for an unknown type; DecodingError STATEMENT_INVALID with the path of what is wrong, JSON_INVALID, TOO_LARGE
 */
export function encodePredicate(type: string, document: PredicateDocument, now: number): EncodedPredicate {
  const uri = predicateTypeUri(type)
  if (uri === predicateTypes.custom) return { type: uri, json: encodeJson(customPredicate(document, now)) }
  if (type === 'spdx' && isText(document)) return { type: uri, json: encodeJson(textOf(document)) }
  // A byte order mark is no part of a JSON text (RFC 8259 section 8.1), and some editors write one.
  const given = isText(document) ? textOf(document).replace(/^\uFEFF/, '') : encodeJson(document)
  const { value, text } = sortJson(given, 'the predicate', { maxDepth })
  const fields = new JsonFields(value, 'predicate', 'STATEMENT_INVALID')
  checks[uri]?.(fields)
  return { type: uri, json: text }
}

/** https://github.com/sigstore/cosign/blob/main/specs/COSIGN_PREDICATE_SPEC.md, with cosign's capitals. */
function customPredicate(document: PredicateDocument, now: number): object {
  if (!isText(document)) {
    throw new DecodingError('STATEMENT_INVALID', 'a custom predicate holds a text: give an object of your own a type of its own, as a URI')
  }
  return { Data: textOf(document), Timestamp: `${new Date(now).toISOString().slice(0, 19)}Z` }
}

function isText(document: PredicateDocument): document is Uint8Array | string {
  return typeof document === 'string' || document instanceof Uint8Array
}

function textOf(document: Uint8Array | string): string {
  return typeof document === 'string' ? document : decodeUtf8(document, 'the predicate')
}
