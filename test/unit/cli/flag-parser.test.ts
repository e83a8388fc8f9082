import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CommandLineError } from '../../../src/cli/failure.ts'
import { FlagIndex } from '../../../src/cli/flag-index.ts'
import { parseArguments } from '../../../src/cli/flag-parser.ts'
import type { FlagValue } from '../../../src/cli/flags.ts'
import {
  boolFlag,
  choiceFlag,
  deprecated,
  durationFlag,
  ignored,
  intFlag,
  standIn,
  stringArrayFlag,
  stringFlag,
  stringSliceFlag,
  stringToStringFlag,
} from '../../../src/cli/flags.ts'
import { globalFlags, helpFlag } from '../../../src/cli/global-flags.ts'
import { verifyBlobFlags } from '../../../src/cli/flag-groups.ts'

const table = {
  all: boolFlag('', { shorthand: 'a' }),
  big: boolFlag('', { shorthand: 'b' }),
  key: stringFlag('', { shorthand: 'k' }),
  output: choiceFlag(['json', 'text', 'yaml'], '', { shorthand: 'o', default: 'json' }),
  count: intFlag('', { shorthand: 'n' }),
  wait: durationFlag('', { shorthand: 't' }),
  item: stringArrayFlag(''),
  part: stringSliceFlag('', { shorthand: 'p' }),
  label: stringToStringFlag(''),
  certificate: stringFlag(''),
  sk: boolFlag(''),
  old: deprecated('use --key', stringFlag('')),
  secret: stringFlag('', { hidden: true }),
  'certificate-identity': stringFlag(''),
  email: standIn({ flag: 'certificate-identity' }, stringFlag('')),
  'ignore-sct': boolFlag(''),
  enforce: standIn({ flag: 'ignore-sct', values: { true: 'false' } }, boolFlag('')),
  gone: ignored(deprecated('it has no effect', boolFlag(''))),
}
const index = new FlagIndex(table)

interface Parsed {
  readonly values: Readonly<Record<string, FlagValue>>
  readonly args: readonly string[]
  readonly notices: readonly string[]
  readonly warnings: readonly string[]
}

function parse(...argv: string[]): Parsed {
  const warnings: string[] = []
  const { flags, args, notices } = parseArguments(argv, index, (message) => warnings.push(message))
  return { values: Object.fromEntries(flags.values), args, notices, warnings }
}

function failure(...argv: string[]): string {
  try {
    parse(...argv)
  } catch (error) {
    expect(error).toHaveProperty('code', 'USAGE')
    if (error instanceof CommandLineError) return error.message
    throw error
  }
  throw new Error('no error')
}

describe("flags by pflag's rules", () => {
  it.each([
    [['--key', 'v'], { key: 'v' }, []],
    [['--key=v'], { key: 'v' }, []],
    [['--key='], { key: '' }, []],
    [['--key', ''], { key: '' }, []],
    [['--key=a=b'], { key: 'a=b' }, []],
    [['-k', 'v'], { key: 'v' }, []],
    [['-kv'], { key: 'v' }, []],
    [['-k=v'], { key: 'v' }, []],
    [['-k=a=b'], { key: 'a=b' }, []],
    [['-k='], { key: '=' }, []],
    [['--all'], { all: true }, []],
    [['--all=false'], { all: false }, []],
    [['--all', 'false'], { all: true }, ['false']],
    [['-a'], { all: true }, []],
    [['-a=false'], { all: false }, []],
    [['-ab'], { all: true, big: true }, []],
    [['-abk', 'v'], { all: true, big: true, key: 'v' }, []],
    [['-abkv'], { all: true, big: true, key: 'v' }, []],
    [['-abk=v'], { all: true, big: true, key: 'v' }, []],
    [['-ab=false'], { all: true, big: false }, []],
    [['x', '--all', 'y', '--key', 'v', 'z'], { all: true, key: 'v' }, ['x', 'y', 'z']],
    [['--all', '--', '--key', '-b', '--'], { all: true }, ['--key', '-b', '--']],
    [['-'], {}, ['-']],
    [[''], {}, ['']],
    [['--key', '-'], { key: '-' }, []],
    [['--key', '--all'], { key: '--all' }, []],
    [['-k', '--'], { key: '--' }, []],
    [['--key', 'a', '--key', 'b'], { key: 'b' }, []],
    [['--count', '-3'], { count: -3 }, []],
    [['--wait', '-1h'], { wait: -3_600_000 }, []],
    [['--secret', 'x'], { secret: 'x' }, []],
  ])('reads %j', (argv, values, args) => {
    const parsed = parse(...argv)
    expect(parsed.values).toEqual(values)
    expect(parsed.args).toEqual(args)
    expect(parsed.warnings).toEqual([])
  })

  it('collects repeatable flags, and splits only those that are lines of comma separated values', () => {
    expect(parse('--item', 'a,b', '--item', 'c').values).toEqual({ item: ['a,b', 'c'] })
    expect(parse('--part', 'a,b', '-p', 'c', '-p=').values).toEqual({ part: ['a', 'b', 'c', '='] })
    expect(parse('--part', '"a,b",c').values).toEqual({ part: ['a,b', 'c'] })
    expect(parse('--part=', '--part=x').values).toEqual({ part: ['x'] })
    expect(parse('--label', 'a=1,b=2', '--label', 'b=3').values).toEqual({
      label: new Map([
        ['a', '1'],
        ['b', '3'],
      ]),
    })
  })

  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['--nope=1'], 'unknown flag: --nope'],
    [['--x'], 'unknown flag: --x'],
    [['--__proto__'], 'unknown flag: --__proto__'],
    [['--constructor'], 'unknown flag: --constructor'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['-axk'], "unknown shorthand flag: 'x' in -xk"],
    [['-é'], "unknown shorthand flag: 'é' in -é"],
    [['-a='], "unknown shorthand flag: '=' in -="],
    [['--key'], 'flag needs an argument: --key'],
    [['-k'], "flag needs an argument: 'k' in -k"],
    [['-ak'], "flag needs an argument: 'k' in -k"],
    [['--=x'], 'bad flag syntax: --=x'],
    [['---key'], 'bad flag syntax: ---key'],
    [['--all=maybe'], 'invalid argument "maybe" for "-a, --all" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [['--all='], 'invalid argument "" for "-a, --all" flag: strconv.ParseBool: parsing "": invalid syntax'],
    [['--sk=x'], 'invalid argument "x" for "--sk" flag: strconv.ParseBool: parsing "x": invalid syntax'],
    [['-n', '1x'], 'invalid argument "1x" for "-n, --count" flag: strconv.ParseInt: parsing "1x": invalid syntax'],
    [['-t5'], 'invalid argument "5" for "-t, --wait" flag: time: missing unit in duration "5"'],
    [['-o', 'xml'], 'invalid argument "xml" for "-o, --output" flag: must be one of "json", "text", or "yaml"'],
    [['--label', 'k'], 'invalid argument "k" for "--label" flag: k must be formatted as key=value'],
    [['--part', 'a"b'], 'invalid argument "a\\"b" for "-p, --part" flag: parse error on line 1, column 2: bare " in non-quoted-field'],
  ])("refuses %j in pflag's words", (argv, message) => {
    expect(failure(...argv)).toBe(message)
  })

  it('never lets an argument reach the terminal as it is when it could move the cursor', () => {
    expect(failure('--\u001b[2Jx')).toBe('unknown flag: --\\x1b[2Jx')
    expect(failure('-\u009b')).toBe("unknown shorthand flag: '\\u009b' in -\\u009b")
    expect(failure('--all=\u202ex\n')).toContain('invalid argument "\\u202ex\\n" for')
  })

  it('cuts long arguments in messages', () => {
    expect(failure(`--${'x'.repeat(5000)}`).length).toBeLessThan(120)
    expect(failure(`--all=${'x'.repeat(5000)}`).length).toBeLessThan(300)
  })

  it('offers flags of similar names, but none that are hidden or deprecated', () => {
    const adviceOn = (argument: string): readonly string[] => {
      try {
        parse(argument)
      } catch (error) {
        return error instanceof CommandLineError ? error.advice : []
      }
      return []
    }
    expect(adviceOn('--certifcate')).toEqual(['', 'Did you mean this?', '\t--certificate', ''])
    expect(adviceOn('--certificate-id')).toContain('\t--certificate-identity')
    expect(adviceOn('-certifcate')).toContain('\t--certificate')
    expect(adviceOn('--secre')).toEqual([])
    expect(adviceOn('--x')).toEqual([])
    expect(adviceOn('--olt')).toEqual(['', 'Did you mean this?', '\t--all', ''])
  })
})

describe('the style before POSIX', () => {
  it('takes -name for --name and says so', () => {
    const { values, args, warnings } = parse('-key', 'v', 'x', '-certificate=c')
    expect(values).toEqual({ key: 'v', certificate: 'c' })
    expect(args).toEqual(['x'])
    expect(warnings).toEqual([
      'the -key flag is deprecated and will be removed in a future release. Please use the --key flag instead.',
      'the -certificate flag is deprecated and will be removed in a future release. Please use the --certificate flag instead.',
    ])
  })

  it('takes --o for -o and says so', () => {
    const { values, warnings } = parse('--o', 'text')
    expect(values).toEqual({ output: 'text' })
    expect(warnings).toEqual(['the flag --o is deprecated and will be removed in a future release. Please use the flag -o.'])
  })

  it('leaves values, arguments after -- and POSIX flags alone', () => {
    expect(parse('--key', '-key', '-k', '--o', '--', '-key', '--o')).toEqual({
      values: { key: '--o' },
      args: ['-key', '--o'],
      notices: [],
      warnings: [],
    })
    expect(parse('-p=foo=bar', '-kkey').warnings).toEqual([])
  })

  it('never repeats the value, which may be a password', () => {
    expect(parse('-key=hunter2').warnings.join()).not.toContain('hunter2')
  })

  it('does not take an unknown -name for a flag', () => {
    expect(failure('-nope')).toBe('invalid argument "ope" for "-n, --count" flag: strconv.ParseInt: parsing "ope": invalid syntax')
    expect(failure('-zkey')).toBe("unknown shorthand flag: 'z' in -zkey")
  })
})

describe('other and old names', () => {
  it('knows the short names of the certificate flags', () => {
    expect(parse('--cert', 'c', '--cert-identity=i').values).toEqual({ certificate: 'c', 'certificate-identity': 'i' })
    expect(parse('-cert', 'c').values).toEqual({ certificate: 'c' })
    expect(failure('--cert')).toBe('flag needs an argument: --cert')
  })

  it('announces each use of a deprecated flag', () => {
    expect(parse('--old', 'x', '--old=y')).toMatchObject({
      values: { old: 'y' },
      notices: ['Flag --old has been deprecated, use --key', 'Flag --old has been deprecated, use --key'],
    })
  })

  it('hands the value of an old name to the flag it stands for', () => {
    expect(parse('--email', 'a@example.com').values).toEqual({ 'certificate-identity': 'a@example.com' })
    expect(parse('--enforce').values).toEqual({ 'ignore-sct': false })
  })

  it('gives no value for a text that the old name does not translate', () => {
    expect(parse('--enforce=false').values).toEqual({})
  })

  it('checks the value of an old name', () => {
    expect(failure('--enforce=x')).toBe('invalid argument "x" for "--enforce" flag: strconv.ParseBool: parsing "x": invalid syntax')
  })

  it('refuses an old name together with the flag it stands for, in either order', () => {
    const message =
      'if any flags in the group [certificate-identity email] are set none of the others can be; [certificate-identity email] were all set'
    expect(failure('--email', 'a', '--certificate-identity', 'b')).toBe(message)
    expect(failure('--certificate-identity', 'b', '--email', 'a')).toBe(message)
    expect(failure('--ignore-sct', '--enforce')).toContain('[enforce ignore-sct] were all set')
  })

  it('accepts a flag that has no effect', () => {
    expect(parse('--gone')).toMatchObject({ values: {}, notices: ['Flag --gone has been deprecated, it has no effect'] })
  })
})

describe('any command line', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...Object.keys(table).flatMap((name) => [`--${name}`, `-${name}`, `--${name}=x`]),
      '-a',
      '-k',
      '-n',
      '--',
      '-',
      '-ak',
      '--o',
    ),
    fc.string().map((text) => `-${text}`),
    fc.string().map((text) => `--${text}`),
  )

  it('either parses or is refused as a usage error', () => {
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        try {
          parse(...argv)
        } catch (error) {
          expect(error).toBeInstanceOf(CommandLineError)
        }
      }),
    )
  })

  it('does the same for a real verb', () => {
    const real = new FlagIndex(verifyBlobFlags, globalFlags, helpFlag('verify-blob'))
    const realWord = fc.oneof(word, fc.constantFrom(...real.all().map(({ name }) => `--${name}`)))
    fc.assert(
      fc.property(fc.array(realWord), (argv) => {
        try {
          parseArguments(argv, real, () => undefined)
        } catch (error) {
          expect(error).toBeInstanceOf(CommandLineError)
        }
      }),
    )
  })

  it('keeps every value as it was written', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (value, args) => {
        expect(parse(`--key=${value}`, '--', ...args)).toMatchObject({ values: { key: value }, args })
        expect(parse('--key', value, '--', ...args)).toMatchObject({ values: { key: value }, args })
      }),
    )
  })
})
