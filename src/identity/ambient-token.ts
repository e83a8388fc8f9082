/** The token that the place a command runs in offers: a CI job's, a cloud machine's, a pod's. */
import { open } from 'node:fs/promises'
import { CountersignError, UsageError } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { buildkiteSource } from './sources/buildkite.ts'
import { circleciSource, environmentSource } from './sources/environment.ts'
import { githubActionsSource, githubPermission } from './sources/github-actions.ts'
import { googleImpersonationSource, googleWorkloadSource } from './sources/google.ts'
import { projectedFileSource } from './sources/projected-file.ts'
import { spiffeSource } from './sources/spiffe.ts'
import type { Surroundings, TokenSource } from './token-source.ts'

export interface AmbientTokenOptions {
  readonly env: Environment
  /** Whom the token is for; default `sigstore`. */
  readonly audience?: string
  /** The name of the one source to ask, instead of the first that offers a token. */
  readonly provider?: string
  readonly signal?: AbortSignal
  /** How system files are read; default from the disk. */
  readonly readFile?: Surroundings['readFile']
}

/** In the order in which they are asked. */
const sources: readonly TokenSource[] = [
  environmentSource,
  githubActionsSource,
  circleciSource,
  buildkiteSource,
  googleImpersonationSource,
  googleWorkloadSource,
  spiffeSource,
  projectedFileSource,
]

/** cosign's help says `google` for what it calls otherwise; a GitLab job has its token in the environment. */
const otherNames: Readonly<Record<string, string>> = { google: 'google-workload-identity', gitlab: 'envvar' }

/** The names that `--oidc-provider` takes. */
export const tokenSourceNames: readonly string[] = sources.map(({ name }) => name)

/** Whom Fulcio expects tokens to be for. */
export const defaultAudience = 'sigstore'

/**
 * Gets the ambient token. The first source that offers one decides: when it fails, no other is tried, because its token would be
 * of another identity.
 * @returns undefined when no source offers one
 * @throws CountersignError SIGN_IN_FAILED; UsageError USAGE for a provider that does not exist
 */
export async function ambientToken(options: AmbientTokenOptions): Promise<string | undefined> {
  const { env, audience = defaultAudience, provider, signal, readFile = readSystemFile } = options
  const surroundings = { env, readFile }
  const source = provider === undefined ? await firstOffered(surroundings) : sourceNamed(provider)
  if (source === undefined) return undefined
  try {
    return await source.fetch({ ...surroundings, audience, signal })
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code !== 'SIGN_IN_FAILED') throw cause
    throw new CountersignError('SIGN_IN_FAILED', `fetching ambient OIDC credentials: ${cause.message}`, { cause })
  }
}

/**
 * Why there is nobody to sign in: what a CI job lacks to get a token, in one sentence.
 * @returns undefined outside CI
 */
export function missingPermission(env: Environment): string | undefined {
  const otherwise = 'or give one with --identity-token or SIGSTORE_ID_TOKEN'
  if (env['GITHUB_ACTIONS'] === 'true') return `${githubPermission}, ${otherwise}`
  if (env['GITLAB_CI'] === 'true')
    return 'GitLab gives this job no identity token; add "id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore" to the job, or give one with --identity-token'
  if (env['CIRCLECI'] === 'true') return `CircleCI gives this job no identity token; let the job use a context, ${otherwise}`
  if (env['BUILDKITE'] === 'true')
    return `Buildkite gives this job no identity token; let the job reach its agent (BUILDKITE_AGENT_ACCESS_TOKEN), ${otherwise}`
  const isCi =
    isSet(env['CI']) ||
    ['JENKINS_URL', 'TEAMCITY_VERSION', 'TF_BUILD', 'BITBUCKET_BUILD_NUMBER', 'CODEBUILD_BUILD_ID'].some((name) => isSet(env[name]))
  if (!isCi) return undefined
  return 'this CI job is offered no identity token, and nobody can sign in there; give one with --identity-token or SIGSTORE_ID_TOKEN'
}

async function firstOffered(surroundings: Surroundings): Promise<TokenSource | undefined> {
  for (const source of sources) if (await source.isOffered(surroundings)) return source
  return undefined
}

function sourceNamed(name: string): TokenSource {
  const source = sources.find((candidate) => candidate.name === (otherNames[name] ?? name))
  if (source !== undefined) return source
  throw new UsageError(
    'USAGE',
    `there is no OIDC provider ${JSON.stringify(name.slice(0, 60))}, expected one of ${tokenSourceNames.join(', ')}`,
  )
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}

const maxFileBytes = 256 * 1024

async function readSystemFile(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, 'r')
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxFileBytes), 0, maxFileBytes, 0)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch {
    return undefined
  }
}
