/** Output of the verbs of `server` that have a result to read. */
import { choiceFlag } from '../flags.ts'

export const outputFlag = {
  output: choiceFlag(['text', 'json'], 'how the result is printed', { shorthand: 'o', default: 'text' }),
}

/** `1 finding`, `2 findings`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
