/** The identity flags of the verify verbs, with cosign's rules and messages (`cosign verify`, part 3.2 of its behaviour). */
import { UsageError } from '../../error.ts'
import type { CertificateIdentity, Pattern, TextMatcher } from '../../verify/policy.ts'
import type { SigstoreExtensionName } from '../../x509/sigstore-extensions.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'

export interface IdentityFlags {
  readonly 'certificate-identity': string
  readonly 'certificate-identity-regexp': string
  readonly 'certificate-oidc-issuer': string
  readonly 'certificate-oidc-issuer-regexp': string
  readonly 'certificate-github-workflow-trigger': string
  readonly 'certificate-github-workflow-sha': string
  readonly 'certificate-github-workflow-name': string
  readonly 'certificate-github-workflow-repository': string
  readonly 'certificate-github-workflow-ref': string
}

const workflowFlags = {
  'certificate-github-workflow-trigger': 'githubWorkflowTrigger',
  'certificate-github-workflow-sha': 'githubWorkflowSha',
  'certificate-github-workflow-name': 'githubWorkflowName',
  'certificate-github-workflow-repository': 'githubWorkflowRepository',
  'certificate-github-workflow-ref': 'githubWorkflowRef',
} as const satisfies Partial<Record<keyof IdentityFlags, SigstoreExtensionName>>

/** Whether any identity was asked for. */
export function asksForIdentity(flags: IdentityFlags): boolean {
  return flags['certificate-identity'] !== '' || flags['certificate-identity-regexp'] !== ''
}

/** Warns of what was asked of a certificate where there is none, as with `--key`: cosign passes over it without a word. */
export function warnOfCertificateFlags(context: CommandContext, flags: IdentityFlags): void {
  const names = ['certificate-oidc-issuer', 'certificate-oidc-issuer-regexp', ...Object.keys(workflowFlags)]
  const given = names.filter((name) => flags[name as keyof IdentityFlags] !== '').map((name) => `--${name}`)
  if (given.length > 0) warn(context, `nothing is checked of ${given.join(', ')}: a signature with a key has no certificate`)
}

/**
 * The identity that the flags describe. Both an exact value and a pattern must match where both are given.
 * @throws UsageError USAGE when identity or issuer is missing, POLICY_INVALID for a pattern that RE2 does not take
 */
export async function readIdentity(flags: IdentityFlags): Promise<CertificateIdentity> {
  if (!asksForIdentity(flags)) {
    throw new UsageError('USAGE', '--certificate-identity or --certificate-identity-regexp is required for verification in keyless mode')
  }
  if (flags['certificate-oidc-issuer'] === '' && flags['certificate-oidc-issuer-regexp'] === '') {
    throw new UsageError(
      'USAGE',
      '--certificate-oidc-issuer or --certificate-oidc-issuer-regexp is required for verification in keyless mode',
    )
  }
  const extensions: { [Name in SigstoreExtensionName]?: TextMatcher } = {}
  for (const [flag, extension] of Object.entries(workflowFlags)) {
    const value = flags[flag as keyof typeof workflowFlags]
    if (value !== '') extensions[extension] = value
  }
  return {
    subjectAlternativeName: await readMatcher(flags['certificate-identity'], flags['certificate-identity-regexp']),
    issuer: await readMatcher(flags['certificate-oidc-issuer'], flags['certificate-oidc-issuer-regexp']),
    extensions,
  }
}

async function readMatcher(exact: string, source: string): Promise<TextMatcher> {
  if (source === '') return exact
  const pattern = await compile(source)
  return exact === '' ? pattern : [exact, pattern]
}

async function compile(source: string): Promise<Pattern> {
  const { compilePattern } = await import('../../verify/pattern.ts')
  return compilePattern(source)
}
