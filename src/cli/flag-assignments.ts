/** The values that flags were given, whatever gave them. */
import { UsageError } from '../error.ts'
import { CommandLineError } from './failure.ts'
import type { FlagIndex, NamedFlag } from './flag-index.ts'
import { parseFlagValue } from './flag-values.ts'
import type { FlagValue } from './flags.ts'
import { quote } from './quote.ts'

/** The values that were given for flags, by the command line and by the environment. */
export class FlagAssignments {
  readonly #index: FlagIndex
  readonly #values = new Map<string, FlagValue>()
  readonly #given = new Set<string>()
  /** Under which name each flag has received its value. */
  readonly #givers = new Map<string, string>()

  constructor(index: FlagIndex) {
    this.#index = index
  }

  /** The names under which values were given, old names included. */
  get given(): ReadonlySet<string> {
    return this.#given
  }

  /** The given values, by the name of the flag that receives them. */
  get values(): ReadonlyMap<string, FlagValue> {
    return this.#values
  }

  /**
   * Gives a flag a value; a repeatable flag collects them.
   * @param source where the text comes from when it is not the command line
   * @throws CommandLineError when the text is not a value of the flag's kind, or when an old name and the flag it stands for
   * are both given
   */
  assign({ name, flag }: NamedFlag, text: string, source?: string): void {
    const value = this.#parse({ name, flag }, text, source)
    this.#given.add(name)
    if (flag.ignored === true) return
    if (flag.standsFor === undefined) {
      this.#put(name, name, value)
      return
    }
    const { flag: targetName, values } = flag.standsFor
    const target = this.#index.long(targetName)
    if (target === undefined) throw new TypeError(`--${name} stands for --${targetName}, which does not exist`)
    const key = typeof value === 'object' ? text : String(value)
    const translated = values === undefined ? text : Object.hasOwn(values, key) ? values[key] : undefined
    if (translated !== undefined) this.#put(targetName, name, this.#parse(target, translated, source))
  }

  #put(name: string, giver: string, value: FlagValue): void {
    const earlier = this.#givers.get(name) ?? giver
    if (earlier !== giver) {
      const both = [earlier, giver].sort().join(' ')
      throw new CommandLineError(`if any flags in the group [${both}] are set none of the others can be; [${both}] were all set`)
    }
    this.#givers.set(name, giver)
    this.#values.set(name, value)
  }

  #parse({ name, flag }: NamedFlag, text: string, source: string | undefined): FlagValue {
    try {
      return parseFlagValue(flag, text, this.#values.get(name))
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      const label = flag.shorthand === undefined ? `--${name}` : `-${flag.shorthand}, --${name}`
      const origin = source === undefined ? '' : ` (from ${source})`
      throw new CommandLineError(`invalid argument ${quote(text)} for "${label}" flag${origin}: ${error.message}`)
    }
  }
}
