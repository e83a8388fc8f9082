/**
 * The credentials that programs use on Google Cloud by default: those of a file, or else the machine's. Of the kinds of files, service account
 * keys (RFC 7523) and what `gcloud auth application-default login` leaves are known.
 */
import { createPrivateKey, sign } from 'node:crypto'
import { encodeUtf8, excerpt } from '../../encoding/bytes.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { variableOf } from '../../http/environment.ts'
import type { Surroundings, TokenRequest } from '../token-source.ts'
import { addressIn, askForToken, noToken, tokenIn } from '../token-source.ts'
import { askMetadata } from './google-metadata.ts'

const title = 'Google Cloud'
const tokenEndpoint = 'https://oauth2.googleapis.com/token'
const scope = 'https://www.googleapis.com/auth/cloud-platform'
const lifetimeSeconds = 600

/**
 * Gets an access token.
 * @throws CountersignError SIGN_IN_FAILED, which shows nothing of the credentials
 */
export async function googleAccessToken(request: TokenRequest): Promise<string> {
  const file = await credentialsFile(request)
  if (file === undefined) return tokenIn({ title }, await askMetadata(request, 'token'), 'access_token')
  const credentials = readCredentials(file, await request.files.read(file))
  const endpoint = endpointOf(file, credentials)
  const form = new URLSearchParams(grantOf(file, credentials, endpoint))
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const answer = await askForToken({ title }, endpoint, { method: 'POST', headers, body: encodeUtf8(form.toString()) }, request)
  return tokenIn({ title }, answer, 'access_token')
}

/** The file that the environment names, or the one that gcloud keeps where there is one. */
async function credentialsFile({ env, files }: Surroundings): Promise<string | undefined> {
  const named = variableOf(env, 'GOOGLE_APPLICATION_CREDENTIALS')
  if (named !== undefined) return named
  const home = variableOf(env, 'HOME')
  const folder = variableOf(env, 'CLOUDSDK_CONFIG') ?? (home === undefined ? undefined : `${home}/.config/gcloud`)
  const kept = folder === undefined ? undefined : `${folder}/application_default_credentials.json`
  return kept !== undefined && (await files.exists(kept)) ? kept : undefined
}

function readCredentials(file: string, text: string): JsonObject {
  try {
    const value = parseJson(text, file, { maxDepth: 16 })
    if (isJsonObject(value)) return value
  } catch {
    // The reason may quote the file, which holds secrets.
  }
  throw noToken(`${file} should hold credentials for Google Cloud in JSON, and does not`)
}

/** The secret goes nowhere unencrypted, but to this machine. */
function endpointOf(file: string, credentials: JsonObject): URL {
  const named = credentials['token_uri']
  const url = addressIn(`token_uri in ${file}`, typeof named === 'string' ? named : tokenEndpoint)
  if (url.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) return url
  throw noToken(`token_uri in ${file} should be an https:// address`)
}

/** What the token endpoint is asked with. */
function grantOf(file: string, credentials: JsonObject, endpoint: URL): Record<string, string> {
  const text = (member: string): string => {
    const value = credentials[member]
    if (typeof value === 'string' && value !== '') return value
    throw noToken(`${file} should hold ${member}, and does not`)
  }
  const { type } = credentials
  switch (type) {
    case 'service_account':
      return {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: signAssertion(file, text('client_email'), text('private_key'), endpoint),
      }
    case 'authorized_user':
      return {
        grant_type: 'refresh_token',
        client_id: text('client_id'),
        client_secret: text('client_secret'),
        refresh_token: text('refresh_token'),
      }
    default:
      throw noToken(
        `${file} holds credentials of ${typeof type === 'string' ? `the type ${excerpt(type, 40)}` : 'no type'}, expected service_account or authorized_user; ` +
          'get a token with gcloud auth print-identity-token, and give it with --identity-token',
      )
  }
}

/** RFC 7523 section 2.1. */
function signAssertion(file: string, account: string, privateKey: string, endpoint: URL): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: account, scope, aud: endpoint.href, iat: now, exp: now + lifetimeSeconds }
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
  try {
    const key = createPrivateKey(privateKey)
    if (key.asymmetricKeyType !== 'rsa') throw new Error('it is no RSA key')
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
  } catch (cause) {
    throw noToken(`private_key in ${file} should be an RSA key in PEM, and is not`, cause)
  }
}
