/** Variables of a Dockerfile, as far as names of images are made of them. */
import { excerpt } from '../encoding/bytes.ts'
import { dockerfileError } from './dockerfile-error.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What stands for variables: `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}` are replaced as Docker does it. */
export class DockerfileVariables {
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
        throw dockerfileError(line, `ARG should be NAME=value, in quotes as a whole if at all, found ${excerpt(rest)}`)
      if (value === undefined && this.#declared.get(name) !== undefined)
        throw dockerfileError(line, `ARG ${name} has had a default value before, and not every builder keeps it`)
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
        throw dockerfileError(line, `${excerpt(whole)} in the name of an image has no value: set it in the environment`)
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
      throw dockerfileError(line, `${name} is set in the environment and has no ARG before the first FROM, so a build would not have it`)
    }
    if (inEnvironment) return
    const isBuilders = /^(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT|STAGE)$/.test(name) && this.#declared.get(name) === undefined
    const isEmpty = isDeclared && this.#declared.get(name) === undefined && !operator.startsWith(':')
    if (isBuilders || isEmpty)
      throw dockerfileError(line, `whether ${name} has a value is for the builder to say: set it in the environment`)
  }
}

/** A word without the quotes around it. */
export function unquoted(word: string): string {
  return /^(["']).*\1$/.test(word) ? word.slice(1, -1) : word
}
