/** The certificate extensions of Fulcio, 1.3.6.1.4.1.57264.1.1 to .24. */
import { DerReader } from '../encoding/der.ts'
import * as tag from '../encoding/universal-tag.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import * as oid from './object-identifiers.ts'

/** The extensions in the order of their numbers below 1.3.6.1.4.1.57264.1, the first being 1, by the names of the Fulcio specification. */
export const sigstoreExtensionNames = [
  'issuerV1',
  'githubWorkflowTrigger',
  'githubWorkflowSha',
  'githubWorkflowName',
  'githubWorkflowRepository',
  'githubWorkflowRef',
  // An otherName of the subject, and no extension.
  undefined,
  'issuerV2',
  'buildSignerUri',
  'buildSignerDigest',
  'runnerEnvironment',
  'sourceRepositoryUri',
  'sourceRepositoryDigest',
  'sourceRepositoryRef',
  'sourceRepositoryIdentifier',
  'sourceRepositoryOwnerUri',
  'sourceRepositoryOwnerIdentifier',
  'buildConfigUri',
  'buildConfigDigest',
  'buildTrigger',
  'runInvocationUri',
  'sourceRepositoryVisibilityAtSigning',
  'deploymentEnvironment',
  'tokenSubject',
] as const

export type SigstoreExtensionName = Exclude<(typeof sigstoreExtensionNames)[number], undefined>

/** The extensions that a certificate has, by name. */
export type SigstoreExtensions = { readonly [Name in SigstoreExtensionName]?: string }

const lastRawExtension = 6
const arc = `${oid.sigstore}.`

/** The name of an extension's object identifier, if it is one of Fulcio's. */
export function sigstoreExtensionName(extensionOid: string): SigstoreExtensionName | undefined {
  if (!extensionOid.startsWith(arc)) return undefined
  const last = extensionOid.slice(arc.length)
  const number = Number(last)
  return String(number) === last ? sigstoreExtensionNames[number - 1] : undefined
}

/** The number of an extension below 1.3.6.1.4.1.57264.1. */
export function sigstoreExtensionNumber(name: SigstoreExtensionName): number {
  return sigstoreExtensionNames.indexOf(name) + 1
}

/**
 * The text of one extension: `.1` to `.6` hold the bare bytes of the text, later ones a DER UTF8String.
 * @throws DecodingError CERTIFICATE_INVALID when it holds something else
 */
export function parseSigstoreExtension(name: SigstoreExtensionName, value: Uint8Array): string {
  const number = sigstoreExtensionNumber(name)
  try {
    return readText(number, value, 'the certificate extension')
  } catch {
    // Once more, for its name in the message: of twenty in each certificate hardly ever one is wrong.
    return readText(number, value, `the certificate extension ${arc}${number} (${name})`)
  }
}

function readText(number: number, value: Uint8Array, what: string): string {
  if (number <= lastRawExtension) return decodeUtf8(value, what)
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
