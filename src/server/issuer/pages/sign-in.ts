/** The pages between a program's question who somebody is and the answer. */
import type { Html } from '../../page/html.ts'
import { html } from '../../page/html.ts'
import { answerPage } from '../../page/page.ts'
import { signOutLink } from './sign-out.ts'

export interface SignInPage {
  readonly style: string
  /** Where the form goes. */
  readonly action: string
  readonly csrf: string
  /** Origins that the program may be redirected to afterwards. */
  readonly formTargets: readonly string[]
  /** Whether there is a form for local users. */
  readonly withPassword: boolean
  readonly connectors: readonly { readonly name: string; readonly href: string }[]
  /** What was typed before. */
  readonly email?: string
  readonly problem?: string
  readonly status?: number
}

/** Where people say who they are. */
export function signInPage(page: SignInPage): Response {
  const { style, csrf, action, formTargets, withPassword, connectors, problem, status = 200 } = page
  const alert = problem === undefined ? undefined : html`<p class="alert" role="alert" id="problem">${problem}</p>`
  const nothing =
    withPassword || connectors.length > 0 ? undefined : html`<p>Nobody can sign in here: the administrator has set up no way to.</p>`
  const body = html`<div class="card">
    <h1>Sign in</h1>
    ${alert}
    <p class="lead">A program on your machine wants to sign something in your name. What you sign in with here will be in the signature.</p>
    ${withPassword ? passwordForm(page) : nothing} ${withPassword && connectors.length > 0 ? html`<div class="or">or</div>` : undefined}
    ${connectors.map(({ name, href }) => html`<a class="button plain" href="${href}">Continue with ${name}</a>`)}
    <form method="post" action="${action}/cancel">
      ${hidden(csrf)}
      <button type="submit" class="quiet">Cancel</button>
    </form>
  </div>`
  return answerPage({ title: 'Sign in', body, style }, { status, formTargets })
}

function passwordForm({ action, csrf, email = '', problem }: SignInPage): Html {
  const invalid = problem === undefined ? undefined : html` aria-invalid="true" aria-describedby="problem"`
  return html`<form method="post" action="${action}">
    ${hidden(csrf)}
    <label for="email">E-mail address</label>
    <input
      type="email"
      id="email"
      name="email"
      value="${email}"
      required
      maxlength="254"
      autocomplete="username"
      ${invalid}${email === '' ? html` autofocus` : undefined}
    />
    <label for="password">Password</label>
    <input
      type="password"
      id="password"
      name="password"
      required
      maxlength="1000"
      autocomplete="current-password"
      ${invalid}${email === '' ? undefined : html` autofocus`}
    />
    <button type="submit">Sign in</button>
  </form>`
}

export interface AccountPage {
  readonly style: string
  readonly action: string
  readonly csrf: string
  readonly formTargets: readonly string[]
  /** Who is signed in. */
  readonly email: string | undefined
  readonly connector: string | undefined
  /** The path of the page to sign out on. */
  readonly signOut: string
}

/** Where somebody who is signed in already allows one more program. */
export function accountPage({ style, action, csrf, formTargets, email, connector, signOut }: AccountPage): Response {
  const body = html`<div class="card">
    <h1>Continue as <span class="who">${email}</span>?</h1>
    <p class="lead">
      A program on your machine wants to sign something in your
      name${connector === undefined ? undefined : html` (signed in with ${connector})`}. If you did not start one, stop.
    </p>
    <form method="post" action="${action}/account">
      ${hidden(csrf)}
      <button type="submit">Continue</button>
    </form>
    <a class="button plain" href="${action}?other=1">Use another account</a>
    <form method="post" action="${action}/cancel">
      ${hidden(csrf)}
      <button type="submit" class="quiet">Cancel</button>
    </form>
    ${signOutLink(signOut)}
  </div>`
  return answerPage({ title: 'Continue', body, style }, { formTargets })
}

/** The end of a sign-in for a program that the browser cannot reach. */
export function codePage(page: { readonly style: string; readonly code: string; readonly signOut: string }): Response {
  const { style, code, signOut } = page
  const body = html`<div class="card">
    <h1>Your code</h1>
    <p class="lead">Enter it where your program asks for it. It works once, for five minutes.</p>
    <p class="code long" id="code">${code}</p>
    <p class="alert">Give this code only to the program that you started yourself. Whoever has it can sign in your name.</p>
    <p>Then you may close this window.</p>
    ${signOutLink(signOut)}
  </div>`
  return answerPage({ title: 'Your code', body, style })
}

/** The end of a sign-in that was stopped, for a program that the browser cannot reach, or a device. */
export function stoppedPage({ style }: { readonly style: string }): Response {
  const body = html`<div class="card">
    <h1>Nothing was allowed</h1>
    <p role="status">The sign-in was stopped. You may close this window.</p>
  </div>`
  return answerPage({ title: 'Stopped', body, style })
}

function hidden(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}" />`
}
