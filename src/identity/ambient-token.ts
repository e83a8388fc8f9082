/** The token that the place a command runs in offers: a CI job's, a cloud machine's, a pod's. */
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError, UsageError } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { buildkiteSource } from './sources/buildkite.ts'
import { circleciSource, environmentSource } from './sources/environment.ts'
import { githubActionsSource } from './sources/github-actions.ts'
import { googleImpersonationSource, googleWorkloadSource } from './sources/google.ts'
import { projectedFileSource } from './sources/projected-file.ts'
import { spiffeSource } from './sources/spiffe.ts'
import { openSystemFiles } from './system-files.ts'
import { audienceNames, audiencesOfToken, defaultAudience, looksLikeToken } from './token.ts'
import type { Surroundings, TokenSource } from './token-source.ts'
import { noToken } from './token-source.ts'

export interface AmbientTokenOptions {
  readonly env: Environment
  /** Whom the token is for; default `sigstore`. */
  readonly audience?: string
  /** The name of the one source to ask, instead of the first that offers a token. */
  readonly provider?: string
  readonly signal?: AbortSignal
  /** How long a service may take to give it; default 15 s. */
  readonly timeoutMs?: number
  /** Where files of the system are looked for; default `/`. */
  readonly systemRoot?: string
}

/** In the order in which cosign asks them. CircleCI is ours, and stands with the other variables of a job. */
const sources: readonly TokenSource[] = [
  projectedFileSource,
  environmentSource,
  githubActionsSource,
  circleciSource,
  buildkiteSource,
  spiffeSource,
  googleWorkloadSource,
  googleImpersonationSource,
]

/** cosign's help says `google` for what it calls otherwise; a GitLab job has its token in the environment. */
const otherNames: Readonly<Record<string, string>> = { google: 'google-workload-identity', gitlab: 'envvar' }

/** The names that `--oidc-provider` takes. */
export const tokenSourceNames: readonly string[] = sources.map(({ name }) => name)

const defaultTimeoutMs = 15_000

/**
 * Gets the ambient token. The first source that offers one decides: when it fails, no other is tried, because its token would be
 * of another identity.
 * @returns undefined when no source offers one
 * @throws CountersignError SIGN_IN_FAILED, ABORTED; UsageError USAGE for a provider that does not exist
 */
export async function ambientToken(options: AmbientTokenOptions): Promise<string | undefined> {
  const { audience = defaultAudience, provider, timeoutMs = defaultTimeoutMs, signal } = options
  const surroundings = surroundingsOf(options)
  const source = provider === undefined ? await firstOffered(surroundings) : sourceNamed(provider)
  if (source === undefined) return undefined
  try {
    const token = await source.fetch({ ...surroundings, audience, timeoutMs, signal })
    checkToken(source, token, audience)
    return token
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'ABORTED') throw cause
    throw new CountersignError('SIGN_IN_FAILED', `fetching ambient OIDC credentials: ${cause.message}`, { cause })
  }
}

/** Which sources offer a token here, in the order in which they are asked. */
export async function listTokenSources(
  options: Pick<AmbientTokenOptions, 'env' | 'systemRoot'>,
): Promise<readonly { readonly name: string; readonly isOffered: boolean }[]> {
  const surroundings = surroundingsOf(options)
  return Promise.all(sources.map(async (source) => ({ name: source.name, isOffered: await source.isOffered(surroundings) })))
}

function surroundingsOf({ env, systemRoot }: Pick<AmbientTokenOptions, 'env' | 'systemRoot'>): Surroundings {
  return { env, files: openSystemFiles(systemRoot) }
}

/** A service that answers something else must not have its answer sent on as if it were a token. */
function checkToken({ title, takesAudience }: TokenSource, token: string, audience: string): void {
  if (!looksLikeToken(token)) throw noToken(`${title} gave no identity token: what it gave is not a JSON Web Token`)
  const found = audiencesOfToken(token)
  if (!takesAudience || found.includes(audience)) return
  throw noToken(
    `${title} gave an identity token for ${audienceNames(found)}, where one for the audience ${excerpt(audience)} was asked for`,
  )
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
