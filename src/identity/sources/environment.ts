/** Tokens that stand in environment variables. */
import { variableOf } from '../../http/environment.ts'
import type { Surroundings, TokenSource } from '../token-source.ts'
import { noToken } from '../token-source.ts'

/** `SIGSTORE_ID_TOKEN`, which GitLab jobs define with `id_tokens`. */
export const environmentSource: TokenSource = fromVariables('envvar', 'SIGSTORE_ID_TOKEN', ['SIGSTORE_ID_TOKEN'], () => true)

/** The token that every CircleCI job with a context gets. Its audience is the organisation's. */
export const circleciSource: TokenSource = fromVariables(
  'circleci',
  'CircleCI',
  ['CIRCLE_OIDC_TOKEN_V2', 'CIRCLE_OIDC_TOKEN'],
  ({ env }) => env['CIRCLECI'] === 'true',
)

function fromVariables(
  name: string,
  title: string,
  variables: readonly string[],
  isThere: (surroundings: Surroundings) => boolean,
): TokenSource {
  return {
    name,
    title,
    takesAudience: false,
    isOffered: (surroundings) => isThere(surroundings) && variableOf(surroundings.env, ...variables) !== undefined,
    fetch({ env }) {
      const token = variableOf(env, ...variables)
      if (token !== undefined) return Promise.resolve(token.trim())
      return Promise.reject(noToken(`${title} gave no identity token: ${variables.join(' or ')} should be set, and is not`))
    },
  }
}
