/** The tokens of GitHub Actions jobs with the permission `id-token: write`. */
import { variableOf } from '../../http/environment.ts'
import type { TokenSource } from '../token-source.ts'
import { addressIn, askForToken, noToken, tokenIn } from '../token-source.ts'

const title = 'GitHub Actions'

export const githubActionsSource: TokenSource = {
  name: 'github-actions',
  title,
  takesAudience: true,
  isOffered: ({ env }) =>
    variableOf(env, 'ACTIONS_ID_TOKEN_REQUEST_URL') !== undefined && variableOf(env, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN') !== undefined,
  async fetch(request) {
    const address = variableOf(request.env, 'ACTIONS_ID_TOKEN_REQUEST_URL')
    const secret = variableOf(request.env, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')
    if (address === undefined || secret === undefined) throw noToken(githubPermission)
    const url = addressIn('ACTIONS_ID_TOKEN_REQUEST_URL', address)
    url.searchParams.set('audience', request.audience)
    const answer = await askForToken({ title }, url, { headers: { authorization: `bearer ${secret}` } }, request)
    return tokenIn({ title }, answer, 'value')
  },
}

/** What a workflow lacks. */
export const githubPermission =
  'GitHub Actions gives this job no identity token, because it lacks the permission id-token: write; add "permissions: id-token: write" to the job (a pull request from a fork cannot have it)'
