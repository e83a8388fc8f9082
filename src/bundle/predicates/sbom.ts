/** Bills of materials as JSON: SPDX of versions 2 and 3, CycloneDX. What is in them is checked as far as their schemas require it. */
import { excerpt } from '../../encoding/bytes.ts'
import type { JsonFields } from '../../encoding/json-fields.ts'
import { checkObjects, checkPresent, checkStringList, checkStrings, listOf } from './fields.ts'

/**
 * SPDX: the JSON of version 2 (what its schemas from 2.2 to 2.3 all require), or the JSON-LD of version 3.
 * @throws DecodingError STATEMENT_INVALID
 */
export function checkSpdx(predicate: JsonFields): void {
  if (predicate.has('@context')) {
    // Not required: a document of one element need not be a graph.
    listOf(predicate, '@graph')
    return
  }
  // The first schema of version 2.2 puts everything into a field of its own.
  const document = predicate.has('Document') && !predicate.has('spdxVersion') ? predicate.object('Document') : predicate
  const version = document.string('spdxVersion')
  if (!/^SPDX-2\.\d+(?:\.\d+)?$/.test(version)) {
    throw document.invalid(`${document.pathOf('spdxVersion')} should be a version such as SPDX-2.3, found ${excerpt(version, 40)}`)
  }
  requireStrings(document, 'SPDXID', 'name', 'dataLicense')
  checkStrings(document, 'documentNamespace', 'comment')
  const creation = document.object('creationInfo')
  requireStrings(creation, 'created')
  checkStringList(creation, 'creators')
  for (const element of listOf(document, 'packages')) requireStrings(element, 'SPDXID', 'name', 'downloadLocation')
  for (const file of listOf(document, 'files')) requireStrings(file, 'SPDXID', 'fileName')
  for (const relationship of listOf(document, 'relationships'))
    requireStrings(relationship, 'spdxElementId', 'relationshipType', 'relatedSpdxElement')
}

/** CycloneDX, what its JSON schemas from 1.2 to 1.7 all require. @throws DecodingError STATEMENT_INVALID */
export function checkCycloneDx(predicate: JsonFields): void {
  const format = predicate.string('bomFormat')
  if (format !== 'CycloneDX')
    throw predicate.invalid(`${predicate.pathOf('bomFormat')} should be "CycloneDX", found ${excerpt(format, 40)}`)
  predicate.string('specVersion')
  predicate.optionalInt64('version')
  checkStrings(predicate, 'serialNumber')
  const metadata = predicate.optionalObject('metadata')
  if (metadata !== undefined) {
    checkStrings(metadata, 'timestamp')
    checkObjects(metadata, 'component')
  }
  checkComponents(predicate)
  for (const service of listOf(predicate, 'services')) requireStrings(service, 'name')
  for (const dependency of listOf(predicate, 'dependencies')) requireStrings(dependency, 'ref')
  listOf(predicate, 'vulnerabilities')
}

/** Components may have components. How deep is bounded by how deep JSON may be. */
function checkComponents(parent: JsonFields): void {
  for (const component of listOf(parent, 'components')) {
    requireStrings(component, 'type', 'name')
    checkComponents(component)
  }
}

function requireStrings(fields: JsonFields, ...names: readonly string[]): void {
  checkPresent(fields, ...names)
  checkStrings(fields, ...names)
}
