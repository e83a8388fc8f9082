/** The extensions of a certificate that are shown as they come, under the names that cosign gives them. */
import { asBuffer } from '../../encoding/bytes.ts'
import { parseDer } from '../../encoding/der.ts'
import * as tag from '../../encoding/universal-tag.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { Extension } from '../../x509/extension.ts'
import * as oid from '../../x509/object-identifiers.ts'
import type { SignedCertificateTimestamp, UncheckableSct } from '../../x509/sct.ts'
import { parseEmbeddedScts } from '../../x509/sct.ts'
import type { SigstoreExtensionName } from '../../x509/sigstore-extensions.ts'
import { sigstoreExtensionName } from '../../x509/sigstore-extensions.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'

/** One extension, as far as it is understood. */
export type ExtensionDetails = { readonly oid: string; readonly critical: boolean; readonly bytes: Uint8Array } & (
  | { readonly kind: 'text'; readonly label: string; readonly name: string; readonly text: string }
  | { readonly kind: 'scts'; readonly scts: Attempt<readonly (SignedCertificateTimestamp | UncheckableSct)[]> }
  | { readonly kind: 'opaque' }
)

const labels: Readonly<Record<SigstoreExtensionName, string>> = {
  issuerV1: 'OIDC Issuer',
  githubWorkflowTrigger: 'GitHub Workflow Trigger',
  githubWorkflowSha: 'GitHub Workflow SHA',
  githubWorkflowName: 'GitHub Workflow Name',
  githubWorkflowRepository: 'GitHub Workflow Repository',
  githubWorkflowRef: 'GitHub Workflow Ref',
  issuerV2: 'Issuer (V2)',
  buildSignerUri: 'Build Signer URI',
  buildSignerDigest: 'Build Signer Digest',
  runnerEnvironment: 'Runner Environment',
  sourceRepositoryUri: 'Source Repository URI',
  sourceRepositoryDigest: 'Source Repository Digest',
  sourceRepositoryRef: 'Source Repository Ref',
  sourceRepositoryIdentifier: 'Source Repository Identifier',
  sourceRepositoryOwnerUri: 'Source Repository Owner URI',
  sourceRepositoryOwnerIdentifier: 'Source Repository Owner Identifier',
  buildConfigUri: 'Build Config URI',
  buildConfigDigest: 'Build Config Digest',
  buildTrigger: 'Build Trigger',
  runInvocationUri: 'Run Invocation URI',
  sourceRepositoryVisibilityAtSigning: 'Source Repository Visibility At Signing',
  deploymentEnvironment: 'Deployment Environment',
  tokenSubject: 'Token Subject',
}

/** What the other lines of a certificate show already. */
const shownElsewhere = new Set<string>([
  oid.keyUsage,
  oid.extendedKeyUsage,
  oid.subjectKeyIdentifier,
  oid.authorityKeyIdentifier,
  oid.subjectAlternativeName,
])

/** The extensions that no other line of the certificate shows, in their order. */
export function describeExtensions(certificate: Certificate): ExtensionDetails[] {
  return certificate.extensions
    .filter((extension) => !shownElsewhere.has(extension.oid))
    .map((extension) => describe(certificate, extension))
}

function describe(certificate: Certificate, { oid: type, critical, value: bytes }: Extension): ExtensionDetails {
  if (type === oid.embeddedScts) return { oid: type, critical, bytes, kind: 'scts', scts: attempt(() => parseEmbeddedScts(certificate)) }
  // Meant as the type of an otherName, it has no place among the extensions; cosign has a name for it there.
  if (type === oid.sigstoreOtherName)
    return { oid: type, critical, bytes, kind: 'text', label: 'OtherName SAN', name: 'otherName', text: textOf(bytes) }
  const name = sigstoreExtensionName(type)
  const text = name === undefined ? undefined : certificate.sigstore[name]
  if (name === undefined || text === undefined) return { oid: type, critical, bytes, kind: 'opaque' }
  return { oid: type, critical, bytes, kind: 'text', label: labels[name], name, text }
}

function textOf(value: Uint8Array): string {
  const element = attempt(() => parseDer(value, 'the extension')).value
  return asBuffer(element?.tag === tag.utf8String ? element.content : value).toString('utf8')
}
