/** What GitHub Actions is to a job and to a certificate authority: an issuer under its own name, and tokens for jobs that may have one. */
import { testIssuer } from '../../support/foreign-issuer.ts'
import type { InternetSite } from '../../support/internet.ts'
import { namedKey } from '../../support/universe/keys.ts'

export const githubIssuer = 'https://token.actions.githubusercontent.com'

/** Where jobs ask for their tokens. */
const tokenService = 'https://pipelines.actions.githubusercontent.com'

/** The names it answers under. */
export const githubHosts: readonly string[] = [githubIssuer, tokenService].map((url) => new URL(url).hostname)

const secret = 'the secret of the job'

/** What every job finds in its environment, with the permission `id-token: write` or without. */
export const anyJob: Readonly<Record<string, string>> = { CI: 'true', GITHUB_ACTIONS: 'true' }

/**
 * The environment of a job with the permission `id-token: write`.
 * @param workflow such as `org/app/.github/workflows/release.yml@refs/heads/main`
 */
export function jobOf(workflow: string): Readonly<Record<string, string>> {
  return {
    ...anyJob,
    ACTIONS_ID_TOKEN_REQUEST_URL: `${tokenService}/token?workflow=${encodeURIComponent(workflow)}`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
  }
}

/** Makes the site, with a key of its own. */
export function createGithubActions(): InternetSite {
  const key = namedKey('github actions', 'rsa')
  return ({ path, headers: { authorization = '' } }) => {
    // Every token is of its moment: a server takes none that was made long ago.
    const found = documentAt(new URL(path, githubIssuer), authorization, testIssuer(githubIssuer, Date.now(), key))
    return { status: found === undefined ? 404 : 200, body: JSON.stringify(found ?? {}) }
  }
}

function documentAt({ pathname, searchParams }: URL, authorization: string, issuer: ReturnType<typeof testIssuer>): object | undefined {
  switch (pathname) {
    case '/.well-known/openid-configuration':
      return { issuer: githubIssuer, jwks_uri: `${githubIssuer}/.well-known/jwks`, id_token_signing_alg_values_supported: ['RS256'] }
    case '/.well-known/jwks':
      return issuer.keys
    case '/token':
      if (authorization.toLowerCase() !== `bearer ${secret}`) return undefined
      return { value: issuer.token({ ...claimsOf(searchParams.get('workflow') ?? ''), aud: searchParams.get('audience') ?? '' }) }
    default:
      return undefined
  }
}

function claimsOf(workflow: string): Readonly<Record<string, unknown>> {
  const [file = '', ref = ''] = workflow.split('@')
  const repository = file.split('/').slice(0, 2).join('/')
  const sha = '0123456789abcdef0123456789abcdef01234567'
  return {
    sub: `repo:${repository}:ref:${ref}`,
    ref,
    sha,
    repository,
    repository_id: '1001',
    repository_owner: repository.split('/')[0],
    repository_owner_id: '2002',
    repository_visibility: 'public',
    run_id: '3003',
    run_attempt: '1',
    workflow: 'release',
    workflow_ref: workflow,
    workflow_sha: sha,
    job_workflow_ref: workflow,
    job_workflow_sha: sha,
    event_name: 'push',
    runner_environment: 'github-hosted',
  }
}
