/** Fulcio's API, versions 2 and 1: requests for certificates, and answers (fulcio.proto, fulcio_legacy.proto). */
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts'
import { encodePem } from '../encoding/pem.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import type { JsonObject, JsonValue } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { encodePublicKeyPem } from '../crypto/public-key.ts'
import { parseCertificatePem } from '../x509/certificate.ts'
import type { Certificate } from '../x509/certificate.ts'

/** How a client shows that it holds the key. */
export type KeyProof =
  /** A key, as PEM or DER, and its signature over the name of the token's principal. */
  | { readonly kind: 'proof'; readonly publicKey: Uint8Array; readonly signature: Uint8Array }
  /** A certificate signing request, PEM or DER. */
  | { readonly kind: 'csr'; readonly request: Uint8Array }

export interface SigningCertificateRequest {
  /** Undefined where the token is in the `Authorization` header. */
  readonly token: string | undefined
  readonly proof: KeyProof
}

/** Limit of a request, as Fulcio has it. */
export const maxFulcioRequestBytes = 4 * 1024 * 1024
/** Limit of an answer, as clients have it. */
export const maxFulcioAnswerBytes = 1024 * 1024
const maxCertificates = 16
const code = 'REQUEST_INVALID'

export const fulcioPaths = {
  signingCertificate: '/api/v2/signingCert',
  trustBundle: '/api/v2/trustBundle',
  configuration: '/api/v2/configuration',
  signingCertificateV1: '/api/v1/signingCert',
  rootCertificateV1: '/api/v1/rootCert',
} as const

/** A gRPC status: 3 is an invalid argument (HTTP 400), 13 an internal error (500), 14 unavailable (503): clients ask again. */
export interface FulcioRefusal {
  readonly code: 3 | 13 | 14
  readonly message: string
}

/** What the API says went wrong. */
export const fulcioRefusals = {
  token: { code: 3, message: 'There was an error processing the identity token' },
  publicKey: { code: 3, message: 'The public key supplied in the request could not be parsed' },
  insecureKey: { code: 3, message: 'The public key supplied in the request is insecure' },
  proof: { code: 3, message: 'The signature supplied in the request could not be verified' },
  csr: { code: 3, message: 'The certificate signing request could not be parsed' },
  log: { code: 13, message: 'Error entering certificate in CTL' },
  backend: { code: 13, message: 'error communicating with CA backend' },
  overloaded: { code: 14, message: 'the certificate authority is overloaded, try again' },
} as const satisfies Readonly<Record<string, FulcioRefusal>>

/** That no certificates are given for a good key because of how it signs. */
export function algorithmRefusal(description: string): FulcioRefusal {
  return { code: 3, message: `signing algorithm not permitted: ${description}` }
}

/** The names of kinds of keys. Servers go by the key itself. */
const algorithmNames = { ecdsa: 'ECDSA', rsa: 'RSA_PSS', ed25519: 'ED25519' } as const

/** Writes a request of version 2 with a key and its signature over the name of the token's principal. The token goes into the header. */
export function encodeSigningCertificateRequest(key: PublicKey, signature: Uint8Array): string {
  const publicKey = { algorithm: algorithmNames[key.kind], content: encodePublicKeyPem(key) }
  return JSON.stringify({ publicKeyRequest: { publicKey, proofOfPossession: encodeBase64(signature) } })
}

/**
 * Reads a request of version 2. Names are camelCase or snake_case, as proto3 JSON has it; unknown ones are passed over, as Fulcio does.
 * A key that is not there is empty: that it cannot be parsed is said after the token was checked.
 * @throws DecodingError JSON_INVALID, REQUEST_INVALID, TOO_LARGE
 */
export function parseSigningCertificateRequest(body: Uint8Array): SigningCertificateRequest {
  const request = requestFields(body)
  const token = request.optionalObject('credentials')?.optionalString('oidcIdentityToken') || undefined
  const keyRequest = request.optionalObject('publicKeyRequest')
  const csr = request.optionalString('certificateSigningRequest')
  if (keyRequest !== undefined && csr !== undefined) {
    throw request.invalid('the request should have either a publicKeyRequest or a certificateSigningRequest, found both')
  }
  if (csr !== undefined) return { token, proof: signingRequest(csr) }
  // The key says itself of which kind it is.
  const publicKey = encodeUtf8(keyRequest?.optionalObject('publicKey')?.optionalString('content') ?? '')
  return { token, proof: { kind: 'proof', publicKey, signature: bytesOf(keyRequest, 'proofOfPossession') } }
}

/** Reads a request of version 1, whose token is in the header. @throws DecodingError as for version 2 */
export function parseSigningCertificateRequestV1(body: Uint8Array): SigningCertificateRequest {
  const request = requestFields(body)
  const csr = request.optionalString('certificateSigningRequest')
  if (csr) return { token: undefined, proof: signingRequest(csr) }
  const publicKey = bytesOf(request.optionalObject('publicKey'), 'content')
  return { token: undefined, proof: { kind: 'proof', publicKey, signature: bytesOf(request, 'signedEmailAddress') } }
}

function requestFields(body: Uint8Array): JsonFields {
  const limits = { maxBytes: maxFulcioRequestBytes, maxDepth: 8, maxValues: 1_000 }
  return new JsonFields(camelCased(parseJson(body, 'the request', limits), 'the request'), 'the request', code)
}

function signingRequest(text: string): KeyProof {
  return { kind: 'csr', request: lenientBase64(text, 'certificateSigningRequest') }
}

function bytesOf(fields: JsonFields | undefined, name: string): Uint8Array {
  return lenientBase64(fields?.optionalString(name) ?? '', name)
}

/** Makes what writes answers of version 2 for a leaf, DER. @param issuers DER, the root last: they are encoded once */
export function signingCertificateEncoder(issuers: readonly Uint8Array[]): (leaf: Uint8Array) => string {
  const above = issuers.map((der) => `,${JSON.stringify(trimmedPem(der))}`).join('')
  return (leaf) => `{"signedCertificateEmbeddedSct":{"chain":{"certificates":[${JSON.stringify(trimmedPem(leaf))}${above}]}}}`
}

/** Writes an answer of version 1, and that of `rootCert`: PEM. */
export function encodePemChain(chain: readonly Uint8Array[]): string {
  return chain.map((der) => encodePem('CERTIFICATE', der)).join('')
}

/** Writes the chains of all authorities. */
export function encodeTrustBundle(chains: readonly (readonly Uint8Array[])[]): string {
  return JSON.stringify({ chains: chains.map((chain) => ({ certificates: chain.map(trimmedPem) })) })
}

/** Writes an error of version 2: a gRPC status. */
export function encodeFulcioError({ code, message }: FulcioRefusal): string {
  return JSON.stringify({ code, message, details: [] })
}

/**
 * Reads an answer of version 2.
 * @returns the leaf, and what came after it, none of which is trusted
 * @throws DecodingError JSON_INVALID, REQUEST_INVALID, CERTIFICATE_INVALID, TOO_LARGE
 */
export function parseSigningCertificate(body: Uint8Array): { readonly leaf: Certificate; readonly chain: readonly Certificate[] } {
  const answer = new JsonFields(parseJson(body, 'the answer', { maxBytes: maxFulcioAnswerBytes }), 'the answer', code)
  const certificate = answer.optionalObject('signedCertificateEmbeddedSct') ?? answer.object('signedCertificateDetachedSct')
  const texts = certificate.object('chain').array('certificates', maxCertificates)
  const [leaf, ...chain] = texts.flatMap((text) => {
    if (typeof text !== 'string') throw certificate.invalid(`${certificate.path}.chain.certificates should be an array of strings`)
    return parseCertificatePem(text, 'the certificate')
  })
  if (leaf === undefined) throw new DecodingError('CERTIFICATE_INVALID', 'the answer holds no certificate')
  return { leaf, chain }
}

/** With names in camelCase; a name in both spellings is refused as one that stands there twice. */
function camelCased(value: JsonValue, path: string): JsonValue {
  if (!isJsonObject(value) || !hasSnakeCase(value)) return value
  const members = new Map<string, JsonValue>()
  for (const [name, member] of Object.entries(value)) {
    const camel = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    if (members.has(camel)) throw new DecodingError(code, `${path} has the field ${camel} twice`)
    if (member !== undefined) members.set(camel, camelCased(member, `${path}.${camel}`))
  }
  return Object.fromEntries(members)
}

/** Whether there is a name that has to be changed, at any depth. */
function hasSnakeCase(object: JsonObject): boolean {
  for (const name in object) {
    const member = object[name]
    if (name.includes('_') || (isJsonObject(member) && hasSnakeCase(member))) return true
  }
  return false
}

/** Go's decoder of bytes in proto3 JSON takes the URL alphabet, missing padding and line breaks too. */
function lenientBase64(text: string, what: string): Uint8Array {
  const standard = text
    .replaceAll(/[\r\n]/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/={1,2}$/, '')
  try {
    return decodeBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, '='), what)
  } catch (cause) {
    throw new DecodingError(code, `${what} should be base64`, { cause })
  }
}

function trimmedPem(der: Uint8Array): string {
  return encodePem('CERTIFICATE', der).trimEnd()
}
