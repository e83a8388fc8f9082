/** Policies in Rego, by which `verify-attestation` decides through the real `opa`, and cosign through the one it has built in: alike. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { predicateType } from './image-clients.ts'
import { isWorldMissing } from './image-world.ts'
import { findPeer } from './peer.ts'
import type { Judgement, PolicyWorld } from './policy-world.ts'
import { openPolicyWorld } from './policy-world.ts'

const isMissing = isWorldMissing || findPeer('opa') === undefined
let world: PolicyWorld

beforeAll(async () => {
  if (!isMissing) world = await openPolicyWorld('opa')
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

const judged = (policies: readonly string[]): Promise<Judgement> =>
  world.judged(Object.fromEntries(policies.map((policy, index) => [`p${index}.rego`, policy])))

const inPackage = (rules: string, name = 'signature'): string => `package ${name}\n\n${rules}\n`
const passed = inPackage('default allow = false\n\nallow { input.predicate.passed == 12 }')
const failed = inPackage('default allow = false\n\nallow { input.predicate.passed > 12 }')

describe.skipIf(isMissing)('an attestation complies with', () => {
  it.each([
    ['what its predicate says', [passed]],
    ['what its statement says', [inPackage(`allow { input.predicateType == "${predicateType}"; count(input.subject) == 1 }`)]],
    ['a rule in the syntax of version 1', [inPackage('import rego.v1\n\nallow if { input.predicate.passed == 12 }')]],
    ['a rule that loops and has a function', [inPackage('small(n) { n < 100 }\nallow { n := input.predicate[_]; small(n) }')]],
    [
      'a rule that another file has a part of',
      [inPackage('allow { data.limits.max >= input.predicate.passed }'), inPackage('max = 12', 'limits')],
    ],
    ['one of two rules', [inPackage('allow { false }'), inPackage('allow { input.predicate.passed == 12 }')]],
  ])('%s', async (_, policies) => {
    const { ours, theirs } = await judged(policies)
    expect(ours.exitCode, ours.stderr).toBe(0)
    expect(ours.stdout).toContain('"payloadType":"application/vnd.in-toto+json"')
    expect(theirs?.exitCode, theirs?.stderr).toBeOneOf([0, undefined])
    expect(ours.stderr).toContain('will be validating against Rego policies: [p0.rego')
  })
})

describe.skipIf(isMissing)('an attestation is refused for', () => {
  it.each([
    ['another value', [failed]],
    ['a rule that is not defined', [inPackage('allow { input.predicate.nothing == 12 }')]],
    ['a rule of another package', [inPackage('allow = true', 'attestation')]],
    ['a rule of another name', [inPackage('deny = true')]],
    ['a text that says true', [inPackage('allow = "true"')]],
    ['a set of rules', [inPackage('allow["x"] { true }')]],
    ['a policy that is no Rego', ['this is no policy']],
    ['an empty policy', ['']],
    ['two defaults that contradict each other', [inPackage('default allow = true'), inPackage('default allow = false')]],
    ['rules with several values', [inPackage('allow = true { true }\nallow = false { input.predicate.passed == 12 }')]],
    ['the syntax of version 1 that is not announced', [inPackage('allow if { input.predicate.passed == 12 }')]],
  ])('%s', async (_, policies) => {
    const { ours, theirs } = await judged(policies)
    expect([ours.exitCode, ours.stdout]).toEqual([1, ''])
    expect(ours.stderr).toMatch(/^Error: /m)
    expect(theirs?.exitCode).toBeOneOf([1, undefined])
  })

  it.each(['passed.rego#.rego', 'passed%2erego#.rego'])('a policy whose name could be another one as an address: %s', async (name) => {
    expect((await world.judged({ 'passed.rego': passed })).ours.exitCode).toBe(0)
    const { ours, theirs } = await world.judged({ [name]: failed })
    expect([ours.exitCode, ours.stdout]).toEqual([1, ''])
    expect(theirs?.exitCode).toBeOneOf([1, undefined])
  })

  it('a policy that is not there, and where there is no opa', async () => {
    expect((await world.verifies(['gone.rego'])).exitCode).toBe(1)
    await judged([passed])
    const { exitCode, stderr, stdout } = await world.verifies(['p0.rego'], '/nonexistent')
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain('the program opa, which is not on PATH')
  })
})
