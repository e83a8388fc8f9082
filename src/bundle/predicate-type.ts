/** The types of in-toto predicates: URIs, and the short names that cosign's `--type` has for some. */
import { UsageError } from '../error.ts'

/** Types whose predicates are made or checked in a way of their own. */
export const predicateTypes = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  slsaProvenance02: 'https://slsa.dev/provenance/v0.2',
  slsaProvenance1: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  cycloneDx: 'https://cyclonedx.org/bom',
  link: 'https://in-toto.io/Link/v1',
  vulnerabilityScan: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openVex: 'https://openvex.dev/ns',
} as const

const names: Readonly<Record<string, string>> = {
  custom: predicateTypes.custom,
  slsaprovenance: predicateTypes.slsaProvenance02,
  slsaprovenance02: predicateTypes.slsaProvenance02,
  slsaprovenance1: predicateTypes.slsaProvenance1,
  spdx: predicateTypes.spdx,
  spdxjson: predicateTypes.spdx,
  cyclonedx: predicateTypes.cycloneDx,
  link: predicateTypes.link,
  vuln: predicateTypes.vulnerabilityScan,
  openvex: predicateTypes.openVex,
}

/** What cosign 1 wrote for two of its names: URIs without their scheme. */
const formerTypes: Readonly<Record<string, string>> = {
  custom: 'cosign.sigstore.dev/attestation/v1',
  vuln: 'cosign.sigstore.dev/attestation/vuln/v1',
}

/**
 * The types that an attestation of this name or URI may have: that of `predicateTypeUri`, and for the names `custom` and `vuln` what
 * cosign 1 wrote for them. A URI stands for itself only.
 * @throws UsageError USAGE
 */
export function acceptedPredicateTypes(type: string): readonly string[] {
  const former = Object.hasOwn(formerTypes, type) ? formerTypes[type] : undefined
  return [predicateTypeUri(type), ...(former === undefined ? [] : [former])]
}

/**
 * The URI that a name or URI stands for. A URI without its scheme is let through, because attestations have such types; a single
 * word that is no name is a typing mistake.
 * @throws UsageError USAGE
 */
export function predicateTypeUri(type: string): string {
  const uri = Object.hasOwn(names, type) ? names[type] : undefined
  if (uri !== undefined) return uri
  if (/^\S*[:/]\S+$/.test(type)) return type
  throw new UsageError('USAGE', `invalid predicate type: ${type} (expected a URI or one of ${Object.keys(names).join(', ')})`)
}
