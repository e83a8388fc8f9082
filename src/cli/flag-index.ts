/** The flags of a command, found by the names that a command line may use. */
import type { Flag, FlagTable } from './flags.ts'

/** A flag with its long name. */
export interface NamedFlag {
  readonly name: string
  readonly flag: Flag
}

/**
 * The flags that a command line may hold. Where two tables have the same name or shorthand, the first wins. It is looked for when it is
 * met: few of the flags of a verb ever are, and making an index of all takes longer.
 */
export class FlagIndex {
  private readonly tables: readonly FlagTable[]

  constructor(...tables: readonly FlagTable[]) {
    this.tables = tables
  }

  /** The flag of that long name. */
  long(name: string): NamedFlag | undefined {
    for (const table of this.tables) {
      const flag = Object.hasOwn(table, name) ? table[name] : undefined
      if (flag !== undefined) return { name, flag }
    }
    return undefined
  }

  /** The flag of that shorthand. */
  short(letter: string): NamedFlag | undefined {
    return this.all().find(({ flag }) => flag.shorthand === letter)
  }

  all(): readonly NamedFlag[] {
    const names = new Set(this.tables.flatMap((table) => Object.keys(table)))
    return [...names].flatMap((name) => this.long(name) ?? [])
  }
}

/** The flag of that long name or of that other name. */
export function findLong(index: FlagIndex, name: string): NamedFlag | undefined {
  return index.long(fullName(name))
}

/** Some flags have another name, which every verb accepts. */
function fullName(name: string): string {
  switch (name) {
    case 'cert':
    case 'cert-chain':
    case 'cert-email':
    case 'cert-identity':
    case 'cert-oidc-issuer':
      return name.replace('cert', 'certificate')
    case 'output-cert':
      return 'output-certificate'
    default:
      return name
  }
}

/** Whether the argument is `--x`, where only `-x` is a flag. */
export function isOldShort(argument: string, index: FlagIndex): boolean {
  return argument.length === 3 && argument.startsWith('--') && index.short(argument.slice(2)) !== undefined
}

/** Whether the argument is `-name` or `-name=value`, where `--name` is a flag. */
export function isOldLong(argument: string, index: FlagIndex): boolean {
  if (argument.startsWith('--')) return false
  const name = nameOf(argument.slice(1))
  return name.length > 1 && findLong(index, name) !== undefined
}

/** The name in `name=value`. */
export function nameOf(body: string): string {
  const equals = body.indexOf('=')
  return equals < 0 ? body : body.slice(0, equals)
}
