/** The names of certificate extensions in Fulcio's configuration. */
import type { SigstoreExtensionName } from '../../x509/sigstore-extensions.ts'

/** Ours by theirs. Issuer and token subject are set for every token and have no template. */
export const extensionNames: Readonly<Record<string, SigstoreExtensionName>> = {
  'github-workflow-trigger': 'githubWorkflowTrigger',
  'github-workflow-sha': 'githubWorkflowSha',
  'github-workflow-name': 'githubWorkflowName',
  'github-workflow-repository': 'githubWorkflowRepository',
  'github-workflow-ref': 'githubWorkflowRef',
  'build-signer-uri': 'buildSignerUri',
  'build-signer-digest': 'buildSignerDigest',
  'runner-environment': 'runnerEnvironment',
  'source-repository-uri': 'sourceRepositoryUri',
  'source-repository-digest': 'sourceRepositoryDigest',
  'source-repository-ref': 'sourceRepositoryRef',
  'source-repository-identifier': 'sourceRepositoryIdentifier',
  'source-repository-owner-uri': 'sourceRepositoryOwnerUri',
  'source-repository-owner-identifier': 'sourceRepositoryOwnerIdentifier',
  'build-config-uri': 'buildConfigUri',
  'build-config-digest': 'buildConfigDigest',
  'build-trigger': 'buildTrigger',
  'run-invocation-uri': 'runInvocationUri',
  'source-repository-visibility-at-signing': 'sourceRepositoryVisibilityAtSigning',
  'deployment-environment': 'deploymentEnvironment',
}
