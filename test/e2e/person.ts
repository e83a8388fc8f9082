/** A person in front of the built program: a terminal that is read and typed into, and a page to sign in on. */
import type { ChildProcess } from 'node:child_process'
import type { Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { user } from '../interop/server/private-sigstore.ts'

/** The program while it runs, with whoever sits in front of it. */
export interface Session {
  /** Waits until this was printed. @returns what it matched */
  sees(pattern: RegExp): Promise<RegExpExecArray>
  type(text: string): void
  /** The exit status and all that was printed. */
  readonly ended: Promise<{ readonly status: number | null; readonly output: string }>
}

/** The program's address line of the browser flow. */
export const opened = /Your browser will now be opened to:\s+(http\S+)/

/** Watches a program. It does not outlive the test. */
export function sessionOf(child: ChildProcess): Session {
  let output = ''
  let heard: () => void = () => undefined
  const hear = (chunk: Buffer): void => {
    // A terminal ends lines in two characters.
    output = (output + chunk.toString()).replaceAll('\r\n', '\n')
    heard()
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  // A program that has ended reads nothing more.
  child.stdin?.on('error', () => undefined)
  const ended = new Promise<{ status: number | null; output: string }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      resolve({ status, output })
      heard()
    })
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    ended,
    type: (text) => void child.stdin?.write(text),
    async sees(pattern) {
      for (;;) {
        const match = pattern.exec(output)
        if (match !== null) return match
        if (child.exitCode !== null) throw new Error(`the program ended before it printed ${String(pattern)}:\n${output}`)
        await new Promise<void>((resolve) => (heard = resolve))
      }
    },
  }
}

/** Fills in the form of the server's own issuer. */
export async function enterPassword(page: Page, password: string = user.password): Promise<void> {
  await page.getByLabel('E-mail address').fill(user.email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}
