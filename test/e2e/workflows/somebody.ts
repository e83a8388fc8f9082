/** Somebody in front of a terminal and a browser, who agrees and signs in. */
import type { Browser } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { isBrowserMissing } from '../../support/chromium.ts'
import type { Session } from '../person.ts'
import { enterPassword, opened } from '../person.ts'
import { hasTerminal } from './shell.ts'

/** Whether there is no terminal or no browser, which is said. */
export const isNobodyThere: boolean = !hasTerminal || isBrowserMissing('rows of the acceptance list in which somebody signs in')

/** The browser that a program may open opens nothing: the page is opened by the test. */
export const withBrowser: Readonly<Record<string, string>> = { BROWSER: '/bin/true' }

/** Answers the question behind a text. */
export async function answer(session: Session, text: RegExp, typed: 'y' | 'n'): Promise<void> {
  await session.sees(new RegExp(`${text.source}[^]*Are you sure you would like to continue\\? \\[y/N\\] `))
  session.type(`${typed}\n`)
}

/** Signs in on the page that the program names, or cancels there. @returns the page's address */
export async function signIn(session: Session, browser: Browser, how: 'with a password' | 'cancels' = 'with a password'): Promise<string> {
  const [, address = ''] = await session.sees(opened)
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  await page.goto(address)
  if (how === 'cancels') await page.getByRole('button', { name: 'Cancel' }).click()
  else await enterPassword(page)
  await page.getByRole('heading', { name: how === 'cancels' ? 'The sign-in failed' : 'You are signed in' }).waitFor()
  return address
}
