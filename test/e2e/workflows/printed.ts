/** What commands print, in the words that the rows have. */
import { expect } from 'vitest'
import type { ShellEnding } from './shell.ts'

/** Every line of an outcome, wherever it was printed. */
export function linesOf({ stdout, stderr }: ShellEnding): string[] {
  return `${stdout}\n${stderr}`.split('\n')
}

export const question = 'Are you sure you would like to continue? [y/N] '
export const notice = 'Note that there may be personally identifiable information associated with this signed artifact.'

/** What `verify` says that it has checked, from the line above it on. */
export const checks: readonly string[] = [
  'The following checks were performed on each of these signatures:',
  '  - The cosign claims were validated',
  '  - Existence of the claims in the transparency log was verified offline',
  '  - The code-signing certificate was verified using trusted certificate authority certificates',
]

/** That an output has these texts, one after the other. */
export function expectInOrder(output: string, texts: readonly string[]): void {
  const positions = texts.map((text) => output.indexOf(text))
  expect(positions, output).not.toContain(-1)
  expect(positions).toEqual(positions.toSorted((a, b) => a - b))
}
