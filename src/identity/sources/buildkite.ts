/** The tokens that a Buildkite agent gets for its job. */
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { variableOf } from '../../http/environment.ts'
import type { TokenSource } from '../token-source.ts'
import { addressIn, askForToken, noToken, tokenIn } from '../token-source.ts'

const title = 'Buildkite'
const defaultEndpoint = 'https://agent.buildkite.com/v3'

/** What `buildkite-agent oidc request-token` does, which asks the same interface with the same variables. */
export const buildkiteSource: TokenSource = {
  name: 'buildkite-agent',
  title,
  takesAudience: true,
  isOffered: ({ env }) => variableOf(env, 'BUILDKITE_AGENT_ACCESS_TOKEN') !== undefined,
  async fetch(request) {
    const { env, audience } = request
    const secret = variableOf(env, 'BUILDKITE_AGENT_ACCESS_TOKEN')
    if (secret === undefined) throw noToken(buildkitePermission)
    const job = variableOf(env, 'BUILDKITE_JOB_ID')
    if (job === undefined) throw noToken('BUILDKITE_AGENT_ACCESS_TOKEN is set, but BUILDKITE_JOB_ID, which names the job, is not')
    const base = addressIn('BUILDKITE_AGENT_ENDPOINT', variableOf(env, 'BUILDKITE_AGENT_ENDPOINT') ?? defaultEndpoint)
    base.pathname = `${base.pathname.replace(/\/+$/, '')}/jobs/${encodeURIComponent(job)}/oidc/tokens`
    const headers = { authorization: `Token ${secret}`, 'content-type': 'application/json', accept: 'application/json' }
    const body = encodeUtf8(JSON.stringify({ audience }))
    return tokenIn({ title }, await askForToken({ title }, base, { method: 'POST', headers, body }, request), 'token')
  },
}

/** What a job lacks. */
export const buildkitePermission =
  'Buildkite gives this job no identity token, because BUILDKITE_AGENT_ACCESS_TOKEN is not set; pass it and BUILDKITE_JOB_ID on to where the job runs (the docker plugin does with "mount-buildkite-agent: true")'
