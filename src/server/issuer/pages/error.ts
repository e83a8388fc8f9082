/** What a person sees when a sign-in cannot go on. */
import { html } from '../../page/html.ts'
import { answerPage } from '../../page/page.ts'

export interface ErrorPage {
  readonly style: string
  readonly status?: number
  /** The protocol's code, such as `invalid_redirect_uri`. */
  readonly error: string
  readonly description?: string | undefined
}

const advice: Readonly<Record<string, string>> = {
  invalid_client: 'The program that sent you here is not known to this server.',
  invalid_redirect_uri: 'The program that sent you here wants the answer at an address that is not allowed for it.',
  access_denied: 'Nothing was allowed.',
  server_error: 'The server could not do it. Its log says why.',
  expired: 'This sign-in has expired, or it was begun in another browser.',
  slow_down: 'There were too many attempts.',
}

/** An error page. What it shows of the request is shown as text. */
export function errorPage({ style, status = 400, error, description }: ErrorPage): Response {
  const known = advice[error] ?? 'The program that sent you here asked for something that this server does not do.'
  const body = html`<div class="card">
    <h1>This sign-in cannot go on</h1>
    <p class="alert" role="alert">${known}</p>
    <p>Start again from your program. If it happens again, show this to the administrator of this server:</p>
    <p class="mono small">${error}${description === undefined ? '' : `: ${description.slice(0, 300)}`}</p>
  </div>`
  return answerPage({ title: 'Sign-in failed', body, style }, { status })
}
