/** Every verb that exists is held to every flag that any cosign from 1.13 to 3.1 has for it. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Command, CommandEntry } from '../../../src/cli/command.ts'
import { environmentNames } from '../../../src/cli/flag-environment.ts'
import { registryFlags } from '../../../src/cli/flag-groups.ts'
import { FlagIndex } from '../../../src/cli/flag-index.ts'
import { defaultText, kindName } from '../../../src/cli/flag-values.ts'
import type { Flag } from '../../../src/cli/flags.ts'
import { globalFlags, helpFlag } from '../../../src/cli/global-flags.ts'
import { otherVariables, sigstoreVariables } from '../../../src/cli/environment-variables.ts'
import { rootEntry } from '../../../src/cli/root.ts'

const FOLDER = '../shared/data/cosign-cli'
/** Oldest first. */
const VERSIONS = ['1.13.6', '2.6.5', '3.1.3']
const NEWEST = '3.1.3'

/** Flags of ours that no cosign has for that verb. */
const ADDITIONS: Readonly<Record<string, readonly string[]>> = {
  // As sign-blob has them.
  attest: ['format', 'local-image', 'signing-algorithm'],
  'attest-blob': ['format', 'signing-algorithm'],
  'bundle inspect': ['output'],
  // As `import-key-pair` has it: a key that is in a store already is not overwritten without asking.
  'generate-key-pair': ['yes'],
  // As sign-blob has them.
  sign: ['format', 'local-image', 'signing-algorithm'],
  // `--output` is the signature's file there.
  'sign-blob': ['checksums', 'format', 'recursive'],
  'dockerfile verify': ['accept-attestations', 'explain', 'platform', 'recursive'],
  'manifest verify': ['accept-attestations', 'explain', 'platform', 'recursive'],
  verify: ['accept-attestations', 'explain', 'platform', 'recursive'],
  'verify-attestation': ['explain', 'platform', 'recursive'],
  'verify-blob': ['output'],
  'verify-blob-attestation': [
    'output',
    // cosign 1.13 had them for verify-blob only, but scripts share their flags between the two.
    'certificate-email',
    'enforce-sct',
  ],
}
/** Kinds that cosign declares for a single flag; both are a choice between a few texts. */
const CHOICE_KINDS = new Set(['CLEAN_TYPE', 'registryReferrersMode'])

interface CosignFlag {
  readonly version: string
  readonly shorthand: string
  readonly kind: string
  readonly default: string
  readonly marks: ReadonlySet<string>
}

interface CosignVerb {
  readonly version: string
  readonly marks: ReadonlySet<string>
  readonly flags: Map<string, CosignFlag>
}

const absent = VERSIONS.map((version) => `${FOLDER}/${version}.tsv`).filter((file) => !existsSync(file))
const cosign = absent.length === 0 ? readVerbs() : new Map<string, CosignVerb>()
if (absent.length > 0)
  process.stderr.write(`the comparison with cosign's flags is skipped: ${absent.join(', ')} not found in ${path.resolve('.')}\n`)

function readVerbs(): Map<string, CosignVerb> {
  const verbs = new Map<string, CosignVerb>()
  for (const version of VERSIONS) {
    const [, ...rows] = readFileSync(`${FOLDER}/${version}.tsv`, 'utf8').trimEnd().split('\n')
    for (const row of rows) {
      const [command = '', flag = '', shorthand = '', kind = '', value = '', marks = ''] = row.split('\t')
      const verb = command.replace(/^cosign ?/, '')
      const known = { version, marks: new Set(marks.split(',').filter((mark) => mark !== '')) }
      const flags = verbs.get(verb)?.flags ?? new Map<string, CosignFlag>()
      if (flag === '') verbs.set(verb, { ...known, flags })
      else flags.set(flag.slice(2), { ...known, shorthand, kind, default: value })
    }
  }
  return verbs
}

interface Verb {
  /** Without the program's name; empty for the program itself. */
  readonly path: string
  readonly entry: CommandEntry
  readonly command: Command
}

async function allVerbs(entry: CommandEntry, verbPath: string): Promise<Verb[]> {
  const { command } = await entry.load()
  const below = command.subcommands.map((subcommand) => allVerbs(subcommand, `${verbPath} ${subcommand.name}`.trim()))
  return [{ path: verbPath, entry, command }, ...(await Promise.all(below)).flat()]
}

const verbs = await allVerbs(rootEntry, '')

function compare(name: string, flag: Flag | undefined, expected: CosignFlag): void {
  expect(flag, `--${name} is missing`).toBeDefined()
  if (flag === undefined) return
  const wasRemoved = expected.version !== NEWEST
  const isDeprecated = wasRemoved || expected.marks.has('deprecated')
  expect(
    {
      shorthand: flag.shorthand ?? '',
      kind: CHOICE_KINDS.has(expected.kind) && flag.kind === 'choice' ? expected.kind : kindName(flag),
      default: defaultText(flag),
      deprecated: flag.deprecated !== undefined,
      hidden: flag.hidden === true || flag.deprecated !== undefined,
      required: flag.required === true,
    },
    `--${name}`,
  ).toEqual({
    shorthand: expected.shorthand,
    kind: expected.kind,
    default: expected.default,
    deprecated: isDeprecated,
    hidden: isDeprecated || expected.marks.has('hidden'),
    required: expected.marks.has('required'),
  })
}

describe.skipIf(absent.length > 0)('the flags of cosign', () => {
  for (const { path: verbPath, entry, command } of verbs) {
    const theirs = cosign.get(verbPath)
    if (theirs === undefined) continue
    const ours = verbPath === '' ? globalFlags : command.flags

    it(`${verbPath === '' ? 'the program' : verbPath} has them all, as the newest cosign that has them`, () => {
      for (const [name, expected] of theirs.flags) compare(name, Object.entries(ours).find(([own]) => own === name)?.[1], expected)
    })

    it(`${verbPath === '' ? 'the program' : verbPath} has no others than it says`, () => {
      const more = Object.keys(ours).filter((name) => !theirs.flags.has(name))
      expect(more.sort()).toEqual([...(ADDITIONS[verbPath] ?? [])].filter((name) => !theirs.flags.has(name)).sort())
    })

    it(`${verbPath === '' ? 'the program' : verbPath} is listed when the newest cosign lists it`, () => {
      expect(entry.hidden === true).toBe(theirs.marks.has('hidden'))
      expect(entry.deprecated !== undefined).toBe(theirs.version === NEWEST && theirs.marks.has('deprecated'))
    })
  }

  it('of the registry are one group, which every image verb has', () => {
    const save = cosign.get('save')
    expect(save).toBeDefined()
    const names = [...(save?.flags.keys() ?? [])].filter((name) => name !== 'dir')
    expect(Object.keys(registryFlags).sort()).toEqual(names.sort())
    for (const [name, flag] of Object.entries(registryFlags)) {
      const expected = save?.flags.get(name)
      if (expected !== undefined) compare(name, flag, expected)
    }
  })
})

describe('the flags of every verb', () => {
  for (const { path: verbPath, entry, command } of verbs) {
    const title = verbPath === '' ? 'the program' : verbPath

    it(`${title}: no two have the same shorthand, and none that of a global flag`, () => {
      const shorthands = Object.values({ ...globalFlags, ...command.flags, ...helpFlag(entry.name) }).flatMap(
        (flag) => flag.shorthand ?? [],
      )
      expect(new Set(shorthands).size).toBe(shorthands.length)
      for (const shorthand of shorthands) expect(shorthand).toMatch(/^[A-Za-z]$/)
    })

    it(`${title}: old names stand for flags that exist, and rules name flags that exist`, () => {
      for (const flag of Object.values<Flag>(command.flags)) {
        if (flag.standsFor !== undefined) expect(Object.keys(command.flags)).toContain(flag.standsFor.flag)
      }
      const { exclusive = [], oneRequired = [], requiredTogether = [] } = command
      for (const name of [...exclusive, ...oneRequired, ...requiredTogether].flat()) expect(Object.keys(command.flags)).toContain(name)
    })

    it(`${title}: no flag is set by a variable that means something else`, () => {
      const reserved = new Set([...sigstoreVariables, ...otherVariables].map(({ name }) => name))
      for (const { name, flag } of new FlagIndex(command.flags, globalFlags).all()) {
        if (flag.environment === false) continue
        for (const variable of environmentNames(name)) expect(reserved).not.toContain(variable)
      }
    })

    it(`${title}: every flag says what it is for in one line`, () => {
      for (const [name, flag] of Object.entries<Flag>(command.flags)) {
        expect(flag.usage, `--${name}`).toMatch(/^[^\n]{5,}[^.\n]$/)
        if (flag.deprecated !== undefined) expect(flag.deprecated, `--${name}`).toMatch(/^[^\n]{5,}$/)
      }
      expect(entry.short).toMatch(/^[A-Z][^\n]{5,}[^.\n]$/)
    })
  }
})
