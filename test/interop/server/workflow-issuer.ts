/** An issuer in the shape of GitHub Actions, on this machine: discovery, keys, and a token for whoever asks as a job does. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testIssuer } from '../../support/foreign-issuer.ts'
import { namedKey } from '../../support/universe/keys.ts'

/** Claims of a job, by GitHub's names. */
export const job = {
  sub: 'repo:octo/app:ref:refs/tags/v1.2.3',
  ref: 'refs/tags/v1.2.3',
  sha: '0123456789abcdef0123456789abcdef01234567',
  repository: 'octo/app',
  repository_id: '1001',
  repository_owner: 'octo',
  repository_owner_id: '2002',
  repository_visibility: 'private',
  run_id: '3003',
  run_attempt: '1',
  workflow: 'Release',
  workflow_ref: 'octo/app/.github/workflows/release.yml@refs/tags/v1.2.3',
  workflow_sha: '0123456789abcdef0123456789abcdef01234567',
  job_workflow_ref: 'octo/app/.github/workflows/release.yml@refs/tags/v1.2.3',
  job_workflow_sha: '0123456789abcdef0123456789abcdef01234567',
  event_name: 'push',
  runner_environment: 'github-hosted',
} as const

/** The name of the certificates of that job. */
export const jobIdentity = `https://github.com/${job.job_workflow_ref}`

export interface WorkflowIssuer {
  readonly url: string
  /** The environment of a job: from it, a client gets its token. */
  readonly environment: Readonly<Record<string, string>>
  /** A token of the job, with some claims other than usual. */
  token(claims?: Readonly<Record<string, unknown>>): string
  stop(): Promise<void>
}

/** Starts the issuer on any free port. */
export async function startWorkflowIssuer(): Promise<WorkflowIssuer> {
  const answers = new Map<string, (request: IncomingMessage) => unknown>()
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const answer = answers.get(pathname)?.(request)
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  const issuer = testIssuer(url, Date.now(), namedKey('workflow issuer', 'rsa'))
  const secret = 'the secret of the job'
  answers.set('/.well-known/openid-configuration', () => ({
    issuer: url,
    jwks_uri: `${url}/jwks`,
    id_token_signing_alg_values_supported: ['RS256'],
  }))
  answers.set('/jwks', () => issuer.keys)
  answers.set('/token', ({ url: asked, headers }) => {
    const audience = new URL(asked ?? '/', url).searchParams.get('audience') ?? 'nobody'
    return headers.authorization?.toLowerCase() === `bearer ${secret}` ? { value: issuer.token({ ...job, aud: audience }) } : undefined
  })
  return {
    url,
    environment: {
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    },
    token: (claims = {}) => issuer.token({ ...job, ...claims }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
