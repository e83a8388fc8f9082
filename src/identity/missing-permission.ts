/** What a CI job lacks to get an identity token. */
import type { Environment } from '../http/environment.ts'
import { buildkitePermission } from './sources/buildkite.ts'
import { githubPermission } from './sources/github-actions.ts'

/** What is said about a system without a token, and how it is recognised: by the first of these variables that is set. */
const permissions: readonly (readonly [variables: readonly string[], missing: string])[] = [
  [['GITHUB_ACTIONS'], githubPermission],
  [['GITLAB_CI'], 'GitLab gives this job no identity token; add "id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore" to the job'],
  [['CIRCLECI'], 'CircleCI gives this job no identity token; let the job use a context'],
  [['BUILDKITE'], buildkitePermission],
  [
    ['CF_BUILD_ID'],
    'Codefresh gives this pipeline no identity token; put the step obtain-oidc-id-token before this one, and its token into SIGSTORE_ID_TOKEN',
  ],
  [
    ['CI', 'JENKINS_URL', 'TEAMCITY_VERSION', 'TF_BUILD', 'BITBUCKET_BUILD_NUMBER', 'CODEBUILD_BUILD_ID'],
    'this CI job is offered no identity token, and nobody can sign in there',
  ],
]

/**
 * Why there is nobody to sign in: what a CI job lacks to get a token, in one sentence.
 * @returns undefined outside CI
 */
export function missingPermission(env: Environment): string | undefined {
  const missing = permissions.find(([variables]) => variables.some((name) => isSet(env[name])))?.[1]
  return missing === undefined ? undefined : `${missing}, or give a token with --identity-token or SIGSTORE_ID_TOKEN`
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}
