/** Which images a Dockerfile takes something from: those of FROM, of COPY --from and of RUN --mount=from, and what builds it. */
import { excerpt } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'
import { readDockerfile } from './dockerfile-instructions.ts'
import type { DockerfileInstruction } from './dockerfile-instructions.ts'

/** What a Dockerfile takes something from. */
export interface DockerfileImages {
  /**
   * Every image once, in the order of the file; stages of the file itself and `scratch` are none. What `# syntax=` names comes first,
   * unless it is Docker's own: whatever the file says, that image decides what is built.
   */
  readonly all: readonly string[]
  /** What the last stage is built on; undefined where that is `scratch`. */
  readonly base: string | undefined
  /** The variables that had their value from the environment, where a build has it from elsewhere. */
  readonly fromEnvironment: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

const fromFlag = 'from'

/** Docker's own program that builds Dockerfiles. */
const ownSyntax = /^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/

/**
 * Reads a Dockerfile.
 * @param env replaces variables; where it has none, ARG before the first FROM gives the value
 * @throws UsageError USAGE, with the number of the line
 */
export function imagesOfDockerfile(text: string, env: Environment): DockerfileImages {
  const { instructions, syntax } = readDockerfile(text)
  const images = new Set<string>()
  const variables = new Variables(env)
  /** What each stage is built on, by name and by number. */
  const stages = new Map<string, string | undefined>()
  let stageCount = 0
  let base: string | undefined
  /** @returns the image, or that which a stage is built on */
  const use = (reference: string): string | undefined => {
    const stage = reference.toLowerCase()
    if (stages.has(stage)) return stages.get(stage)
    if (stage === 'scratch') return undefined
    images.add(reference)
    return reference
  }

  if (syntax !== undefined && !ownSyntax.test(syntax)) use(syntax)
  for (const instruction of instructions) {
    const { line, name, rest } = instruction
    if (name === 'ARG' && stageCount === 0) variables.declare(rest, line)
    else if (name === 'FROM') {
      const [reference = '', as, stage, ...others] = rest.split(/\s+/)
      if (reference === '') throw new UsageError('USAGE', `line ${line}: FROM should name an image`)
      if (as !== undefined && (as.toUpperCase() !== 'AS' || stage === undefined || others.length > 0))
        throw new UsageError('USAGE', `line ${line}: FROM should be followed by an image, or by an image, AS and a name`)
      demandValue(instruction, 'platform')
      base = use(variables.expand(unquoted(reference), line))
      stages.set(String(stageCount), base)
      stageCount++
      if (stage !== undefined) stages.set(stage.toLowerCase(), base)
    } else {
      for (const from of sourcesOf(instruction)) use(variables.expand(unquoted(from), line))
    }
  }
  return { all: [...images], base, fromEnvironment: variables.fromEnvironment }
}

/** What the flags of an instruction take from elsewhere. */
function sourcesOf(instruction: DockerfileInstruction): string[] {
  const { name, flags } = instruction
  if (name === 'COPY' || name === 'ADD') {
    demandValue(instruction, fromFlag)
    return flags.flatMap((flag) => /^--from=([^]+)$/i.exec(flag)?.[1] ?? [])
  }
  if (name !== 'RUN') return []
  demandValue(instruction, 'mount')
  return flags.flatMap((flag) => {
    const [, mount] = /^--mount=([^]*)$/i.exec(flag) ?? []
    return mount === undefined ? [] : fieldsOf(mount, instruction.line).flatMap((field) => /^\s*from=([^]+)$/i.exec(field)?.[1] ?? [])
  })
}

/** Some builders take the next word for the value. */
function demandValue({ line, flags }: DockerfileInstruction, name: string): void {
  const bare = flags.find((flag) => flag.toLowerCase() === `--${name}`)
  if (bare !== undefined) throw new UsageError('USAGE', `line ${line}: ${bare} should have its value after an equals sign`)
}

/** Comma-separated values, in quotes where they have commas (RFC 4180). */
function fieldsOf(mount: string, line: number): string[] {
  const fields = mount.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^",]*)(?=,|$)/g) ?? []
  if (fields.join(',') !== mount)
    throw new UsageError('USAGE', `line ${line}: --mount should be values with commas between them, found ${excerpt(mount)}`)
  return fields.map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field))
}

/** What stands for variables: `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}` are replaced as Docker does it. */
class Variables {
  readonly #env: Environment
  /** What ARG before the first FROM declares, with its default. */
  readonly #declared = new Map<string, string | undefined>()
  readonly #fromEnvironment = new Set<string>()

  constructor(env: Environment) {
    this.#env = env
  }

  get fromEnvironment(): readonly string[] {
    return [...this.#fromEnvironment]
  }

  /** Reads an ARG: `NAME`, `NAME=value`, or several. */
  declare(text: string, line: number): void {
    let rest = text
    while (rest !== '') {
      const [whole, name = '', value] = /^([^\s="'\\]+)(?:=("[^"\\]*"|'[^'\\]*'|[^\s"'\\]*))?(?:\s+|$)/.exec(rest) ?? []
      if (whole === undefined)
        throw new UsageError('USAGE', `line ${line}: ARG should be NAME=value, in quotes as a whole if at all, found ${excerpt(rest)}`)
      if (value === undefined && this.#declared.get(name) !== undefined)
        throw new UsageError('USAGE', `line ${line}: ARG ${name} has had a default value before, and not every builder keeps it`)
      this.#declared.set(name, value === undefined ? undefined : this.expand(unquoted(value), line))
      rest = rest.slice(whole.length)
    }
  }

  expand(word: string, line: number): string {
    return word.replaceAll(
      /\\\$|\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))/g,
      (whole, braced?: string, operator?: string, alternative = '', bare?: string) => {
        const name = braced ?? bare
        if (name === undefined) return '$'
        if (operator !== undefined) this.#demandCertain(name, operator, line)
        const value = this.#valueOf(name)
        const isSet = value !== undefined && (value !== '' || operator?.startsWith(':') !== true)
        if (operator?.endsWith('+') === true) return isSet ? alternative : ''
        if (isSet) return value
        if (operator?.endsWith('-') === true) return alternative
        throw new UsageError('USAGE', `line ${line}: ${excerpt(whole)} in the name of an image has no value: set it in the environment`)
      },
    )
  }

  #valueOf(name: string): string | undefined {
    const value = this.#env[name]
    if (value === undefined) return this.#declared.get(name)
    if (value !== this.#declared.get(name)) this.#fromEnvironment.add(name)
    return value
  }

  /** Whether a variable is set must be the same here and in a build. */
  #demandCertain(name: string, operator: string, line: number): void {
    const inEnvironment = this.#env[name] !== undefined
    const isDeclared = this.#declared.has(name)
    if (inEnvironment && !isDeclared) {
      throw new UsageError(
        'USAGE',
        `line ${line}: ${name} is set in the environment and has no ARG before the first FROM, so a build would not have it`,
      )
    }
    if (inEnvironment) return
    const isBuilders = /^(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT|STAGE)$/.test(name) && this.#declared.get(name) === undefined
    const isEmpty = isDeclared && this.#declared.get(name) === undefined && !operator.startsWith(':')
    if (isBuilders || isEmpty)
      throw new UsageError('USAGE', `line ${line}: whether ${name} has a value is for the builder to say: set it in the environment`)
  }
}

function unquoted(word: string): string {
  return /^(["']).*\1$/.test(word) ? word.slice(1, -1) : word
}
