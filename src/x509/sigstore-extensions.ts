/** The certificate extensions of Fulcio, 1.3.6.1.4.1.57264.1.1 to .24. */
import { DerReader } from '../encoding/der.ts'
import { tag } from '../encoding/der-tag.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import { oid } from './object-identifiers.ts'

/** Number below 1.3.6.1.4.1.57264.1 of each extension, by the name of the Fulcio specification. */
export const sigstoreExtensionNumbers = {
  issuerV1: 1,
  githubWorkflowTrigger: 2,
  githubWorkflowSha: 3,
  githubWorkflowName: 4,
  githubWorkflowRepository: 5,
  githubWorkflowRef: 6,
  issuerV2: 8,
  buildSignerUri: 9,
  buildSignerDigest: 10,
  runnerEnvironment: 11,
  sourceRepositoryUri: 12,
  sourceRepositoryDigest: 13,
  sourceRepositoryRef: 14,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwnerUri: 16,
  sourceRepositoryOwnerIdentifier: 17,
  buildConfigUri: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocationUri: 21,
  sourceRepositoryVisibilityAtSigning: 22,
  deploymentEnvironment: 23,
  tokenSubject: 24,
} as const

export type SigstoreExtensionName = keyof typeof sigstoreExtensionNumbers

/** The extensions that a certificate has, by name. */
export type SigstoreExtensions = { readonly [Name in SigstoreExtensionName]?: string }

const lastRawExtension = 6
const nameByOid = new Map<string, SigstoreExtensionName>()
for (const [name, number] of Object.entries(sigstoreExtensionNumbers)) {
  nameByOid.set(`${oid.sigstore}.${number}`, name as SigstoreExtensionName)
}

/** The name of an extension's object identifier, if it is one of Fulcio's. */
export function sigstoreExtensionName(extensionOid: string): SigstoreExtensionName | undefined {
  return nameByOid.get(extensionOid)
}

/**
 * The text of one extension: `.1` to `.6` hold the bare bytes of the text, later ones a DER UTF8String.
 * @throws DecodingError CERTIFICATE_INVALID when it holds something else
 */
export function parseSigstoreExtension(name: SigstoreExtensionName, value: Uint8Array): string {
  const what = `the certificate extension ${oid.sigstore}.${sigstoreExtensionNumbers[name]} (${name})`
  if (sigstoreExtensionNumbers[name] <= lastRawExtension) return decodeUtf8(value, what)
  const reader = new DerReader(value, what)
  const found = reader.peekTag()
  const content = reader.content(found, what)
  reader.end()
  if (found !== tag.utf8String)
    throw new DecodingError('CERTIFICATE_INVALID', `${what} should be a UTF8String, found tag 0x${found.toString(16)}`)
  return decodeUtf8(content, what)
}

/** The OIDC issuer: extension `.8`, and `.1` in certificates from before it existed. */
export function issuerOf(extensions: SigstoreExtensions): string | undefined {
  return extensions.issuerV2 ?? extensions.issuerV1
}
