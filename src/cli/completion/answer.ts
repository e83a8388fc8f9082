/** What may follow on a command line, read off the table of verbs and flags. */
import type { CommandEntry } from '../command.ts'
import type { FoundCommand } from '../command-search.ts'
import { commandFlags, findCommand, isListed, takesNext } from '../command-search.ts'
import type { FlagIndex, NamedFlag } from '../flag-index.ts'
import { findLong, isOldLong, isOldShort } from '../flag-index.ts'
import type { Flag, ValueCompletion } from '../flags.ts'
import { isShown } from '../flags.ts'

/** A word that may be written, with what it means. */
export interface Candidate {
  readonly word: string
  readonly description: string
}

/** What may be written in place of the word under the cursor. */
export interface Answer {
  readonly candidates: readonly Candidate[]
  /** What the shell may offer besides. */
  readonly besides: 'file' | 'directory' | 'none'
}

const NOTHING: Answer = { candidates: [], besides: 'none' }

/**
 * Completes a command line.
 * @param words the words after the program's name and before the word under the cursor
 * @param current the word under the cursor, as far as it is written
 */
export async function completeWords(program: CommandEntry, words: readonly string[], current: string): Promise<Answer> {
  const found = await findCommand(program, words, () => undefined)
  if (found.command.raw === true) return NOTHING
  const index = commandFlags(found)
  const before = readWords(found.argv, index)
  if (before.pending !== undefined) return completeValue(before.pending.flag, '', current)
  if (!before.flagsEnded && current.startsWith('-')) return completeFlag(index, current)
  return completeArgument(program, found, before.argumentCount, current)
}

interface WordsBefore {
  readonly argumentCount: number
  /** Whether `--` was written. */
  readonly flagsEnded: boolean
  /** The flag whose value comes next. */
  readonly pending: NamedFlag | undefined
}

function readWords(words: readonly string[], index: FlagIndex): WordsBefore {
  let argumentCount = 0
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return { argumentCount: argumentCount + words.length - at - 1, flagsEnded: true, pending: undefined }
    if (!word.startsWith('-') || word === '-') argumentCount++
    else if (takesNext(word, index)) {
      at++
      if (at === words.length) return { argumentCount, flagsEnded: false, pending: flagThatTakes(word, index) }
    }
  }
  return { argumentCount, flagsEnded: false, pending: undefined }
}

function flagThatTakes(word: string, index: FlagIndex): NamedFlag | undefined {
  if (isOldShort(word, index)) return index.short(word.slice(2))
  if (word.startsWith('--')) return findLong(index, word.slice(2))
  return isOldLong(word, index) ? findLong(index, word.slice(1)) : index.short(word.slice(-1))
}

function completeFlag(index: FlagIndex, current: string): Answer {
  const equals = current.indexOf('=')
  if (equals > 0) {
    const named = findLong(index, current.slice(2, equals))
    const isLong = current.startsWith('--') && named !== undefined
    return isLong ? completeValue(named.flag, current.slice(0, equals + 1), current) : NOTHING
  }
  const candidates = [...index.all()]
    .filter(({ flag }) => isShown(flag))
    .map(({ name, flag }) => ({ word: `--${name}`, description: flag.usage }))
  return { candidates: matching(candidates, current), besides: 'none' }
}

/** @param prefix `--name=` when flag and value are one word */
function completeValue(flag: Flag, prefix: string, current: string): Answer {
  const values = valuesOf(flag)
  if (typeof values === 'string') return { candidates: [], besides: values }
  const candidates = values.map((value) => ({ word: prefix + value, description: '' }))
  return { candidates: matching(candidates, current), besides: 'none' }
}

function valuesOf(flag: Flag): ValueCompletion {
  if (flag.kind === 'choice') return flag.choices.filter((choice) => choice !== '')
  if (flag.kind === 'bool') return ['true', 'false']
  return flag.completion ?? 'file'
}

async function completeArgument(program: CommandEntry, { command }: FoundCommand, count: number, current: string): Promise<Answer> {
  if (command.run === undefined) return count > 0 ? NOTHING : completeVerb(command.subcommands, current)
  const { maximum, values, completion = 'file' } = command.positional
  if (count >= maximum) return NOTHING
  if (values !== undefined) {
    const candidates = values.map((word) => ({ word, description: '' }))
    return { candidates: matching(candidates, current), besides: 'none' }
  }
  if (completion !== 'command') return { candidates: [], besides: completion }
  return count > 0 ? NOTHING : completeVerb((await program.load()).command.subcommands, current)
}

function completeVerb(entries: readonly CommandEntry[], current: string): Answer {
  const candidates = entries.filter(isListed).map(({ name, short }) => ({ word: name, description: short }))
  return { candidates: matching(candidates, current), besides: 'none' }
}

function matching(candidates: readonly Candidate[], current: string): readonly Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(current)).sort((a, b) => (a.word < b.word ? -1 : 1))
}
