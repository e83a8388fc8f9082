/** Which images a Dockerfile takes something from: those of FROM, of COPY --from and of RUN --mount=from, and what builds it. */
import { excerpt } from '../encoding/bytes.ts'
import { dockerfileError } from './dockerfile-error.ts'
import { readDockerfile } from './dockerfile-instructions.ts'
import type { DockerfileInstruction } from './dockerfile-instructions.ts'
import { DockerfileVariables, unquoted } from './dockerfile-variables.ts'

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

const fromFlag = 'from'

/** Docker's own program that builds Dockerfiles. */
const ownSyntax = /^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/

/**
 * Reads a Dockerfile.
 * @param env replaces variables; where it has none, ARG before the first FROM gives the value
 * @throws UsageError USAGE, with the number of the line
 */
export function imagesOfDockerfile(text: string, env: Readonly<Record<string, string | undefined>>): DockerfileImages {
  const { instructions, syntax } = readDockerfile(text)
  const images = new Set<string>()
  const variables = new DockerfileVariables(env)
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
      if (reference === '') throw dockerfileError(line, 'FROM should name an image')
      if (as !== undefined && (as.toUpperCase() !== 'AS' || stage === undefined || others.length > 0))
        throw dockerfileError(line, 'FROM should be followed by an image, or by an image, AS and a name')
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
  if (bare !== undefined) throw dockerfileError(line, `${bare} should have its value after an equals sign`)
}

/** Comma-separated values, in quotes where they have commas (RFC 4180). */
function fieldsOf(mount: string, line: number): string[] {
  const fields = mount.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^",]*)(?=,|$)/g) ?? []
  if (fields.join(',') !== mount) throw dockerfileError(line, `--mount should be values with commas between them, found ${excerpt(mount)}`)
  return fields.map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field))
}
