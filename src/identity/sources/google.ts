/** Tokens of Google Cloud: of the service account that a machine or a pod runs as, and of one that it may impersonate. */
import { encodeUtf8, decodeUtf8 } from '../../encoding/bytes.ts'
import { variableOf } from '../../http/environment.ts'
import type { Surroundings, TokenSource } from '../token-source.ts'
import { addressIn, askForToken, noToken, tokenIn } from '../token-source.ts'
import { googleAccessToken } from './google-credentials.ts'
import { askMetadata } from './google-metadata.ts'

const title = 'Google Cloud'
const productNameFile = '/sys/class/dmi/id/product_name'
const credentialsEndpoint = 'https://iamcredentials.googleapis.com/'
/** As gcloud names the endpoint of a network that reaches Google by addresses of its own. */
const endpointVariable = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS'

/** The service account of the machine. */
export const googleWorkloadSource: TokenSource = {
  name: 'google-workload-identity',
  title,
  takesAudience: true,
  // The metadata server is not asked: elsewhere its name is whatever the network makes of it.
  async isOffered({ env, files }) {
    if (variableOf(env, 'GCE_METADATA_HOST', 'CLOUD_RUN_JOB') !== undefined) return true
    const product = await productName(files)
    return product === 'Google' || product === 'Google Compute Engine'
  },
  async fetch(request) {
    const query = new URLSearchParams({ audience: request.audience, format: 'full' })
    const { body } = await askMetadata(request, `identity?${query.toString()}`)
    return decodeUtf8(body, 'the identity token').trim()
  },
}

/** Another service account, named by GOOGLE_SERVICE_ACCOUNT_NAME. */
export const googleImpersonationSource: TokenSource = {
  name: 'google-impersonate',
  title,
  takesAudience: true,
  isOffered: ({ env }) => variableOf(env, 'GOOGLE_SERVICE_ACCOUNT_NAME') !== undefined,
  async fetch(request) {
    const { env, audience } = request
    const account = variableOf(env, 'GOOGLE_SERVICE_ACCOUNT_NAME')
    if (account === undefined) throw noToken(`${title} gave no identity token: GOOGLE_SERVICE_ACCOUNT_NAME should be set, and is not`)
    const address = addressIn(endpointVariable, variableOf(env, endpointVariable) ?? credentialsEndpoint)
    address.pathname = `/v1/projects/-/serviceAccounts/${encodeURIComponent(account)}:generateIdToken`
    const access = await googleAccessToken(request)
    const headers = { authorization: `Bearer ${access}`, 'content-type': 'application/json' }
    const body = encodeUtf8(JSON.stringify({ audience, includeEmail: true }))
    return tokenIn({ title }, await askForToken({ title }, address, { method: 'POST', headers, body }, request), 'token')
  },
}

async function productName(files: Surroundings['files']): Promise<string | undefined> {
  try {
    return (await files.read(productNameFile)).trim()
  } catch {
    // Other systems have no such file, and some hide it: then it is no machine of Google's.
    return undefined
  }
}
