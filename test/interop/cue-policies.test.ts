/** Policies in CUE, by which `verify-attestation` decides through the real `cue`, and cosign through the one it has built in: alike. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { predicateType } from './image-clients.ts'
import { isWorldMissing } from './image-world.ts'
import { findPeer } from './peer.ts'
import type { Judgement, PolicyWorld } from './policy-world.ts'
import { openPolicyWorld } from './policy-world.ts'

const isMissing = isWorldMissing || findPeer('cue') === undefined
let world: PolicyWorld

beforeAll(async () => {
  if (!isMissing) world = await openPolicyWorld('cue')
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

const judged = (policies: readonly string[]): Promise<Judgement> =>
  world.judged(Object.fromEntries(policies.map((policy, index) => [`p${index}.cue`, policy])))

const passed = 'predicate: passed: 12'
const failed = 'predicate: passed: 13'

describe.skipIf(isMissing)('an attestation complies with', () => {
  it.each([
    ['the value that its predicate has', [passed]],
    ['what its statement says', [`predicateType: "${predicateType}"\nsubject: [{digest: sha256: =~"^[0-9a-f]{64}$"}]`]],
    ['a type, and bounds', ['predicate: passed: int & >=12 & <13']],
    ['one of several values', ['predicate: passed: 11 | 12']],
    ['a field that must be there', ['predicate: passed!: int']],
    ['a field that may be there', ['predicate: {failed?: 0, passed: int}']],
    ['a definition with all of its fields', ['#Predicate: {passed: number}\npredicate: #Predicate']],
    ['a default for what it does not say', ['predicate: level: *"low" | "high"']],
    ['what a package of the language computes', ['import "list"\npredicate: passed: list.Max([1, 12])']],
    ['a package', [`package policy\n\n${passed}`]],
    ['a policy that another file has a part of', ['package policy\n\npredicate: passed: <#max', 'package policy\n\n#max: 13']],
    ['a policy that asks for nothing', ['predicate: _']],
  ])('%s', async (_, policies) => {
    const { ours, theirs } = await judged(policies)
    expect(ours.exitCode, ours.stderr).toBe(0)
    expect(ours.stdout).toContain('"payloadType":"application/vnd.in-toto+json"')
    expect(theirs?.exitCode, theirs?.stderr).toBeOneOf([0, undefined])
    expect(ours.stderr).toContain('will be validating against CUE policies: [p0.cue')
  })
})

describe.skipIf(isMissing)('an attestation is refused for', () => {
  it.each([
    ['another value', [failed]],
    ['another type', ['predicate: passed: string']],
    ['a bound that it exceeds', ['predicate: passed: <12']],
    ['none of several values', ['predicate: passed: 11 | 13']],
    ['a field that it does not have and must', ['predicate: failed!: int']],
    ['a field that it has and may not', ['predicate: passed?: _|_']],
    ['a definition without one of its fields', ['#Predicate: {failed: number}\npredicate: #Predicate']],
    ['a struct that is closed', ['close({predicate: {...}})']],
    ['a pattern that does not fit', ['predicateType: =~"^http://"']],
    ['a list of another length', ['subject: [_, _]']],
    ['what a package of the language computes', ['import "list"\npredicate: passed: list.Max([1, 13])']],
    ['one of two policies', [passed, failed]],
    ['one of two policies, the first', [failed, passed]],
    ['two policies that contradict each other', ['predicate: level: 1', 'predicate: level: 2']],
    ['policies of two packages', ['package one\n\npredicate: passed: 12', 'package two\n\npredicate: passed: 12']],
    ['a policy that ends too early', ['predicate: {']],
    ['a policy that is no CUE', ['this is no policy']],
    ['a reference to nothing', ['predicate: passed: twelve']],
    ['a package that is not there', ['import "example.com/nothing"\n\npredicate: passed: nothing.twelve']],
    ['a policy that is an error', ['_|_']],
  ])('%s', async (_, policies) => {
    const { ours, theirs } = await judged(policies)
    expect([ours.exitCode, ours.stdout]).toEqual([1, ''])
    expect(ours.stderr).toMatch(/^Error: /m)
    expect(theirs?.exitCode).toBeOneOf([1, undefined])
  })

  it.each([
    ['a name of files for tests', { 'p0.cue': passed, 'p1_test.cue': failed }],
    ['a name of files for commands', { 'p0.cue': passed, 'p1_tool.cue': failed }],
    ['an attribute that leaves it out', { 'p0.cue': passed, 'p1.cue': `@ignore()\n\npackage policy\n\n${failed}` }],
    ['a condition that does not hold', { 'p0.cue': passed, 'p1.cue': `// Later.\n@if(later)\npackage policy\n\n${failed}` }],
    ['an attribute after another one', { 'p0.cue': passed, 'p1.cue': `@x(y)\n@ignore()\n\npackage policy\n\n${failed}` }],
  ])('a policy that cue and cosign pass over beside others: %s', async (_, policies) => {
    const { ours, theirs } = await world.judged(policies)
    expect([ours.exitCode, ours.stdout]).toEqual([1, ''])
    expect(ours.stderr).toContain('would not be applied')
    expect(theirs?.exitCode).toBeOneOf([0, undefined])
  })

  it.each([
    ['a field that it does not have', 'predicate: failed: int', 'predicate.failed: incomplete value int'],
    ['an empty policy', '', 'the policy p0.cue is empty'],
  ])('%s, which cosign lets pass', async (_, policy, reason) => {
    const { ours, theirs } = await judged([policy])
    expect([ours.exitCode, ours.stdout]).toEqual([1, ''])
    expect(ours.stderr).toContain(reason)
    expect(theirs?.exitCode).toBeOneOf([0, undefined])
  })

  it('a policy that is not there, and where there is no cue', async () => {
    expect((await world.verifies(['gone.cue'])).exitCode).toBe(1)
    await judged([passed])
    const { exitCode, stderr, stdout } = await world.verifies(['p0.cue'], '/nonexistent')
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain('the program cue, which is not on PATH')
  })
})
