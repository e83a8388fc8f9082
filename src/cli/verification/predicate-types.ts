/** The short names of in-toto predicate types, as cosign's `--type` has them. */
import { UsageError } from '../../error.ts'

const uris: Readonly<Record<string, string>> = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
}

/**
 * The URI that a name or URI stands for.
 * @throws UsageError USAGE for anything else
 */
export function predicateTypeUri(type: string): string {
  const uri = Object.hasOwn(uris, type) ? uris[type] : undefined
  if (uri !== undefined) return uri
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(type)) return type
  throw new UsageError('USAGE', `invalid predicate type: ${type} (expected a URI or one of ${Object.keys(uris).join(', ')})`)
}
