/** Debian's Chromium, which tests of pages drive. */
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'

const executablePath = '/usr/bin/chromium'

/**
 * Whether tests in a browser are left out here, which is said. In CI they are not: there they fail instead.
 * @param what the tests, such as `pages in a browser`
 */
export function isBrowserMissing(what: string): boolean {
  if (existsSync(executablePath) || process.env['CI'] !== undefined) return false
  console.warn(`skipped: ${what}, because ${executablePath} is missing`)
  return true
}

/** Starts it without a screen, and without anything that it would do by itself. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
