/**
 * SLSA provenance of versions 0.2 and 1. Unset, null and empty mean the same there, so of the required fields only those must be
 * there that mean nothing when they are empty.
 */
import type { JsonFields } from '../../encoding/json-fields.ts'
import { checkObjects, checkResourceDescriptors, checkStringMap, checkStrings, checkTimes, listOf } from './fields.ts'

/** https://slsa.dev/spec/v0.2/provenance. @throws DecodingError STATEMENT_INVALID */
export function checkSlsaProvenance02(predicate: JsonFields): void {
  predicate.object('builder').string('id')
  predicate.string('buildType')
  const invocation = predicate.optionalObject('invocation')
  if (invocation !== undefined) {
    const source = invocation.optionalObject('configSource')
    if (source !== undefined) {
      checkStrings(source, 'uri', 'entryPoint')
      checkStringMap(source, 'digest')
    }
    checkObjects(invocation, 'parameters', 'environment')
  }
  checkObjects(predicate, 'buildConfig')
  const metadata = predicate.optionalObject('metadata')
  if (metadata !== undefined) checkMetadata02(metadata)
  for (const material of listOf(predicate, 'materials')) {
    checkStrings(material, 'uri')
    checkStringMap(material, 'digest')
  }
}

/** https://slsa.dev/spec/v1.1/provenance. @throws DecodingError STATEMENT_INVALID */
export function checkSlsaProvenance1(predicate: JsonFields): void {
  const definition = predicate.object('buildDefinition')
  definition.string('buildType')
  checkObjects(definition, 'externalParameters', 'internalParameters')
  checkResourceDescriptors(definition, 'resolvedDependencies')
  const run = predicate.object('runDetails')
  const builder = run.object('builder')
  builder.string('id')
  checkStringMap(builder, 'version')
  checkResourceDescriptors(builder, 'builderDependencies')
  const metadata = run.optionalObject('metadata')
  if (metadata !== undefined) {
    // The first Go types of this predicate spelled it with a capital D, and many builders still do.
    checkStrings(metadata, 'invocationId', 'invocationID')
    checkTimes(metadata, 'startedOn', 'finishedOn')
  }
  checkResourceDescriptors(run, 'byproducts')
}

function checkMetadata02(metadata: JsonFields): void {
  checkStrings(metadata, 'buildInvocationId')
  checkTimes(metadata, 'buildStartedOn', 'buildFinishedOn')
  metadata.optionalBoolean('reproducible')
  const completeness = metadata.optionalObject('completeness')
  for (const name of ['parameters', 'environment', 'materials']) completeness?.optionalBoolean(name)
}
