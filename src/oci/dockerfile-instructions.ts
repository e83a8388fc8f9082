/**
 * Reads a Dockerfile into instructions, with their flags, as BuildKit does. What builders of different ages read differently is
 * refused: an instruction that is thought to be text of another one would not be looked at.
 */
import { excerpt } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'
import { dockerfileError } from './dockerfile-error.ts'
import { hereDocumentsOf } from './dockerfile-here-documents.ts'
import type { HereDocument } from './dockerfile-here-documents.ts'

/** An instruction with all its lines put together. */
export interface DockerfileInstruction {
  readonly line: number
  /** In capitals; what ONBUILD keeps for later counts as the instruction that it is. */
  readonly name: string
  /** `--name=value`, without the quotes of the file. */
  readonly flags: readonly string[]
  readonly rest: string
}

/** What a Dockerfile says. */
export interface DockerfileContents {
  readonly instructions: readonly DockerfileInstruction[]
  /** The image that builds the file, where a line `# syntax=` names one. */
  readonly syntax: string | undefined
}

const maxLines = 100_000
const maxInstructionLength = 1024 * 1024
const instructionNames: ReadonlySet<string> = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
)
const mayHaveHereDocuments: ReadonlySet<string> = new Set(['ADD', 'COPY', 'RUN'])

/** @throws UsageError USAGE, with the number of the line */
export function readDockerfile(text: string): DockerfileContents {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines.length > maxLines) throw new UsageError('USAGE', `the Dockerfile has more than ${maxLines} lines`)
  const { escape, syntax } = directivesOf(lines)
  const instructions: DockerfileInstruction[] = []
  for (let at = 0; at < lines.length;) {
    if (isPassedOver(lines[at] ?? '')) {
      at++
      continue
    }
    const line = at + 1
    const { whole, next } = joinedLines(lines, at, escape)
    const instruction = instructionOf(whole, line)
    instructions.push(instruction)
    at = next
    if (!mayHaveHereDocuments.has(instruction.name)) continue
    for (const document of hereDocumentsOf(whole, instruction.rest, line)) at = behindHereDocument(lines, at, document, line, escape)
  }
  return { instructions, syntax }
}

/** An instruction with the lines that it goes on in. @returns next the index of the first line behind it */
function joinedLines(lines: readonly string[], first: number, escape: string): { readonly whole: string; readonly next: number } {
  let at = first
  let part = withoutIndent(lines[at] ?? '')
  let whole = ''
  for (;;) {
    if (part.includes('\r')) throw dockerfileError(at + 1, 'it has a carriage return that ends no line')
    const kept = beforeContinuation(part, escape, at + 1)
    whole += kept ?? part
    if (whole.length > maxInstructionLength)
      throw dockerfileError(first + 1, `the instruction is longer than ${maxInstructionLength} characters`)
    if (kept === undefined) break
    // Within an instruction, comments and empty lines are left out.
    do at++
    while (at < lines.length && isPassedOver(lines[at] ?? ''))
    if (at >= lines.length) break
    part = lines[at] ?? ''
  }
  return { whole, next: at + 1 }
}

/** @param start the index of its first line @returns the index of the first line behind its end */
function behindHereDocument(
  lines: readonly string[],
  start: number,
  { name, withTabs }: HereDocument,
  line: number,
  escape: string,
): number {
  if (instructionNames.has(name.toUpperCase())) throw dockerfileError(line, `a here-document should not end with the instruction ${name}`)
  const isEnd = (text: string): boolean => (withTabs ? text.replace(/^\t+/, '') : text) === name
  // Builders without here-documents stop at its end, which is no instruction, unless they take it for more of the line before.
  let continues = false
  let at = start
  for (; at < lines.length && !isEnd(lines[at] ?? ''); at++) {
    const text = lines[at] ?? ''
    if (!isPassedOver(text)) continues = text.trimEnd().endsWith(escape)
  }
  if (continues) throw dockerfileError(line, `what is before the end of the here-document, ${name}, should not end with ${escape}`)
  if (at >= lines.length) throw dockerfileError(line, `the here-document should end with a line ${name}`)
  return at + 1
}

/** They are at the very beginning, before any other comment. */
function directivesOf(lines: readonly string[]): { readonly escape: string; readonly syntax: string | undefined } {
  const directives = new Map<string, string>()
  for (const [index, text] of lines.entries()) {
    if (index === 0 && text.startsWith('#!')) continue
    const [, name = '', value = ''] = /^#\s*([a-z][a-z0-9]*)\s*=\s*(.*\S)\s*$/i.exec(withoutIndent(text)) ?? []
    const directive = name.toLowerCase()
    if (!['syntax', 'escape', 'check'].includes(directive)) break
    if (directives.has(directive)) throw dockerfileError(index + 1, `the directive ${directive} is given twice`)
    if (directive === 'escape' && value !== '`' && value !== '\\')
      throw dockerfileError(index + 1, `the escape character should be \\ or \`, found ${excerpt(value)}`)
    const isUnclear = directive === 'escape' && (directives.has('check') || lines[0]?.startsWith('#!') === true)
    if (isUnclear)
      throw dockerfileError(index + 1, 'the directive escape should be the first line, or follow syntax: not every builder sees it here')
    directives.set(directive, value)
  }
  return { escape: directives.get('escape') ?? '\\', syntax: directives.get('syntax')?.split(/\s/, 1)[0] }
}

/** @returns undefined for a line that ends the instruction */
function beforeContinuation(part: string, escape: string, line: number): string | undefined {
  const kept = part.replace(/[ \t]+$/, '')
  if (!kept.endsWith(escape)) return undefined
  if (kept.endsWith(escape + escape)) throw dockerfileError(line, `not every builder reads ${escape}${escape} at its end in the same way`)
  return kept.slice(0, -1)
}

function instructionOf(whole: string, line: number): DockerfileInstruction {
  const [, onbuild, word = '', text = ''] = /^(ONBUILD[\t\v\f ]+)?([^\t\v\f ]*)([^]*)$/i.exec(whole) ?? []
  const name = word.toUpperCase()
  if (!instructionNames.has(name) || (onbuild !== undefined && (name === 'ONBUILD' || name === 'FROM')))
    throw dockerfileError(line, `${excerpt(word, 40)} is no instruction that is known here`)
  return { line, name, ...splitFlags(text) }
}

/** Flags may have quotes and backslashes in any place after their dashes. */
function splitFlags(text: string): Pick<DockerfileInstruction, 'flags' | 'rest'> {
  const flags: string[] = []
  let rest = withoutIndent(text)
  while (rest.startsWith('--')) {
    const [raw = ''] = /^(?:\\[^]|"(?:\\[^]|[^"\\])*(?:"|\\?$)|'(?:\\[^]|[^'\\])*(?:'|\\?$)|[^\s\u0085"'\\]|\\$)*/.exec(rest) ?? []
    rest = withoutIndent(rest.slice(raw.length))
    if (raw === '--') break
    flags.push(
      raw.replaceAll(/\\([^]?)|(["'])((?:\\[^]|(?!\2)[^\\])*)(?:\2|\\?$)/g, (_, escaped?: string, quote?: string, quoted = '') => {
        return quote === undefined ? (escaped ?? '') : quoted.replaceAll(/\\([^])/g, '$1')
      }),
    )
  }
  return { flags, rest: rest.trimEnd() }
}

/** A comment or nothing. */
function isPassedOver(text: string): boolean {
  return /^(?:#|$)/.test(withoutIndent(text))
}

function withoutIndent(text: string): string {
  return text.replace(/^[\s\u0085]+/, '')
}
