/** Policies in every language: what complies, what does not, and that what cannot be evaluated never passes. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseStatement } from '../../../src/bundle/statement.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { openPolicies } from '../../../src/policy/open-policies.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-policy-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const document = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'app', digest: { sha256: 'ab'.repeat(32) } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: { builder: { id: 'https://builder.example' }, count: 6, items: [{ severity: 'LOW' }, { severity: 'HIGH' }] },
}

function file(name: string, contents: string): string {
  writeFileSync(path.join(folder, name), contents)
  return name
}

/** Makes a program of the user's. */
function program(name: string, script: string): void {
  writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(path.join(folder, name), 0o755)
}

async function violations(
  files: readonly string[],
  statement: unknown = document,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const payload = encodeUtf8(typeof statement === 'string' ? statement : JSON.stringify(statement))
  const readFile = (name: string): Uint8Array => readFileSync(path.join(folder, name))
  const policies = await openPolicies(files, { env: { PATH: `${folder}:/usr/bin:/bin`, ...env }, cwd: folder, readFile })
  const found: string[] = []
  for (const policy of policies) found.push(...(await policy.violations({ statement: parseStatement(payload), payload })))
  return found
}

const celOf = (source: string): Promise<string[]> => violations([file('p.cel', source)])
const schemaOf = (schema: unknown, statement?: unknown): Promise<string[]> =>
  violations([file('p.json', JSON.stringify(schema))], statement)

describe('a policy in CEL', () => {
  it.each([
    'predicate.builder.id == "https://builder.example"',
    'predicate.count >= 6 && predicate.items.size() == 2',
    '// who built it\nstatement.predicate.builder.id.startsWith("https://") // and over which line\n  && true',
    'subject.exists(s, s.digest.sha256.startsWith("abab"))',
    'predicateType == "https://slsa.dev/provenance/v1" && statement._type.endsWith("/v1")',
    '!has(predicate.nothing)',
  ])('complies: %s', async (source) => expect(await celOf(source)).toEqual([]))

  it.each([
    ['predicate.count > 6', /the expression is false/],
    ['predicate.items.all(i, i.severity != "HIGH")', /the expression is false/],
    ['predicate.nothing == 1', /No such key: nothing/],
    ['predicate.constructor.name == "Object"', /No such key/],
    ['predicate.count', /neither true nor false/],
    ['predicate.count == 6 || predicate.nothing && false', /./],
  ])('does not comply: %s', async (source, reason) => {
    const found = await celOf(source)
    if (source.includes('||')) expect(found).toEqual([])
    else expect(found).toEqual([expect.stringMatching(reason)])
  })

  it.each([
    ['1 +', /p\.cel is not valid CEL/],
    ['1 + 1', /should be an expression that is true or false, found one of type int/],
    ['unknown == 1', /Unknown variable: unknown/],
    ['', /not valid CEL/],
  ])('is refused: %s', async (source, reason) => expect(celOf(source)).rejects.toThrow(reason))

  it.each(['predicate.text.matches("^(a+)+$")', 'predicate.items.exists(i, i.text.matches("^(a+)+$"))'])(
    'has patterns that take linear time: %s',
    async (source) => {
      const text = `${'a'.repeat(50_000)}!`
      const statement = { ...document, predicate: { text, items: [{ text }] } }
      expect(await violations([file('p.cel', source)], statement)).toEqual(['p.cel: the expression is false'])
    },
  )

  it('has patterns of RE2, as CEL demands', async () => {
    expect(await celOf('predicateType.matches("^(?i)HTTPS://[[:alpha:]]+")')).toEqual([])
    expect(await celOf('predicateType.matches("(?=https)")')).toEqual([expect.stringMatching(/is not a regular expression in RE2 syntax/)])
  })

  it('sees large integers exactly', async () => {
    const statement = JSON.stringify(document).replace('"count":6', '"count":9007199254740993')
    expect(await violations([file('p.cel', 'predicate.count == 9007199254740993')], statement)).toEqual([])
    expect(await violations([file('p.cel', 'predicate.count == 9007199254740992')], statement)).toHaveLength(1)
  })

  it('complies with all of several', async () => {
    const files = [file('a.cel', 'true'), file('b.cel', 'predicate.count == 7')]
    expect(await violations(files)).toEqual(['b.cel: the expression is false'])
  })
})

describe('a JSON Schema', () => {
  const about = (predicate: object): object => ({ properties: { predicate }, required: ['predicate'] })

  it('is complied with', async () => {
    expect(await schemaOf(about({ properties: { count: { type: 'integer', minimum: 6 } }, required: ['count'] }))).toEqual([])
    for (const dialect of [
      'http://json-schema.org/draft-07/schema#',
      'https://json-schema.org/draft/2019-09/schema',
      'https://json-schema.org/draft/2020-12/schema',
    ])
      expect(await schemaOf({ $schema: dialect, ...about({ required: ['builder'] }) })).toEqual([])
  })

  it('says where it is not complied with', async () => {
    const schema = about({ properties: { count: { minimum: 7 }, builder: { properties: { id: { const: 'x' } } } } })
    expect(await schemaOf(schema)).toEqual(
      ['p.json: /predicate/builder/id must be equal to constant', 'p.json: /predicate/count must be >= 7'].toSorted((a, b) =>
        a.includes('count') === b.includes('count') ? 0 : a.includes('count') ? -1 : 1,
      ),
    )
  })

  it('does not take what every object inherits for a member', async () => {
    expect(await schemaOf(about({ required: ['constructor'] }))).toHaveLength(1)
    expect(await schemaOf(about({ required: ['toString'] }))).toHaveLength(1)
  })

  it('limits integers of any size', async () => {
    for (const count of ['99999999999999999999', '9'.repeat(400)]) {
      const statement = JSON.stringify(document).replace('"count":6', `"count":${count}`)
      expect(await schemaOf(about({ properties: { count: { maximum: 7 } } }), statement)).toEqual(['p.json: /predicate/count must be <= 7'])
      expect(await schemaOf(about({ properties: { count: { type: 'integer', minimum: 7 } } }), statement)).toEqual([])
    }
  })

  it('that has no end is refused', async () => {
    await expect(schemaOf({ $ref: '#' })).rejects.toThrow(/the policy p\.json cannot be evaluated/)
  })

  it('has patterns that take linear time', async () => {
    const statement = { ...document, predicate: { text: `${'a'.repeat(50_000)}!` } }
    expect(await schemaOf(about({ properties: { text: { pattern: '^(a+)+$' } } }), statement)).toHaveLength(1)
  })

  it.each([
    ['that refers to what would have to be fetched', { $ref: 'https://example.com/schema.json' }],
    ['with a keyword that is not known', { properties: {}, requried: ['predicate'] }],
    ['with a format that would not be checked', about({ properties: { count: { format: 'nothing' } } })],
    ['that is none', { type: 'nothing' }],
    ['that is a list', []],
    ['whose answer would come later', { $async: true, required: ['nothing'] }],
  ])('%s is refused', async (_, schema) => expect(schemaOf(schema)).rejects.toThrow(/JSON Schema/))
})

describe('a policy in Rego', () => {
  const rego = (): string => file('p.rego', 'package signature')
  const answers = (answer: unknown, status = 0): Promise<string[]> => {
    program('opa', `cat > "$PWD/input"; echo "$@" > "$PWD/words"; printf '%s' '${JSON.stringify(answer)}'; exit ${status}`)
    return violations([rego()])
  }
  const value = (...values: unknown[]): unknown => ({
    result: [{ expressions: values.map((one) => ({ value: one, text: 'data.signature.allow' })) }],
  })

  it('is asked of opa, which is given the statement', async () => {
    expect(await answers(value(true))).toEqual([])
    expect(JSON.parse(readFileSync(path.join(folder, 'input'), 'utf8'))).toEqual(document)
    expect(readFileSync(path.join(folder, 'words'), 'utf8')).toBe(
      `eval --format json --stdin-input --data file://${folder}/p.rego data.signature.allow --v0-compatible\n`,
    )
  })

  it.each([
    ['false', value(false), ['expression value, false, is not true']],
    ['a text', value('true'), ['expression value, "true", is not true']],
    ['not defined', {}, ["policy is not compliant for query 'data.signature.allow': it is not defined"]],
    ['without a result', { result: [] }, ["policy is not compliant for query 'data.signature.allow': it is not defined"]],
    ['without an expression', { result: [{}] }, ['expression value, nothing, is not true']],
    ['true and false', value(true, false), ['expression value, false, is not true']],
    ['an error', { errors: [{ message: 'rego_parse_error' }] }, ['the policy cannot be evaluated: rego_parse_error']],
  ])('does not comply when the answer is %s', async (_, answer, expected) =>
    expect(await answers(answer, 'errors' in (answer as object) ? 2 : 0)).toEqual(expected),
  )

  it('does not pass when opa fails, whatever it has printed', async () => {
    await expect(answers(value(true), 1)).rejects.toThrow(/opa ended with status 1/)
    program('opa', 'echo broken >&2; exit 2')
    await expect(violations([rego()])).rejects.toThrow(/opa ended with status 2: broken/)
    program('opa', 'exit 0')
    await expect(violations([rego()])).rejects.toThrow(/opa ended with status 0/)
    program('opa', 'kill -9 $$')
    await expect(violations([rego()])).rejects.toThrow(/was ended by SIGKILL/)
  })

  it('is read from its own file, whatever the name', async () => {
    for (const name of ['a.rego#b.rego', 'a%2erego.rego', 'a?b.rego', 'a b.rego', 'ä:b.rego']) {
      program('opa', `echo "$5" "$6" > "$PWD/words"; printf '%s' '${JSON.stringify(value(true))}'`)
      await violations([file(name, 'package signature')])
      const [, address = ''] = readFileSync(path.join(folder, 'words'), 'utf8').trim().split(' ')
      expect(fileURLToPath(address)).toBe(path.join(folder, name))
    }
  })

  it('is asked of an opa of before version 1, too', async () => {
    program(
      'opa',
      `case "$*" in *v0*) echo 'Error: unknown flag: --v0-compatible' >&2; exit 1;; esac; printf '%s' '${JSON.stringify(value(true))}'`,
    )
    expect(await violations([rego()])).toEqual([])
  })

  it('is evaluated with nothing of this environment that may be secret', async () => {
    program('opa', `env > "$PWD/environment"; printf '%s' '${JSON.stringify(value(true))}'`)
    await violations([rego()], document, { COSIGN_PASSWORD: 'secret' })
    expect(readFileSync(path.join(folder, 'environment'), 'utf8')).not.toContain('secret')
  })

  it('needs opa', async () => {
    await expect(violations([rego()], document, { PATH: '/nonexistent' })).rejects.toThrow(
      'policies in Rego are evaluated by the program opa, which is not on PATH: install it, or write the policy in CEL (.cel)',
    )
  })
})

describe('a policy in CUE', () => {
  const cue = (): string => file('p.cue', 'predicate: count: 6')

  it('is asked of cue, which is given the statement', async () => {
    program('cue', 'cat > "$PWD/input"; echo "$@" > "$PWD/words"')
    expect(await violations([cue()])).toEqual([])
    expect(JSON.parse(readFileSync(path.join(folder, 'input'), 'utf8'))).toEqual(document)
    expect(readFileSync(path.join(folder, 'words'), 'utf8')).toBe(`vet --concrete ${folder}/p.cue json: -\n`)
  })

  it('does not comply when cue says why', async () => {
    program('cue', `echo 'predicate.count: conflicting values 6 and 7:' >&2; exit 1`)
    expect(await violations([cue()])).toEqual(['predicate.count: conflicting values 6 and 7:'])
  })

  it('does not pass when cue fails', async () => {
    program('cue', 'exit 1')
    await expect(violations([cue()])).rejects.toThrow(/cue ended with status 1/)
    program('cue', 'echo usage >&2; exit 2')
    await expect(violations([cue()])).rejects.toThrow(/cue ended with status 2: usage/)
  })

  it.each([
    ['p_tool.cue', 'predicate: count: 7', /has files named \*_tool\.cue for other programs/],
    ['p_test.cue', 'predicate: count: 7', /has files named \*_test\.cue for other programs/],
    ['p.cue', '@ignore()\npackage p\n', /has the attribute @ignore\(…\) of a file that is left out/],
    ['p.cue', '// A comment.\n\n@if(later)\npackage p\n', /has the attribute @if\(…\)/],
    ['p.cue', '@x("package")@if(later)\npackage p\n', /has the attribute @if\(…\)/],
  ])('is refused where cue would pass it over: %s, %s', async (name, policy, reason) => {
    program('cue', 'cat > /dev/null')
    await expect(violations([file(name, policy)])).rejects.toThrow(reason)
  })

  it.each(['// @ignore() is not here\npredicate: count: 6', 'package p\n\npredicate: count: 6 // or @if(later)', 'email: "@iffy()"'])(
    'is applied: %s',
    async (policy) => {
      program('cue', 'cat > /dev/null')
      expect(await violations([file('p.cue', policy)])).toEqual([])
    },
  )

  it.each(['', '\n// predicate: count: 7\n', '// Only a name.\npackage p\n'])('is refused where it demands nothing: %j', async (policy) => {
    program('cue', 'cat > /dev/null')
    await expect(violations([file('p.cue', policy)])).rejects.toThrow(/p\.cue demands nothing: every statement would comply/)
  })

  it('needs cue', async () => {
    await expect(violations([cue()], document, { PATH: '/nonexistent' })).rejects.toThrow(/the program cue, which is not on PATH/)
  })
})

describe('policies', () => {
  it('take what a statement calls __proto__ for a member of that name, and for nothing else', async () => {
    const statement = JSON.stringify(document).replace('"count":6', '"__proto__":{"approved":true}')
    expect(await violations([file('p.cel', 'predicate.approved')], statement)).toEqual(['p.cel: No such key: approved'])
    const schema = { properties: { predicate: { required: ['approved'] } } }
    expect(await schemaOf(schema, statement)).toHaveLength(1)
  })

  it('are of a language that is known', async () => {
    await expect(violations(['p.txt'])).rejects.toThrow(/invalid policy format, expected \.cue or \.rego/)
  })

  it('are files that are there', async () => {
    for (const name of ['gone.cel', 'gone.json', 'gone.rego', 'gone.cue']) await expect(violations([name])).rejects.toThrow(/ENOENT/)
  })

  it('of several languages must all be complied with', async () => {
    const files = [file('a.cel', 'false'), file('b.json', JSON.stringify({ required: ['nothing'] }))]
    expect(await violations(files)).toHaveLength(2)
  })
})
