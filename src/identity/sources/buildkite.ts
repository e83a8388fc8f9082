/** The tokens that a Buildkite agent gets for its job. */
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { variableOf } from '../../http/environment.ts'
import type { TokenSource } from '../token-source.ts'
import { askForToken, noToken, tokenIn } from '../token-source.ts'

const title = 'Buildkite'
const defaultEndpoint = 'https://agent.buildkite.com/v3'

export const buildkiteSource: TokenSource = {
  name: 'buildkite-agent',
  title,
  isOffered: ({ env }) =>
    variableOf(env, 'BUILDKITE_AGENT_ACCESS_TOKEN') !== undefined && variableOf(env, 'BUILDKITE_JOB_ID') !== undefined,
  async fetch(request) {
    const { env, audience } = request
    const secret = variableOf(env, 'BUILDKITE_AGENT_ACCESS_TOKEN')
    const job = variableOf(env, 'BUILDKITE_JOB_ID')
    if (secret === undefined || job === undefined) throw noToken('BUILDKITE_AGENT_ACCESS_TOKEN and BUILDKITE_JOB_ID are not set')
    const base = (variableOf(env, 'BUILDKITE_AGENT_ENDPOINT') ?? defaultEndpoint).replace(/\/+$/, '')
    const headers = { authorization: `Token ${secret}`, 'content-type': 'application/json', accept: 'application/json' }
    const body = encodeUtf8(JSON.stringify({ audience }))
    const answer = await askForToken(
      { title },
      `${base}/jobs/${encodeURIComponent(job)}/oidc/tokens`,
      { method: 'POST', headers, body },
      request,
    )
    return tokenIn({ title }, answer, 'token')
  },
}
