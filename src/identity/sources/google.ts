/** Tokens of Google Cloud: of the service account that a machine or a pod runs as, and of one that it may impersonate. */
import { encodeUtf8, decodeUtf8 } from '../../encoding/bytes.ts'
import { variableOf } from '../../http/environment.ts'
import type { TokenRequest, TokenSource } from '../token-source.ts'
import { askForToken, noToken, tokenIn } from '../token-source.ts'

const title = 'Google Cloud'
const productNameFile = '/sys/class/dmi/id/product_name'
const credentialsHost = 'https://iamcredentials.googleapis.com'

/** The service account of the machine. */
export const googleWorkloadSource: TokenSource = {
  name: 'google-workload-identity',
  title,
  // The metadata server is not asked: elsewhere its name is whatever the network makes of it.
  async isOffered({ env, readFile }) {
    if (variableOf(env, 'GCE_METADATA_HOST') !== undefined) return true
    const product = (await readFile(productNameFile))?.trim()
    return product === 'Google' || product === 'Google Compute Engine'
  },
  async fetch(request) {
    const query = new URLSearchParams({ audience: request.audience, format: 'full' })
    const answer = await askMetadata(request, `identity?${query.toString()}`)
    return decodeUtf8(answer, 'the identity token').trim()
  },
}

/** Another service account, named by GOOGLE_SERVICE_ACCOUNT_NAME. */
export const googleImpersonationSource: TokenSource = {
  name: 'google-impersonate',
  title,
  isOffered: ({ env }) => variableOf(env, 'GOOGLE_SERVICE_ACCOUNT_NAME') !== undefined,
  async fetch(request) {
    const account = variableOf(request.env, 'GOOGLE_SERVICE_ACCOUNT_NAME')
    if (account === undefined) throw noToken('GOOGLE_SERVICE_ACCOUNT_NAME is not set')
    const access = tokenIn({ title }, await askMetadata(request, 'token'), 'access_token')
    const address = `${credentialsHost}/v1/projects/-/serviceAccounts/${encodeURIComponent(account)}:generateIdToken`
    const headers = { authorization: `Bearer ${access}`, 'content-type': 'application/json' }
    const body = encodeUtf8(JSON.stringify({ audience: request.audience, includeEmail: true }))
    return tokenIn({ title }, await askForToken({ title }, address, { method: 'POST', headers, body }, request), 'token')
  },
}

function askMetadata(request: TokenRequest, path: string): Promise<Uint8Array> {
  const host = variableOf(request.env, 'GCE_METADATA_HOST') ?? 'metadata.google.internal'
  const address = `http://${host}/computeMetadata/v1/instance/service-accounts/default/${path}`
  return askForToken({ title }, address, { headers: { 'metadata-flavor': 'Google' } }, request)
}
