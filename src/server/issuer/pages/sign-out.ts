/** Signing out of this server: a browser that others use should not stay signed in. */
import type { Html } from '../../page/html.ts'
import { html } from '../../page/html.ts'
import { answerPage } from '../../page/page.ts'

/** Where somebody who is signed in ends that. */
export function signOutPage(page: {
  readonly style: string
  readonly action: string
  readonly csrf: string
  /** Who is signed in. */
  readonly email: string | undefined
}): Response {
  const { style, action, csrf, email } = page
  const who = email === undefined ? undefined : html` <span class="who">${email}</span>`
  const body = html`<div class="card">
    <h1>Sign out${who}?</h1>
    <p class="lead">The next program that wants to sign in your name will have to ask you who you are. What was signed stays as it is.</p>
    <form method="post" action="${action}">
      <input type="hidden" name="xsrf" value="${csrf}" />
      <button type="submit" name="logout" value="yes">Sign out</button>
    </form>
  </div>`
  return answerPage({ title: 'Sign out', body, style })
}

/** How the pages that somebody ends on lead there. */
export function signOutLink(path: string): Html {
  return html`<p class="small"><a href="${path}">Sign out of this server</a> where others use this browser.</p>`
}

/** The end of it, and what somebody sees who was not signed in. */
export function signedOutPage({ style }: { readonly style: string }): Response {
  const body = html`<div class="card">
    <h1>Nobody is signed in</h1>
    <p class="done" role="status">This browser is not signed in to this server.</p>
    <p>You may close this window. Where you signed in with another service, you may still be signed in there.</p>
  </div>`
  return answerPage({ title: 'Signed out', body, style })
}
