/** OpenVEX documents: which vulnerabilities matter to a product. Of version 0.2.0, and of 0.0.1, which had texts for objects. */
import { excerpt } from '../../encoding/bytes.ts'
import type { JsonFields } from '../../encoding/json-fields.ts'
import { checkPresent, checkStrings, checkTimes, listOf } from './fields.ts'

const statuses = ['not_affected', 'affected', 'fixed', 'under_investigation']
const justifications = [
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
]

/** https://github.com/openvex/spec. @throws DecodingError STATEMENT_INVALID */
export function checkOpenVex(predicate: JsonFields): void {
  const context = predicate.string('@context')
  if (!/^https:\/\/openvex\.dev\/ns(?:\/|$)/.test(context)) {
    throw predicate.invalid(`${predicate.pathOf('@context')} should be https://openvex.dev/ns with a version, found ${excerpt(context)}`)
  }
  checkPresent(predicate, '@id', 'author', 'timestamp', 'version', 'statements')
  checkStrings(predicate, '@id', 'author', 'role', 'tooling')
  checkTimes(predicate, 'timestamp', 'last_updated')
  checkVersion(predicate)
  for (const statement of listOf(predicate, 'statements')) checkStatement(statement)
}

function checkStatement(statement: JsonFields): void {
  checkPresent(statement, 'vulnerability')
  if (typeof statement.raw('vulnerability') !== 'string') checkVulnerability(statement.object('vulnerability'))
  checkTimes(statement, 'timestamp', 'last_updated', 'action_statement_timestamp')
  checkStrings(statement, '@id', 'supplier', 'status_notes', 'impact_statement', 'action_statement')
  for (const [index, product] of statement.array('products', 1_000_000).entries()) {
    if (typeof product !== 'string' && (typeof product !== 'object' || product === null || Array.isArray(product)))
      throw statement.invalid(`${statement.pathOf('products')}[${index}] should be an object, or a text as in version 0.0.1`)
  }
  oneOf(statement, 'status', statement.string('status'), statuses)
  const justification = statement.optionalString('justification') ?? ''
  if (justification !== '') oneOf(statement, 'justification', justification, justifications)
  checkReason(statement)
}

/** What a status must be explained with. */
function checkReason(statement: JsonFields): void {
  const status = statement.string('status')
  const lacks = (name: string): boolean => (statement.optionalString(name) ?? '') === ''
  if (status === 'not_affected' && lacks('justification') && lacks('impact_statement')) {
    throw statement.invalid(`${statement.path} has the status not_affected, and neither a justification nor an impact_statement`)
  }
  if (status === 'affected' && lacks('action_statement')) {
    throw statement.invalid(`${statement.path} has the status affected, and no action_statement`)
  }
}

function checkVulnerability(vulnerability: JsonFields): void {
  vulnerability.string('name')
  checkStrings(vulnerability, '@id', 'description')
}

/** An integer; a text of one in version 0.0.1. */
function checkVersion(predicate: JsonFields): void {
  if (typeof predicate.raw('version') !== 'string') predicate.int64('version')
}

function oneOf(fields: JsonFields, name: string, found: string, labels: readonly string[]): void {
  if (labels.includes(found)) return
  throw fields.invalid(`${fields.pathOf(name)} should be one of ${labels.join(', ')}, found ${excerpt(found, 40)}`)
}
