/** The pages of the device flow (RFC 8628): a program on another machine shows a code, and the person allows it here. */
import type { Html } from '../../page/html.ts'
import { html } from '../../page/html.ts'
import { answerPage } from '../../page/page.ts'
import { signOutLink } from './sign-out.ts'

/** Why a device code was not taken. */
export type CodeProblem = 'unknown' | 'expired' | 'used' | 'aborted' | 'missing' | 'other'

const explanations: Readonly<Record<Exclude<CodeProblem, 'aborted'>, string>> = {
  unknown: 'There is no such code. Look at it again: it has eight letters.',
  expired: 'This code has expired. Start again on your device to get a new one.',
  used: 'This code was used already. Start again on your device to get a new one.',
  missing: 'Enter the code that your device shows.',
  other: 'This did not work. Start again on your device to get a new code.',
}

/** Where a code is typed in. */
export function codeEntryPage(page: {
  readonly style: string
  readonly action: string
  readonly csrf: string
  readonly problem?: Exclude<CodeProblem, 'aborted'> | undefined
}): Response {
  const { style, action, csrf, problem } = page
  const alert = problem === undefined ? undefined : html`<p class="alert" role="alert" id="problem">${explanations[problem]}</p>`
  const body = html`<div class="card">
    <h1>Connect a device</h1>
    ${alert}
    <p class="lead" id="hint">A program on another machine shows a code of eight letters. Enter it here to sign that program in.</p>
    <form method="post" action="${action}">
      ${hidden({ xsrf: csrf })}
      <label for="user_code">Code</label>
      <input
        type="text"
        id="user_code"
        name="user_code"
        required
        autofocus
        maxlength="20"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        aria-describedby="${problem === undefined ? 'hint' : 'problem hint'}"
      />
      <button type="submit">Continue</button>
    </form>
  </div>`
  return answerPage({ title: 'Connect a device', body, style })
}

/** Where the person compares the code. Whoever was sent here by somebody else should stop. */
export function confirmationPage(page: {
  readonly style: string
  readonly action: string
  readonly csrf: string
  readonly userCode: string
}): Response {
  const { style, action, csrf, userCode } = page
  const body = html`<div class="card">
    <h1>Does your device show this code?</h1>
    <p class="code" aria-label="${userCode.split('').join(' ')}">${userCode}</p>
    <p class="lead">The program that shows it will be able to sign in your name. If somebody else sent you here, stop.</p>
    <form method="post" action="${action}">
      ${hidden({ xsrf: csrf, user_code: userCode, confirm: 'yes' })}
      <button type="submit">Yes, sign it in</button>
      <button type="submit" class="plain" name="abort" value="yes">No, stop</button>
    </form>
  </div>`
  return answerPage({ title: 'Confirm the code', body, style })
}

/** The end of the device flow. */
export function deviceDonePage({ style, signOut }: { readonly style: string; readonly signOut: string }): Response {
  const body = html`<div class="card">
    <h1>You are signed in</h1>
    <p class="done" role="status">Your device will go on by itself in a few seconds.</p>
    <p>You may close this window.</p>
    ${signOutLink(signOut)}
  </div>`
  return answerPage({ title: 'Signed in', body, style })
}

function hidden(fields: Readonly<Record<string, string>>): Html[] {
  return Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)
}
