/** Tokens that fulcio and our certificate authority are both sent, and what becomes of them. */
import type { Claims } from '../support/foreign-issuer.ts'

/** Of a GitHub workflow. */
export const github = {
  sub: 'repo:octo/app:ref:refs/heads/main',
  event_name: 'push',
  sha: '3f786850e387550fdab836ed7e6dc881de23001b',
  workflow: 'Release <& "it"> ✓',
  repository: 'octo/app',
  repository_owner: 'octo',
  repository_id: '1',
  repository_owner_id: 2,
  repository_visibility: 'public',
  ref: 'refs/heads/main',
  job_workflow_ref: 'octo/app/.github/workflows/r.yml@refs/heads/main',
  job_workflow_sha: '89e6c98d92887913cadf06b2adb97f26cde4849b',
  workflow_ref: 'octo/app/.github/workflows/r.yml@refs/heads/main',
  workflow_sha: '89e6c98d92887913cadf06b2adb97f26cde4849b',
  runner_environment: 'github-hosted',
  run_id: '12345678901',
  run_attempt: '1',
}
const gitlab = {
  sub: 'project_path:group/project:ref_type:branch:ref:main',
  ci_config_ref_uri: 'gitlab.com/group/project//.gitlab-ci.yml@refs/heads/main',
  ci_config_sha: '89e6c98d',
  runner_environment: 'gitlab-hosted',
  project_path: 'group/project',
  sha: '3f786850',
  ref: 'main',
  ref_type: 'branch',
  project_id: '11',
  namespace_path: 'group',
  namespace_id: '12',
  pipeline_source: 'push',
  job_id: '13',
  project_visibility: 'private',
}
const buildkite = {
  sub: 'organization:octo:pipeline:app',
  organization_slug: 'octo',
  pipeline_slug: 'app',
  runner_environment: 'self-hosted',
  build_commit: '3f786850',
  build_source: 'webhook',
  build_number: 17,
  job_id: '0184990a',
}
const codefresh = {
  sub: 'account:1:pipeline:2',
  account_name: 'octo',
  pipeline_name: 'group/app',
  account_id: '1',
  pipeline_id: '2',
  workflow_id: '3',
}
const circleci = {
  sub: 'org/1/project/2/user/3',
  'oidc.circleci.com/project-id': '2',
  'oidc.circleci.com/pipeline-definition-id': '4',
  'oidc.circleci.com/pipeline-id': '5',
  'oidc.circleci.com/workflow-id': '6',
  'oidc.circleci.com/job-id': '7',
  'oidc.circleci.com/ssh-rerun': false,
  'oidc.circleci.com/vcs-origin': 'github.com/octo/app',
  'oidc.circleci.com/vcs-ref': 'refs/heads/main',
}
const buddy = {
  sub: 'workspace:octo:project:app',
  workspace_domain: 'octo',
  project_name: 'app',
  pipeline_id: 8,
  execution_id: '9',
  runner_environment: 'platform-hosted',
  triggered_on: 'EVENT',
}
/** Of a person whose address is verified. */
export const person = { sub: '42', email: 'ada@example.com', email_verified: true }
const pod = { sub: 'system:serviceaccount:default:builder', 'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'builder' } } }

/** A name, the issuer, its claims, and what the client signs if that is not the subject. */
export type Case = readonly [name: string, place: string, claims: Claims, challenge?: string]

/** What both certify, in the same way. */
export const certifiedAlike: readonly Case[] = [
  ['a person', 'email', person, 'ada@example.com'],
  ['a person whose address is verified as a text', 'email', { ...person, email_verified: 'true' }, 'ada@example.com'],
  [
    'a person with a long address',
    'email',
    { ...person, email: "o'ada+tag_x@mail.sub.example.co.uk" },
    "o'ada+tag_x@mail.sub.example.co.uk",
  ],
  ['a person without a verification, where none is asked for', 'unverified', { sub: '42', email: 'ada@example.com' }, 'ada@example.com'],
  [
    'a person of a federated issuer',
    'federated',
    { ...person, federated_claims: { connector_id: 'https://idp.example' } },
    'ada@example.com',
  ],
  ['a GitHub workflow', 'github', github],
  ['a GitHub workflow with an environment', 'github', { ...github, environment: 'production' }],
  [
    'a GitHub workflow on a branch beyond ASCII',
    'github',
    { ...github, job_workflow_ref: "octo/app/.github/workflows/é b.yml@refs/heads/日'本!" },
  ],
  [
    'a GitHub workflow on a branch with a #',
    'github',
    { ...github, job_workflow_ref: 'octo/app/.github/workflows/r.yml@refs/heads/fix#12' },
  ],
  ['a GitHub workflow of an enterprise', 'family/octo-corp', github],
  ['a GitHub workflow whose repository is named as in a claim of its own', 'github', { ...github, url: 'https://ghes.example' }],
  ['a GitLab pipeline of a branch', 'gitlab', gitlab],
  ['a GitLab pipeline of a tag', 'gitlab', { ...gitlab, ref: 'v1', ref_type: 'tag', environment: 'production' }],
  ['a Buildkite job', 'buildkite', buildkite],
  ['a Codefresh workflow', 'codefresh', codefresh],
  [
    'a Codefresh workflow of a repository',
    'codefresh',
    { ...codefresh, scm_repo_url: 'https://github.com/octo/app', scm_ref: 'main', platform_url: 'https://cf.example' },
  ],
  ['a CircleCI job', 'circleci', circleci],
  ['a CircleCI job that was run again with SSH', 'circleci', { ...circleci, 'oidc.circleci.com/ssh-rerun': true }],
  [
    'a CircleCI job without a repository',
    'circleci',
    { ...circleci, 'oidc.circleci.com/vcs-origin': undefined, 'oidc.circleci.com/vcs-ref': undefined },
  ],
  ['a Buddy pipeline', 'buddy', buddy],
  ['a Buddy pipeline of a revision', 'buddy', { ...buddy, revision: '3f786850', ref: 'refs/heads/main' }],
  ['a URI', 'uri', { sub: 'http://127.0.0.1/jobs/1' }],
  ['a URI beyond ASCII', 'uri', { sub: 'http://127.0.0.1/é x?q#f' }],
  ['a user', 'username', { sub: 'ada' }],
  ['a user with letters beyond ASCII', 'username', { sub: 'Ádá' }],
  ['a workload', 'spiffe', { sub: 'spiffe://universe.test/ns/default/sa/builder' }],
  ['a service account', 'kubernetes', pod],
  ['an identity of Chainguard', 'chainguard', { sub: 'abcdef0123/4567' }],
]

/** What both refuse, in the same words. */
export const refusedAlike: readonly Case[] = [
  ['an address that is not verified', 'email', { ...person, email_verified: false }, 'ada@example.com'],
  ['an address that is verified by another word', 'email', { ...person, email_verified: 'yes' }, 'ada@example.com'],
  ['no word on the address', 'email', { sub: '42', email: 'ada@example.com' }, 'ada@example.com'],
  ['no address', 'email', { sub: '42', email_verified: true }, '42'],
  ['two addresses', 'email', { ...person, email: 'ada@example.com,eve@example.com' }, 'ada@example.com,eve@example.com'],
  ['an address with a display name', 'email', { ...person, email: 'Ada <ada@example.com>' }, 'Ada <ada@example.com>'],
  ['an address without a domain', 'email', { ...person, email: 'ada' }, 'ada'],
  ['an address with a blank', 'email', { ...person, email: 'ada @example.com' }, 'ada @example.com'],
  ['a federated issuer that is not named', 'federated', person, 'ada@example.com'],
  ['a proof over another name', 'email', person, 'eve@example.com'],
  ['a URI of another host', 'uri', { sub: 'http://evil.example/jobs/1' }],
  ['a URI of another scheme', 'uri', { sub: 'https://127.0.0.1/jobs/1' }],
  ['a URI without a scheme', 'uri', { sub: '//127.0.0.1/jobs/1' }],
  ['a URI with a blank in front', 'uri', { sub: ' http://127.0.0.1/jobs/1' }],
  ['a URI with a backslash', 'uri', { sub: 'http://127.0.0.1\\@evil.example' }],
  ['a user with an exclamation mark', 'username', { sub: 'ada!evil' }],
  ['a user with an address', 'username', { sub: 'ada@example.com' }],
  ['a workload of another trust domain', 'spiffe', { sub: 'spiffe://evil.test/ns/default' }],
  ['a workload with dots', 'spiffe', { sub: 'spiffe://universe.test/../x' }],
  ['a workload with an empty segment', 'spiffe', { sub: 'spiffe://universe.test//x' }],
  ['a workload with a slash at the end', 'spiffe', { sub: 'spiffe://universe.test/x/' }],
  ['an issuer that is not configured', 'unknown', person, 'ada@example.com'],
  ['an issuer of a family with a further segment', 'family/octo/corp', github],
  ['another audience', 'email', { ...person, aud: 'other' }, 'ada@example.com'],
  ['a token that has expired', 'email', { ...person, exp: 1_700_000_000 }, 'ada@example.com'],
  ['a token from the future', 'email', { ...person, nbf: 4_000_000_000 }, 'ada@example.com'],
]

/** What both refuse: Fulcio says which claim it is about, we say of all tokens the same. */
export const refusedOtherwise: readonly Case[] = [
  ['a workflow without a repository', 'github', { ...github, repository: undefined }],
  ['a workflow of a branch that is no URI', 'github', { ...github, job_workflow_ref: 'octo/app@refs/heads/100%' }],
]

/** What Fulcio certifies, and we do not. */
export const stricter: readonly (readonly [name: string, why: string, place: string, claims: Claims])[] = [
  [
    'a service account without a name',
    'a name with a hole is nobody’s',
    'kubernetes',
    { sub: 'x', 'kubernetes.io': { namespace: 'default' } },
  ],
  [
    'a CircleCI job without a project',
    'a name with a hole is nobody’s',
    'circleci',
    { ...circleci, 'oidc.circleci.com/project-id': undefined },
  ],
  ['a URI of another port', 'another port is another origin', 'uri', { sub: 'http://127.0.0.1:8443/jobs/1' }],
  ['a URI with a user', 'what stands before @ looks like the host', 'uri', { sub: 'http://github.com@127.0.0.1/jobs/1' }],
  ['an identity of Chainguard with dots', 'a name means what it says', 'chainguard', { sub: 'abc/../def' }],
  ['a user with a blank', 'it looks like another', 'username', { sub: 'ada\u00a0' }],
]
