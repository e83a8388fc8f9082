/** An OIDC issuer on a port of this machine that says what a test wants it to say, right or wrong. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestServer } from '../unit/http/test-server.ts'
import { startServer } from '../unit/http/test-server.ts'
import type { Claims, TestIssuer } from './foreign-issuer.ts'
import { testIssuer } from './foreign-issuer.ts'

export interface ScriptedIssuer {
  readonly url: string
  readonly server: TestServer
  /** Signs tokens as the issuer. */
  readonly issuer: TestIssuer
  /** The forms that the token endpoint was sent. */
  readonly forms: URLSearchParams[]
}

/** What the token endpoint answers: the members of a token response, an error, or whatever is written to the response. */
export type TokenAnswer = Claims | ((response: ServerResponse) => void)

export interface Script {
  /** Answers of the token endpoint, one after another; the last is repeated. */
  readonly tokens: (issuer: TestIssuer, form: URLSearchParams) => TokenAnswer
  /** Of the answer to a device, beside its codes. */
  readonly device?: Claims
  /** Of the discovery document. */
  readonly metadata?: Claims
}

/** Starts an issuer that ends with the test. */
export async function startScriptedIssuer({ tokens, device = {}, metadata = {} }: Script): Promise<ScriptedIssuer> {
  const forms: URLSearchParams[] = []
  let issuer: TestIssuer | undefined
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = `http://127.0.0.1:${request.socket.localPort}`
    issuer ??= testIssuer(url, Date.now())
    const { pathname } = new URL(request.url ?? '', url)
    if (pathname === '/.well-known/openid-configuration') return json(response, { ...describe(url), ...metadata })
    if (pathname === '/keys') return json(response, issuer.keys)
    if (pathname === '/device') return json(response, { ...deviceCodes(url), ...device })
    if (pathname !== '/token') return void response.writeHead(404).end()
    const form = new URLSearchParams(await textOf(request))
    forms.push(form)
    const said = tokens(issuer, form)
    if (typeof said === 'function') return said(response)
    return json(response, said, 'error' in said ? 400 : 200)
  }
  const server = await startServer((request, response) => void answer(request, response))
  issuer = testIssuer(server.origin, Date.now())
  return { url: server.origin, server, issuer, forms }
}

function describe(url: string): Claims {
  return {
    issuer: url,
    authorization_endpoint: `${url}/auth`,
    token_endpoint: `${url}/token`,
    device_authorization_endpoint: `${url}/device`,
    jwks_uri: `${url}/keys`,
    code_challenge_methods_supported: ['S256'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
  }
}

function deviceCodes(url: string): Claims {
  return {
    device_code: 'device-code',
    user_code: 'ABCD-EFGH',
    verification_uri: `${url}/activate`,
    verification_uri_complete: `${url}/activate?user_code=ABCD-EFGH`,
    expires_in: 60,
    interval: 1,
  }
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
