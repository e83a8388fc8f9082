/**
 * Agreement with an independent verifier: thousands of mutated bundles through ours and through sigstore-js. Every
 * disagreement has a name and a reason in `sigstore-js-explanations.ts`, or is a bug.
 */
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../src/bundle/bundle.ts'
import { parsePublicKeyPem } from '../../src/crypto/public-key.ts'
import { CountersignError } from '../../src/error.ts'
import { loadTrustMaterial } from '../../src/trust/trust-material.ts'
import { artifactFromBytes, artifactFromDigests } from '../../src/verify/artifact.ts'
import type { Policy } from '../../src/verify/policy.ts'
import { verify } from '../../src/verify/verify.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import type { ConformanceCase } from '../support/public-data.ts'
import { conformanceCases, hasPublicData, readPublic } from '../support/public-data.ts'
import type { Mutation } from '../support/universe/mutate.ts'
import { mutationsOf } from '../support/universe/mutate.ts'
import type { Json, SignedBundle, StatementOptions } from '../support/universe/universe.ts'
import { namedKey, signBlob, signStatement, universeOf } from '../support/universe/universe.ts'
import { policyFor } from '../support/universe/verification.ts'
import type { Verdicts } from './disagreement.ts'
import { Comparison } from './disagreement.ts'
import { sigstoreJsExplanations } from './sigstore-js-explanations.ts'

/** Picks the bits that are flipped, and what is swapped. Another seed finds others, in the same places. */
const seed = Number(process.env['FUZZ_SEED'] ?? 1)
const seedNote = `with seed ${seed}: FUZZ_SEED chooses another`

/** Ours and theirs, about to judge bundles under the same trusted root, artifact and key. */
interface Judges {
  /** Code and message, or undefined where the bundle is accepted. */
  readonly ours: (bundle: Json) => string | undefined
  readonly theirs: (bundle: Json) => string | undefined
}

function judges(trustedRoot: string, policy: Policy, artifact: Uint8Array, keyPem?: string): Judges {
  const trust = loadTrustMaterial(trustedRoot)
  const verifyTheirs = sigstoreJs(trustedRoot, keyPem)
  return {
    ours: (bundle) => reasonOf(() => verify(parseBundle(JSON.stringify(bundle)), trust, policy)),
    theirs: (bundle) => messageOf(() => verifyTheirs(bundle, artifact)),
  }
}

/** Verification by sigstore-js under this trusted root and, of bundles that have none, this key. */
function sigstoreJs(trustedRoot: string, keyPem = namedKey('nobody').pem): (bundle: unknown, artifact: Uint8Array) => void {
  const publicKey = createPublicKey(keyPem)
  const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(trustedRoot)), () => ({ publicKey, validFor: () => true }))
  const verifier = new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 1 })
  return (bundle, artifact) => {
    verifier.verify(toSignedEntity(bundleFromJSON(bundle), Buffer.from(artifact)))
  }
}

/** The code and message of our refusal. Anything else that is thrown is a crash, and fails the test. */
function reasonOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (error instanceof CountersignError) return `${error.code} ${error.message}`
    throw error
  }
}

function messageOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return String(error)
  }
}

/** Compares what both say of each mutation, and gives the differences that nothing explains. */
function unexplainedOf(
  comparison: Comparison,
  what: string,
  { ours, theirs }: Judges,
  original: Json,
  mutations: Iterable<Mutation>,
): Verdicts[] {
  const unexplained: Verdicts[] = []
  const checkpoint = withoutSignerNames(original)
  for (const { name, bundle } of mutations) {
    const note = /checkpoint\.envelope: /.test(name) && withoutSignerNames(bundle) === checkpoint ? ', a name in a signature line' : ''
    const verdicts = { mutation: `${what}: ${name}${note}`, ours: ours(bundle), theirs: theirs(bundle) }
    if (!comparison.add(verdicts)) unexplained.push(verdicts)
  }
  return unexplained
}

/** The bundle with no names in the signature lines of its checkpoints. */
function withoutSignerNames(bundle: Json): string {
  return JSON.stringify(bundle).replaceAll(/\\n\u2014 [^ ]+ /g, '\\n\u2014 ')
}

/** With P-256 authorities: sigstore-js verifies the whole chain every time. */
const cheap = universeOf({ name: 'cheap', rootKey: 'p256', issuingKey: 'p256' })

/** What is mutated, and which mutations: all, or those of what distinguishes it from the others. */
type Shape = readonly [what: string, sign: (options: StatementOptions) => SignedBundle, options: StatementOptions, only?: RegExp]

const shapes: readonly Shape[] = [
  ['a signature', signBlob, {}],
  ['a signature with a timestamp', signBlob, { timestamps: [{}] }, /imestamp/],
  ['a signature on Rekor v2', signBlob, { log: 'v2' }],
  ['a signature of version 0.2', signBlob, { version: '0.2', oldMediaType: true }],
  ['a signature of version 0.1', signBlob, { version: '0.1', oldMediaType: true }],
  ['a signature with a key', signBlob, { managed: true }],
  ['a signature with an RSA key', signBlob, { key: namedKey('signer', 'rsa'), managed: true }],
  ['an attestation', signStatement, {}],
  [
    'an attestation logged as intoto',
    signStatement,
    { attestationKind: 'intoto 0.0.2', version: '0.2', oldMediaType: true },
    /tlogEntries|dsseEnvelope/,
  ],
  ['an attestation with a key', signStatement, { managed: true }],
]

describe(`mutated bundles of the test universe, ours beside sigstore-js ${seedNote}`, () => {
  const comparison = new Comparison(sigstoreJsExplanations)

  for (const [what, sign, options, only = /(?:)/] of shapes) {
    it(`${what}: every disagreement is explained`, () => {
      const signed = sign({ universe: cheap, ...options })
      const other = sign({ universe: cheap, ...options, key: namedKey('another', options.key?.kind ?? 'p256') })
      const both = judges(cheap.trustedRoot(), policyFor(signed), signed.artifact, signed.key.pem)
      expect([both.ours(signed.bundle), both.theirs(signed.bundle)]).toEqual([undefined, undefined])
      const mutations = [...mutationsOf(signed.bundle, seed, other.bundle)].filter(({ name }) => only.test(name))
      expect(unexplainedOf(comparison, what, both, signed.bundle, mutations), seedNote).toEqual([])
    })
  }

  it('a checkpoint with another name in its signature line: the disagreement is explained', () => {
    const signed = signBlob({ universe: cheap })
    const text = signed.json.replace(/\\n\u2014 [^ ]+ /, '\\n\u2014 somebody ')
    expect(text).not.toBe(signed.json)
    const mutation = { name: 'checkpoint.envelope: renamed', bundle: JSON.parse(text) as Json }
    const both = judges(cheap.trustedRoot(), policyFor(signed), signed.artifact)
    expect(unexplainedOf(comparison, 'a signature', both, signed.bundle, [mutation])).toEqual([])
  })

  it('were thousands, of which both accepted some', () => {
    expect(comparison.compared).toBeGreaterThan(3000)
    expect(comparison.agreedToAccept).toBeGreaterThan(50)
  })

  it('every explanation explains something', () => expect(comparison.unused, seedNote).toEqual([]))

  it('a bundle of another universe is refused by both', () => {
    const foreign = signBlob({ universe: universeOf({ name: 'foreign', rootKey: 'p256', issuingKey: 'p256' }) })
    const both = judges(cheap.trustedRoot(), policyFor(foreign), foreign.artifact)
    expect(both.ours(foreign.bundle)).toMatch(/^LOG_ENTRY_UNVERIFIED /)
    expect(both.theirs(foreign.bundle)).toBeDefined()
  })
})

describe.skipIf(!hasPublicData)(`bundles of the public instance, ours beside sigstore-js ${seedNote}`, () => {
  const comparison = new Comparison(sigstoreJsExplanations)
  const publicRoot = (): string => Buffer.from(readPublic('trust', 'public-good.trusted_root.json')).toString('utf8')
  const names = ['bundleV01-dsse-with-proof', 'bundleV01-full-cert-chain', 'bundleV02-intoto', 'bundleV03-dsse']

  for (const name of names) {
    it(`${name}, mutated: every disagreement is explained`, () => {
      const text = Buffer.from(readPublic('bundles', `${name}.sigstore`)).toString('utf8')
      const bundle = JSON.parse(text) as Json
      const both = judges(publicRoot(), policyOfItsOwn(text), new Uint8Array(0))
      expect([both.ours(bundle), both.theirs(bundle)]).toEqual([undefined, undefined])
      // A fifth of them: the public authorities' P-384 keys make each one slow.
      const mutations = [...mutationsOf(bundle, seed)].filter((_, at) => at % 5 === 0)
      expect(unexplainedOf(comparison, name, both, bundle, mutations), seedNote).toEqual([])
    })
  }

  it('conformance cases, as they are: both agree, but for those that sigstore-js fails', () => {
    const differing = conformanceCases().flatMap((testCase) => {
      const [ours, theirs] = verdictsOf(testCase)
      return (ours === undefined) === (theirs === undefined) ? [] : [{ name: testCase.name, ours, theirs }]
    })
    const isExplained = ({ name, ours, theirs }: (typeof differing)[number]): boolean =>
      name.endsWith('_fail') ? ours !== undefined && name in failedBySigstoreJs : theirs !== undefined && name in failedBySigstoreJs
    expect(differing.filter((found) => !isExplained(found))).toEqual([])
  })
})

/** Cases of the suite that sigstore-js answers wrongly. */
const failedBySigstoreJs: Readonly<Record<string, string>> = {
  'rekor2-dsse-happy-path': 'it takes the digest of a hashedrekord 0.0.2 for that of the payload; of an attestation it is that of the PAE',
  'trust-root-tlog-missing-validity-start_fail': 'it takes a log key without a start for one that was always valid',
}

function verdictsOf(testCase: ConformanceCase): readonly [ours: string | undefined, theirs: string | undefined] {
  const key = testCase.key === undefined ? undefined : readFileSync(testCase.key, 'utf8')
  const signer = (): Policy['signer'] =>
    key === undefined
      ? { kind: 'certificate', identities: [{ subjectAlternativeName: testCase.identity, issuer: testCase.issuer }] }
      : { kind: 'key', key: parsePublicKeyPem(key) }
  const artifact = readFileSync(testCase.artifact)
  const [bundle, root] = [readFileSync(testCase.bundle, 'utf8'), readFileSync(testCase.trustedRoot, 'utf8')]
  return [
    reasonOf(() => verify(parseBundle(bundle), loadTrustMaterial(root), { artifact: artifactFromBytes(artifact), signer: signer() })),
    messageOf(() => sigstoreJs(root, key)(JSON.parse(bundle), artifact)),
  ]
}

/** What a real bundle says of itself: its signers are people, whose names stay in the bundles. */
function policyOfItsOwn(text: string): Policy {
  const { keyMaterial } = parseBundle(text)
  if (keyMaterial.kind !== 'certificate') throw new Error('the public bundles have certificates')
  const subjectAlternativeName = parseCertificate(keyMaterial.leaf).subjectAlternativeNames[0]?.value ?? ''
  const subject =
    '7bea9f6e7ff37f5fab0b36bf061200fff03099fd2fd696b91d04bc5e4f225eb9fd6e0cadcad54ba980f43fb352a99e8810b4e0abeb5c0ef2cf9108cd1f258b36'
  return {
    artifact: artifactFromDigests({ sha512: Buffer.from(subject, 'hex') }),
    signer: { kind: 'certificate', identities: [{ subjectAlternativeName, issuer: 'https://github.com/login/oauth' }] },
  }
}
