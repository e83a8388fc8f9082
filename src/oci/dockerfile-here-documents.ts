/** Which here-documents follow an instruction of a Dockerfile. */
import { excerpt } from '../encoding/bytes.ts'
import type { UsageError } from '../error.ts'
import { dockerfileError } from './dockerfile-error.ts'

/** Text behind an instruction that belongs to it, as far as a line of its own. */
export interface HereDocument {
  /** The line that ends it. */
  readonly name: string
  /** `<<-`: tabs in front of it do not count. */
  readonly withTabs: boolean
}

/**
 * Only a whole word begins one: not a part of another word, nothing within quotes, and nothing in a command that is a JSON array.
 * @param whole the instruction, its lines put together
 * @param rest what follows its flags
 * @throws UsageError USAGE, with the number of the line, where it is not certain
 */
export function hereDocumentsOf(whole: string, rest: string, line: number): HereDocument[] {
  if (!whole.includes('<<') || isJsonCommand(rest)) return []
  const { words, isWhole } = splitWords(whole)
  const found = words.filter((word) => /^\d*<<-?[^<]+$/.test(word))
  if (!isWhole && /(?:^|[\s"'])\d*<<-?[^<\s]/.test(whole)) throw uncertain(line, 'a quote in it has no end')
  // Builders take the whole line for one without here-documents when they do not know a variable's form.
  if (found.length > 0 && /\$\{(?!\w+(?::?[-+][^}\s"'\\$]*)?\})/.test(whole))
    throw uncertain(line, 'builders differ in whether they know the form of a variable in it')
  return found.map((word) => {
    const [, dash, , name] = /^\d*<<(-?)(["']?)([\w.-]+)\2$/.exec(word) ?? []
    if (name === undefined) throw uncertain(line, `${excerpt(word, 40)} is no plain name for one`)
    return { name, withTabs: dash === '-' }
  })
}

function splitWords(text: string): { readonly words: readonly string[]; readonly isWhole: boolean } {
  const words: string[] = []
  let rest = text.trim()
  while (rest !== '') {
    const [word = ''] = /^(?:\\[^]|"(?:\\[^]|[^"\\])*"|'[^']*'|[^\s"'\\])+/.exec(rest) ?? []
    if (word === '') return { words, isWhole: false }
    words.push(word)
    rest = rest.slice(word.length)
    if (/^["']/.test(rest)) return { words, isWhole: false }
    rest = rest.trimStart()
  }
  return { words, isWhole: true }
}

function isJsonCommand(rest: string): boolean {
  if (!rest.startsWith('[')) return false
  try {
    const command: unknown = JSON.parse(rest)
    return Array.isArray(command) && command.every((word) => typeof word === 'string')
  } catch {
    return false
  }
}

function uncertain(line: number, reason: string): UsageError {
  return dockerfileError(line, `it is not certain whether a here-document follows, as ${reason}; write it so that there is no doubt`)
}
