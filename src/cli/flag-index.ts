/** The flags of a command, found by the names that a command line may use. */
import type { Flag, FlagTable } from './flags.ts'

/** Other names of flags, which every verb accepts. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cert', 'certificate'],
  ['cert-chain', 'certificate-chain'],
  ['cert-email', 'certificate-email'],
  ['cert-identity', 'certificate-identity'],
  ['cert-oidc-issuer', 'certificate-oidc-issuer'],
  ['output-cert', 'output-certificate'],
])

/** A flag with its long name. */
export interface NamedFlag {
  readonly name: string
  readonly flag: Flag
}

/** The flags that a command line may hold, by long name and by shorthand. */
export interface FlagIndex {
  readonly long: ReadonlyMap<string, NamedFlag>
  readonly short: ReadonlyMap<string, NamedFlag>
}

/** Indexes several tables; where two have the same name or shorthand, the first wins. */
export function indexFlags(...tables: readonly FlagTable[]): FlagIndex {
  const long = new Map<string, NamedFlag>()
  const short = new Map<string, NamedFlag>()
  for (const table of tables) {
    for (const [name, flag] of Object.entries(table)) {
      if (long.has(name)) continue
      const named = { name, flag }
      long.set(name, named)
      if (flag.shorthand !== undefined && !short.has(flag.shorthand)) short.set(flag.shorthand, named)
    }
  }
  return { long, short }
}

/** The flag of that long name or of that other name. */
export function findLong(index: FlagIndex, name: string): NamedFlag | undefined {
  return index.long.get(ALIASES.get(name) ?? name)
}

/** Whether the argument is `--x`, where only `-x` is a flag. */
export function isOldShort(argument: string, index: FlagIndex): boolean {
  return argument.length === 3 && argument.startsWith('--') && index.short.has(argument.slice(2))
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
