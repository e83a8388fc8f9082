/** Which images a Dockerfile takes something from: those of FROM, of COPY --from and of RUN --mount=from. */
import { excerpt } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'

export interface DockerfileImages {
  /** Every image once, in the order of the file; stages of the file itself and `scratch` are none. */
  readonly all: readonly string[]
  /** What the last stage is built on; undefined where that is `scratch`. */
  readonly base: string | undefined
}

interface Instruction {
  readonly line: number
  readonly name: string
  readonly rest: string
}

const maxLines = 100_000

/**
 * Reads a Dockerfile.
 * @param env replaces variables; where it has none, ARG before the first FROM gives the value
 * @throws UsageError USAGE, with the number of the line
 */
export function imagesOfDockerfile(text: string, env: Readonly<Record<string, string | undefined>>): DockerfileImages {
  const images = new Set<string>()
  const defaults = new Map<string, string>()
  /** What each stage is built on, by name and by number. */
  const stages = new Map<string, string | undefined>()
  let stageCount = 0
  let base: string | undefined
  const expand = (word: string, line: number): string => expandVariables(word, line, (name) => env[name] ?? defaults.get(name))
  /** @returns the image, or that which a stage is built on */
  const use = (reference: string): string | undefined => {
    const stage = reference.toLowerCase()
    if (stages.has(stage)) return stages.get(stage)
    if (stage === 'scratch') return undefined
    images.add(reference)
    return reference
  }

  for (const { line, name, rest } of instructionsOf(text)) {
    const words = rest.split(/\s+/).filter((word) => word !== '')
    if (name === 'ARG' && stageCount === 0) {
      for (const word of words) {
        const [variable = '', ...value] = word.split('=')
        if (value.length > 0) defaults.set(variable, expand(unquoted(value.join('=')), line))
      }
    } else if (name === 'FROM') {
      const [reference, as, stage] = words.filter((word) => !word.startsWith('--'))
      if (reference === undefined) throw new UsageError('USAGE', `line ${line}: FROM should name an image`)
      base = use(expand(unquoted(reference), line))
      stages.set(String(stageCount), base)
      stageCount++
      if (as?.toUpperCase() === 'AS' && stage !== undefined) stages.set(stage.toLowerCase(), base)
    } else {
      for (const from of sourcesOf(name, words)) use(expand(unquoted(from), line))
    }
  }
  return { all: [...images], base }
}

/** What the flags of an instruction take from elsewhere. */
function sourcesOf(name: string, words: readonly string[]): string[] {
  const first = words.findIndex((word) => !word.startsWith('--'))
  const flags = first < 0 ? words : words.slice(0, first)
  if (name === 'COPY' || name === 'ADD') return flags.flatMap((flag) => /^--from=(.+)$/.exec(flag)?.[1] ?? [])
  if (name !== 'RUN') return []
  return flags.flatMap((flag) => (flag.startsWith('--mount=') ? (/(?:[=,])from=([^,]+)/.exec(flag)?.[1] ?? []) : []))
}

/** Instructions with their continuation lines; comments and the contents of here-documents are left out. */
function* instructionsOf(text: string): Generator<Instruction, void, undefined> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines.length > maxLines) throw new UsageError('USAGE', `the Dockerfile has more than ${maxLines} lines`)
  const escape = /^#\s*escape\s*=\s*`\s*$/im.test(lines.slice(0, 5).join('\n')) ? '`' : '\\'
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1
    let whole = lines[at]?.trim() ?? ''
    if (whole === '' || whole.startsWith('#')) continue
    while (whole.endsWith(escape) && at + 1 < lines.length) {
      at++
      const next = lines[at]?.trim() ?? ''
      // Within an instruction, comments and empty lines are left out.
      if (next === '' || next.startsWith('#')) continue
      whole = `${whole.slice(0, -1)} ${next}`
    }
    const [, name = '', rest = ''] = /^(?:ONBUILD\s+)?(\S+)\s*([^]*)$/i.exec(whole) ?? []
    const instruction = { line, name: name.toUpperCase(), rest }
    yield instruction
    if (['RUN', 'COPY', 'ADD'].includes(instruction.name)) {
      for (const [, word] of rest.matchAll(/<<-?["']?([A-Za-z_][A-Za-z0-9_]*)["']?/g)) {
        while (at + 1 < lines.length && lines[at + 1]?.trim() !== word) at++
        at++
      }
    }
  }
}

/** `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`, as Docker replaces them. */
function expandVariables(word: string, line: number, valueOf: (name: string) => string | undefined): string {
  return word.replaceAll(
    /\\\$|\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (whole, braced?: string, operator?: string, alternative = '', bare?: string) => {
      const name = braced ?? bare
      if (name === undefined) return '$'
      const value = valueOf(name)
      const isSet = value !== undefined && (value !== '' || operator?.startsWith(':') !== true)
      if (operator?.endsWith('+') === true) return isSet ? alternative : ''
      if (isSet) return value
      if (operator?.endsWith('-') === true) return alternative
      throw new UsageError('USAGE', `line ${line}: ${excerpt(whole)} in the name of an image has no value: set it in the environment`)
    },
  )
}

function unquoted(word: string): string {
  return /^(["']).*\1$/.test(word) ? word.slice(1, -1) : word
}
