/** OIDC issuers without a network: they sign tokens and answer discovery through a `send` of their own. */
import { randomBytes, sign } from 'node:crypto'
import { TransportError } from '../../src/error.ts'
import type { HttpResponse, RequestOptions } from '../../src/http/fetch.ts'
import type { TestKey } from './universe/keys.ts'
import { namedKey } from './universe/keys.ts'

/** JSON for tests: whatever `JSON.stringify` takes. */
export type Claims = Readonly<Record<string, unknown>>

export interface TestIssuer {
  readonly url: string
  readonly key: TestKey
  readonly keyId: string
  /** Its keys, as it publishes them. */
  readonly keys: { readonly keys: readonly object[] }
  /** A token. `iss` is the issuer, `aud` is `sigstore`, it is valid from now for five minutes, unless the claims say otherwise. */
  token(claims: Claims, header?: Claims): string
}

/** An issuer whose key is made of its name; `now` in milliseconds. */
export function testIssuer(url: string, now: number, key: TestKey = namedKey(`issuer ${url}`)): TestIssuer {
  const keyId = `key of ${url}`
  return {
    url,
    key,
    keyId,
    keys: { keys: [jwkOf(key, keyId)] },
    token: (claims, header = {}) => {
      const seconds = Math.floor(now / 1000)
      const payload = { iss: url, aud: 'sigstore', iat: seconds, exp: seconds + 300, ...claims }
      return signToken({ alg: key.kind === 'rsa' ? 'RS256' : 'ES256', kid: keyId, typ: 'JWT', ...header }, payload, key)
    },
  }
}

/** The public key as a JSON Web Key. */
export function jwkOf(key: TestKey, keyId?: string): object {
  const jwk = key.publicKey.export({ format: 'jwk' })
  return { ...jwk, use: 'sig', alg: key.kind === 'rsa' ? 'RS256' : 'ES256', ...(keyId === undefined ? {} : { kid: keyId }) }
}

/** A token in JWS compact form (RFC 7515 section 7.1). */
export function signToken(header: Claims, payload: Claims | string, key: TestKey): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const signed = `${base64Url(JSON.stringify(header))}.${base64Url(text)}`
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${base64Url(signature)}`
}

/** base64url without padding. */
export function base64Url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString('base64url')
}

/** A web of documents that counts what is asked. */
export interface TestWeb {
  readonly send: (url: string | URL, options: RequestOptions) => Promise<HttpResponse>
  /** Every address that was asked, in order. */
  readonly asked: string[]
  /** The options of the requests. */
  readonly options: RequestOptions[]
  /** Puts a document at an address: an object as JSON, a text as it is, an error to throw. */
  put(url: string, document: object | string | Error, status?: number): void
  /** Publishes an issuer as OpenID Connect Discovery has it. */
  publish(issuer: TestIssuer, metadata?: Claims): void
}

/** A web with these issuers. */
export function testWeb(...issuers: readonly TestIssuer[]): TestWeb {
  const documents = new Map<string, { readonly document: object | string | Error; readonly status: number }>()
  const asked: string[] = []
  const options: RequestOptions[] = []
  const put: TestWeb['put'] = (url, document, status = 200) => void documents.set(url, { document, status })
  const web: TestWeb = {
    asked,
    options,
    put,
    publish: (issuer, metadata = {}) => {
      const base = issuer.url.replace(/\/$/, '')
      put(`${base}/.well-known/openid-configuration`, {
        issuer: issuer.url,
        jwks_uri: `${base}/keys`,
        id_token_signing_alg_values_supported: [issuer.key.kind === 'rsa' ? 'RS256' : 'ES256'],
        ...metadata,
      })
      put(`${base}/keys`, issuer.keys)
    },
    send: async (url, requestOptions) => {
      asked.push(String(url))
      options.push(requestOptions)
      const found = documents.get(String(url))
      if (found === undefined) throw new TransportError('NETWORK_FAILED', `there is nothing at ${String(url)}`)
      if (found.document instanceof Error) throw found.document
      const text = typeof found.document === 'string' ? found.document : JSON.stringify(found.document)
      await Promise.resolve()
      return { url: String(url), status: found.status, headers: {}, body: Buffer.from(text) }
    },
  }
  for (const issuer of issuers) web.publish(issuer)
  return web
}

/** A text that nothing expects. */
export function noise(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length)
}
