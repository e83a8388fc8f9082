/**
 * The declarative flag table. One table per verb feeds parsing, the environment, help, completion and the reference
 * documentation, so that a flag is described once. The kinds and their meaning are those of Go's pflag.
 */

/** What completion offers for the value of a flag. A list is offered as is; other values stay allowed. */
export type ValueCompletion = 'file' | 'directory' | 'none' | readonly string[]

/** Another flag that receives the value of an old name. */
export interface StandsFor {
  /** The name of the flag that receives the value. */
  readonly flag: string
  /**
   * Translates the text of the value. Without it the text is passed on as it is. A text that is not listed has no
   * effect at all.
   */
  readonly values?: Readonly<Record<string, string>>
}

/** What every flag may say about itself. */
export interface FlagDetails {
  /** One ASCII letter, usable as `-k`. */
  readonly shorthand?: string
  /** The name of the value in help, when the kind's own name says too little. */
  readonly placeholder?: string
  /** Left out of help and completion. */
  readonly hidden?: boolean
  /** Left out of help and completion, and announced with this text when it is used. */
  readonly deprecated?: string
  /** The command fails without it. */
  readonly required?: boolean
  /** `false`: not read from `COSIGN_<FLAG>` and `COUNTERSIGN_<FLAG>`. */
  readonly environment?: false
  readonly completion?: ValueCompletion
}

interface FlagOf<Kind extends string, Value> extends FlagDetails {
  readonly kind: Kind
  readonly usage: string
  readonly default: Value
  readonly standsFor?: StandsFor
  readonly ignored?: true
}

/** `--flag`, `--flag=false`. */
export type BoolFlag = FlagOf<'bool', boolean>
/** A whole number in Go's notation. */
export type IntFlag = FlagOf<'int', number>
/** A length of time in Go's notation (`3m0s`); the value is in milliseconds. */
export type DurationFlag = FlagOf<'duration', number>
/** Any text. */
export type StringFlag = FlagOf<'string', string>
/** One of a few texts; any other is refused. */
export interface ChoiceFlag<Choice extends string = string> extends FlagOf<'choice', Choice> {
  readonly choices: readonly Choice[]
}
/** Repeatable; each occurrence is one element. */
export type StringArrayFlag = FlagOf<'stringArray', readonly string[]>
/** Repeatable; each occurrence is a line of comma separated values. */
export type StringSliceFlag = FlagOf<'stringSlice', readonly string[]>
/** Repeatable `key=value`, also several in one occurrence, separated by commas. */
export type StringToStringFlag = FlagOf<'stringToString', ReadonlyMap<string, string>>

/** A flag of any kind. */
export type Flag = BoolFlag | IntFlag | DurationFlag | StringFlag | ChoiceFlag | StringArrayFlag | StringSliceFlag | StringToStringFlag

/** The value of a flag of any kind. */
export type FlagValue = Flag['default']

/** The flags of a verb or of a group of flags, by long name. */
export type FlagTable = Readonly<Record<string, Flag>>

/** A flag that only passes its value on to another one. */
export type StandIn<F extends Flag = Flag> = F & { readonly standsFor: StandsFor }

/** A flag that is accepted and has no effect. */
export type Ignored<F extends Flag = Flag> = F & { readonly ignored: true }

/** The values that a command receives: one for each flag of its table, except those that stand for another or are ignored. */
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table as Table[Name] extends StandIn | Ignored ? never : Name]: Table[Name]['default']
}

type Details<Value> = FlagDetails & { readonly default?: Value }

/** A flag that is off unless `default` says otherwise. */
export function boolFlag(usage: string, details: Details<boolean> = {}): BoolFlag {
  return { kind: 'bool', usage, default: false, ...details }
}

/** A whole number, 0 unless `default` says otherwise. */
export function intFlag(usage: string, details: Details<number> = {}): IntFlag {
  return { kind: 'int', usage, default: 0, completion: 'none', ...details }
}

/** A length of time; `default` is in milliseconds. */
export function durationFlag(usage: string, details: Details<number> = {}): DurationFlag {
  return { kind: 'duration', usage, default: 0, completion: 'none', ...details }
}

/** Any text, empty unless `default` says otherwise. */
export function stringFlag(usage: string, details: Details<string> = {}): StringFlag {
  return { kind: 'string', usage, default: '', ...details }
}

/** One of `choices`. The default need not be one of them: the empty text then means that nothing was chosen. */
export function choiceFlag<const Choice extends string, const Default extends Choice | ''>(
  choices: readonly Choice[],
  usage: string,
  details: FlagDetails & { readonly default: Default },
): ChoiceFlag<Choice | Default> {
  return { kind: 'choice', usage, choices, ...details }
}

/** Repeatable text, taken as it is. */
export function stringArrayFlag(usage: string, details: FlagDetails = {}): StringArrayFlag {
  return { kind: 'stringArray', usage, default: [], ...details }
}

/** Repeatable text; commas separate several values. */
export function stringSliceFlag(usage: string, details: FlagDetails = {}): StringSliceFlag {
  return { kind: 'stringSlice', usage, default: [], ...details }
}

/** Repeatable `key=value` pairs. */
export function stringToStringFlag(usage: string, details: FlagDetails = {}): StringToStringFlag {
  return { kind: 'stringToString', usage, default: new Map(), completion: 'none', ...details }
}

/** The flag, marked as an old name: it still works, is left out of help, and says `message` when it is used. */
export function deprecated<F extends Flag>(message: string, flag: F): F {
  return { ...flag, deprecated: message }
}

/** The flag, as an old name that passes its value on to another flag. The command never sees it. */
export function standIn<F extends Flag>(standsFor: StandsFor, flag: F): StandIn<F> {
  return { ...flag, standsFor }
}

/** The flag, as one that is accepted and has no effect. The command never sees it. */
export function ignored<F extends Flag>(flag: F): Ignored<F> {
  return { ...flag, ignored: true }
}

/** The flags, none of which is read from the environment: what `COSIGN_<FLAG>` says there is meant for other verbs. */
export function setByCommandLineOnly<const Table extends FlagTable>(table: Table): Table {
  return Object.fromEntries(Object.entries(table).map(([name, flag]) => [name, { ...flag, environment: false }])) as unknown as Table
}

/** Whether the command receives the value of the flag. */
export function isReceived(flag: Flag): boolean {
  return flag.standsFor === undefined && flag.ignored !== true
}

/** Whether help and completion show the flag. */
export function isShown(flag: Flag): boolean {
  return flag.hidden !== true && flag.deprecated === undefined
}
