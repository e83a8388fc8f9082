/**
 * The signatures of ID tokens: compact JWS (RFC 7515 section 5.2) with the keys that an issuer publishes. `jose` says which of them is
 * meant and imports it; `node:crypto` verifies, in a third of the time that WebCrypto takes on Node 20.
 */
import { KeyObject, constants, verify } from 'node:crypto'
import type { VerifyKeyObjectInput } from 'node:crypto'
import { createLocalJWKSet } from 'jose'
import type { JWK } from 'jose'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import type { JsonObject } from '../../encoding/json.ts'

/** A token in its parts, whose header was parsed strictly. */
export interface SignedToken {
  readonly header: JsonObject
  /** The encoded header and payload with the dot between them. */
  readonly signed: string
  readonly signature: Uint8Array
}

/** The keys of an issuer. */
export interface TokenKeys {
  /** The `kid` of those that have one. */
  readonly ids: ReadonlySet<string>
  /** Says why a token is not signed by one of them; undefined when it is. @throws jose's own errors when there is no such key, or it is none */
  complaint(token: SignedToken): Promise<string | undefined>
}

type Verify = (key: KeyObject, signed: Uint8Array, signature: Uint8Array) => boolean

/** How each algorithm verifies (RFC 7518 section 3, RFC 8037). No symmetric one: with those, whoever knows a public key could sign. */
const algorithms: ReadonlyMap<string, Verify> = new Map([
  ['RS256', rsa('sha256')],
  ['RS384', rsa('sha384')],
  ['RS512', rsa('sha512')],
  ['PS256', rsaPss('sha256')],
  ['PS384', rsaPss('sha384')],
  ['PS512', rsaPss('sha512')],
  ['ES256', ecdsa('sha256', 64)],
  ['ES384', ecdsa('sha384', 96)],
  ['ES512', ecdsa('sha512', 132)],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
])

/** The names of all algorithms that a token may be signed with. */
export const tokenAlgorithms: ReadonlySet<string> = new Set(algorithms.keys())

const minRsaBits = 2048

/**
 * The keys of an issuer, each imported when it is first used.
 * @param published as the issuer publishes them; symmetric keys, which have no place in public, are left out
 * @param allowed names of the algorithms that the issuer says it uses
 */
export function createTokenKeys(published: readonly JWK[], allowed: readonly string[]): TokenKeys {
  const keys = published.filter(({ kty }) => kty === 'RSA' || kty === 'EC' || kty === 'OKP')
  const find = createLocalJWKSet({ keys })
  // By algorithm and `kid`, of those that were found: no more than a few for each key.
  const found = new Map<string, KeyObject>()
  const keyFor = async (alg: string, kid: string | undefined): Promise<KeyObject> => {
    const name = kid === undefined ? alg : `${alg} ${kid}`
    const known = found.get(name)
    if (known !== undefined) return known
    const key = KeyObject.from(await find(kid === undefined ? { alg } : { alg, kid }))
    found.set(name, key)
    return key
  }
  return {
    ids: new Set(keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))),
    complaint: async ({ header, signed, signature }) => {
      const extension = extensionComplaint(header)
      if (extension !== undefined) return extension
      const { alg, kid } = header
      const check = typeof alg === 'string' && allowed.includes(alg) ? algorithms.get(alg) : undefined
      if (typeof alg !== 'string' || check === undefined) return 'it is signed with an algorithm that its issuer does not use'
      if (kid !== undefined && typeof kid !== 'string') return 'its header names the key by something else than a text'
      const key = await keyFor(alg, kid)
      const bits = key.asymmetricKeyDetails?.modulusLength
      if (bits !== undefined && bits < minRsaBits) return `it is signed with an RSA key of ${bits} bits, fewer than ${minRsaBits}`
      return check(key, encodeUtf8(signed), signature) ? undefined : 'its signature does not verify'
    },
  }
}

/** RFC 7515 section 4.1.11: an extension that is marked as critical and not known is a reason to refuse; `b64` (RFC 7797) is no more than known. */
function extensionComplaint({ crit, b64 }: JsonObject): string | undefined {
  if (crit === undefined) return undefined
  if (!Array.isArray(crit) || crit.length === 0 || !crit.every((name) => name === 'b64'))
    return 'its header has a critical extension that is not known'
  return b64 === true ? undefined : 'its payload is not encoded as that of a token'
}

function rsa(digest: string): Verify {
  return (key, signed, signature) => verify(digest, signed, key, signature)
}

function rsaPss(digest: string): Verify {
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return (key, signed, signature) => verify(digest, signed, { key, ...options }, signature)
}

/** @param length of r and s together */
function ecdsa(digest: string, length: number): Verify {
  return (key, signed, signature) => {
    const input: VerifyKeyObjectInput = { key, dsaEncoding: 'ieee-p1363' }
    return signature.length === length && verify(digest, signed, input, signature)
  }
}

function ed25519(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, signed, key, signature)
}
