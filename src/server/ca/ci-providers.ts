/**
 * What certificates for the tokens of CI providers say, unless the configuration says otherwise: templates over the tokens' claims,
 * by the keys of Fulcio's `ci-issuer-metadata`.
 */

/** One provider of `ci-issuer-metadata`. */
export interface CiProvider {
  readonly subjectAlternativeName: string
  /** Templates by Fulcio's names of extensions. */
  readonly extensions: Readonly<Record<string, string>>
  /** Values of claims that tokens may leave out, and constants for templates. */
  readonly defaults: Readonly<Record<string, string>>
}

const github: CiProvider = {
  defaults: { url: 'https://github.com', environment: '' },
  subjectAlternativeName: '{{ .url }}/{{ .job_workflow_ref }}',
  extensions: {
    'github-workflow-trigger': 'event_name',
    'github-workflow-sha': 'sha',
    'github-workflow-name': 'workflow',
    'github-workflow-repository': 'repository',
    'github-workflow-ref': 'ref',
    'build-signer-uri': '{{ .url }}/{{ .job_workflow_ref }}',
    'build-signer-digest': 'job_workflow_sha',
    'runner-environment': 'runner_environment',
    'source-repository-uri': '{{ .url }}/{{ .repository }}',
    'source-repository-digest': 'sha',
    'source-repository-ref': 'ref',
    'source-repository-identifier': 'repository_id',
    'source-repository-owner-uri': '{{ .url }}/{{ .repository_owner }}',
    'source-repository-owner-identifier': 'repository_owner_id',
    'build-config-uri': '{{ .url }}/{{ .workflow_ref }}',
    'build-config-digest': 'workflow_sha',
    'build-trigger': 'event_name',
    'run-invocation-uri': '{{ .url }}/{{ .repository }}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}',
    'source-repository-visibility-at-signing': 'repository_visibility',
    'deployment-environment': 'environment',
  },
}

const gitlabRef = '{{ if eq .ref_type "branch" }}refs/heads/{{ .ref }}{{ else }}refs/tags/{{ .ref }}{{ end }}'

const gitlab: CiProvider = {
  defaults: { url: 'https://gitlab.com', environment: '' },
  subjectAlternativeName: 'https://{{ .ci_config_ref_uri }}',
  extensions: {
    'build-signer-uri': 'https://{{ .ci_config_ref_uri }}',
    'build-signer-digest': 'ci_config_sha',
    'runner-environment': 'runner_environment',
    'source-repository-uri': '{{ .url }}/{{ .project_path }}',
    'source-repository-digest': 'sha',
    'source-repository-ref': gitlabRef,
    'source-repository-identifier': 'project_id',
    'source-repository-owner-uri': '{{ .url }}/{{ .namespace_path }}',
    'source-repository-owner-identifier': 'namespace_id',
    'build-config-uri': 'https://{{ .ci_config_ref_uri }}',
    'build-config-digest': 'ci_config_sha',
    'build-trigger': 'pipeline_source',
    'run-invocation-uri': '{{ .url }}/{{ .project_path }}/-/jobs/{{ .job_id }}',
    'source-repository-visibility-at-signing': 'project_visibility',
    'deployment-environment': 'environment',
  },
}

const buildkite: CiProvider = {
  defaults: { url: 'https://buildkite.com' },
  subjectAlternativeName: '{{ .url }}/{{ .organization_slug }}/{{ .pipeline_slug }}',
  extensions: {
    'runner-environment': 'runner_environment',
    'source-repository-digest': 'build_commit',
    'build-trigger': 'build_source',
    'run-invocation-uri': '{{ .url }}/{{ .organization_slug }}/{{ .pipeline_slug }}/builds/{{ .build_number }}#{{ .job_id }}',
  },
}

const codefresh: CiProvider = {
  defaults: { platform_url: 'https://g.codefresh.io', scm_repo_url: '', scm_ref: '', runner_environment: '' },
  subjectAlternativeName: '{{ .platform_url }}/{{ .account_name }}/{{ .pipeline_name }}:{{ .account_id }}/{{ .pipeline_id }}',
  extensions: {
    'build-signer-uri': '{{ .platform_url }}/build/{{ .workflow_id }}',
    'runner-environment': 'runner_environment',
    'source-repository-uri': 'scm_repo_url',
    'source-repository-ref': 'scm_ref',
    'build-config-uri': '{{ .platform_url }}/api/pipelines/{{ .pipeline_id }}',
    'run-invocation-uri': '{{ .platform_url }}/build/{{ .workflow_id }}',
  },
}

const circle = (name: string): string => `{{ index . "oidc.circleci.com/${name}" }}`
const circleSubject = `{{ .api_url }}/projects/${circle('project-id')}/pipeline-definitions/${circle('pipeline-definition-id')}`

const circleci: CiProvider = {
  defaults: {
    api_url: 'https://circleci.com/api/v2',
    // The slash too is Fulcio's own: run invocations have two of them.
    platform_url: 'https://app.circleci.com/',
    'oidc.circleci.com/ssh-rerun': '',
    'oidc.circleci.com/vcs-origin': '',
    'oidc.circleci.com/vcs-ref': '',
  },
  subjectAlternativeName: circleSubject,
  extensions: {
    'build-signer-uri': circleSubject,
    // The two quotes are Fulcio's own.
    'runner-environment': '{{ if eq (index . "oidc.circleci.com/ssh-rerun") "true" }}ssh-rerun{{ else }}""{{ end }}',
    'source-repository-uri': circle('vcs-origin'),
    'source-repository-ref': circle('vcs-ref'),
    'build-config-uri': `{{ .api_url }}/pipeline/${circle('pipeline-id')}/config`,
    'run-invocation-uri': `{{ .platform_url }}/workflow/${circle('workflow-id')}/job/${circle('job-id')}`,
  },
}

const buddyPipeline = '{{ .base_url }}/{{ .workspace_domain }}/{{ .project_name }}/pipelines/pipeline/{{ .pipeline_id }}'

const buddy: CiProvider = {
  defaults: { base_url: 'https://app.buddy.works', revision: '', ref: '' },
  subjectAlternativeName: buddyPipeline,
  extensions: {
    'build-signer-uri': buddyPipeline,
    'runner-environment': 'runner_environment',
    'source-repository-uri': '{{ .base_url }}/{{ .workspace_domain }}/{{ .project_name }}',
    'source-repository-digest': 'revision',
    'source-repository-ref': 'ref',
    'source-repository-owner-uri': '{{ .base_url }}/{{ .workspace_domain }}',
    'build-trigger': 'triggered_on',
    'run-invocation-uri': `${buddyPipeline}/execution/{{ .execution_id }}`,
  },
}

/** The providers that need no `ci-issuer-metadata`. */
export const ciProviders: Readonly<Record<string, CiProvider>> = {
  'github-workflow': github,
  'gitlab-pipeline': gitlab,
  'buildkite-job': buildkite,
  'codefresh-workflow': codefresh,
  'circleci-job': circleci,
  'buddy-pipeline': buddy,
}

/** Deprecated issuer types that name a provider. */
export const providerOfType: Readonly<Record<string, string>> = {
  'github-workflow': 'github-workflow',
  'gitlab-pipeline': 'gitlab-pipeline',
  'buildkite-job': 'buildkite-job',
  'codefresh-workflow': 'codefresh-workflow',
}
