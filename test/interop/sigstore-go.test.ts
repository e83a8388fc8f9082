/**
 * Agreement with sigstore-go, the strictest independent verifier, by its conformance client: thousands of mutated bundles and
 * trusted roots, windows, identities and keys. Every disagreement has a name and a reason in `sigstore-go-explanations.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parsePublicKeyPem } from '../../src/crypto/public-key.ts'
import { CountersignError } from '../../src/error.ts'
import { loadTrustMaterial } from '../../src/trust/trust-material.ts'
import type { Policy } from '../../src/verify/policy.ts'
import type { Verdicts } from '../fuzz/disagreement.ts'
import { Comparison } from '../fuzz/disagreement.ts'
import { mutationsOf } from '../support/universe/mutate.ts'
import type { Json, SignedBundle, StatementOptions, TrustedRootJson } from '../support/universe/universe.ts'
import { epoch, identity, issuer, namedKey, signBlob, signStatement } from '../support/universe/universe.ts'
import { policyFor, verifySigned } from '../support/universe/verification.ts'
import { findPeer, runPeerAside } from './peer.ts'
import { sigstoreGoExplanations } from './sigstore-go-explanations.ts'

const client = findPeer('sigstore-go-conformance', 'conformance') ?? ''

/** Picks the bits that are flipped, and what is swapped. Another seed finds others, in the same places. */
const seed = Number(process.env['FUZZ_SEED'] ?? 1)
const seedNote = `with seed ${seed}: FUZZ_SEED chooses another`
const comparison = new Comparison(sigstoreGoExplanations)

/** What differs from a verification that succeeds. */
interface Circumstances {
  readonly bundle?: Json
  readonly trustedRoot?: string
  readonly san?: string
  readonly oidcIssuer?: string
  readonly keyPem?: string
}

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-sigstore-go-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

let asked = 0

/** Their message, or undefined where they accept. */
async function theirVerdict(signed: SignedBundle, circumstances: Circumstances): Promise<string | undefined> {
  const prefix = path.join(folder, `${asked++}`)
  const files: string[] = []
  const file = (name: string, contents: string | Uint8Array): string => {
    const written = `${prefix}-${name}`
    writeFileSync(written, contents)
    files.push(written)
    return written
  }
  const isManaged = signed.certificate.length === 0
  const words = [
    'verify-bundle',
    '--bundle',
    file('bundle.json', JSON.stringify(circumstances.bundle ?? signed.bundle)),
    ...(isManaged
      ? ['--key', file('key.pub', circumstances.keyPem ?? signed.key.pem)]
      : ['--certificate-identity', circumstances.san ?? identity, '--certificate-oidc-issuer', circumstances.oidcIssuer ?? issuer]),
    '--trusted-root',
    file('root.json', circumstances.trustedRoot ?? signed.universe.trustedRoot()),
    file('artifact', signed.artifact),
  ]
  const { exitCode, stderr } = await runPeerAside(client, words, folder)
  for (const written of files) rmSync(written)
  return exitCode === 0 ? undefined : stderr.trim()
}

/** Our code and message, or undefined where we accept. Anything else that is thrown is a crash, and fails the test. */
function ourVerdict(
  signed: SignedBundle,
  { bundle, trustedRoot, san = identity, oidcIssuer = issuer, keyPem }: Circumstances,
): string | undefined {
  const { signer: usual } = policyFor(signed)
  try {
    const signer: Policy['signer'] =
      usual.kind === 'key'
        ? { kind: 'key', key: parsePublicKeyPem(keyPem ?? signed.key.pem) }
        : { kind: 'certificate', identities: [{ subjectAlternativeName: san, issuer: oidcIssuer }] }
    verifySigned(signed, {
      bundle: bundle ?? signed.bundle,
      trust: loadTrustMaterial(trustedRoot ?? signed.universe.trustedRoot()),
      policy: { signer },
    })
    return undefined
  } catch (error) {
    if (error instanceof CountersignError) return `${error.code} ${error.message}`
    throw error
  }
}

/** What both say, under a name that tells what was done. */
async function compare(signed: SignedBundle, mutation: string, circumstances: Circumstances): Promise<Verdicts> {
  const theirs = theirVerdict(signed, circumstances)
  return { mutation, ours: ourVerdict(signed, circumstances), theirs: await theirs }
}

/** Compares one by one, with a few of their processes at a time. @returns in the order of the mutations */
async function compareAll<T>(mutations: readonly T[], comparing: (mutation: T) => Promise<Verdicts>): Promise<readonly Verdicts[]> {
  const found: Verdicts[] = []
  const left = mutations.entries()
  const work = async (): Promise<void> => {
    for (const [at, mutation] of left) found[at] = await comparing(mutation)
  }
  await Promise.all([work(), work(), work()])
  return found
}

function expectExplained(verdicts: readonly Verdicts[]): void {
  const unexplained = verdicts.filter((found) => !comparison.add(found))
  expect(unexplained, seedNote).toEqual([])
}

const shapes: readonly (readonly [what: string, sign: (options: StatementOptions) => SignedBundle, options: StatementOptions])[] = [
  ['a signature', signBlob, {}],
  ['a signature with a timestamp', signBlob, { timestamps: [{}] }],
  ['a signature on Rekor v2', signBlob, { log: 'v2' }],
  ['a signature of version 0.1', signBlob, { version: '0.1', oldMediaType: true }],
  ['a signature with a key', signBlob, { managed: true }],
  ['an attestation', signStatement, {}],
  ['an attestation on Rekor v2', signStatement, { log: 'v2' }],
  ['an attestation logged as intoto', signStatement, { attestationKind: 'intoto 0.0.2', version: '0.2', oldMediaType: true }],
]

interface Window {
  readonly start?: string
  readonly end?: string
}

/** Puts a service's window where a test wants it. */
const windows: Readonly<Record<string, (root: TrustedRootJson, window: Window) => void>> = {
  'the log key': (root, window) => root.tlogs.forEach((log) => (log.publicKey.validFor = window)),
  'the CT log key': (root, window) => root.ctlogs.forEach((log) => (log.publicKey.validFor = window)),
  'the certificate authority': (root, window) => root.certificateAuthorities.forEach((authority) => (authority.validFor = window)),
  'the timestamp authority': (root, window) => root.timestampAuthorities.forEach((authority) => (authority.validFor = window)),
}

/** The instant this far from when the bundles were logged and timestamped. */
function at(offset: number): string {
  return new Date(epoch + 60_000 + offset).toISOString()
}

/** What an identity may be taken for by a comparison that is not exact. */
function variantsOf(text: string): readonly string[] {
  return [
    text.slice(0, -1),
    text.slice(1),
    `${text}a`,
    `${text}/`,
    ` ${text}`,
    `${text}\n`,
    text.toUpperCase(),
    text.replaceAll('.', '?'),
    '.*',
    `^${text}$`,
  ]
}

describe.skipIf(client === '')('ours beside sigstore-go', () => {
  for (const [what, sign, options] of shapes) {
    it(`${what}, mutated: every disagreement is explained`, async () => {
      const signed = sign(options)
      const other = sign({ ...options, key: namedKey('another', options.key?.kind ?? 'p256') })
      expect(await compare(signed, what, {})).toEqual({ mutation: what, ours: undefined, theirs: undefined })
      const mutations = [...mutationsOf(signed.bundle, seed, other.bundle)]
      expectExplained(await compareAll(mutations, ({ name, bundle }) => compare(signed, `${what}: ${name}`, { bundle })))
    })
  }

  it('a signature with a key and a proof, but no promise: the disagreement is explained', async () => {
    const signed = signBlob({ managed: true, entry: { withPromise: false } })
    expectExplained([await compare(signed, 'a signature with a key: inclusionPromise: dropped', {})])
  })

  it('mutated trusted roots: every disagreement is explained', async () => {
    const signed = signBlob({ timestamps: [{}] })
    const root = JSON.parse(signed.universe.trustedRoot()) as Json
    const mutations = [...mutationsOf(root, seed)]
    const comparing = ({ name, bundle }: (typeof mutations)[number]) =>
      compare(signed, `trusted root: ${name}`, { trustedRoot: JSON.stringify(bundle) })
    expectExplained(await compareAll(mutations, comparing))
  })

  for (const [service, bend] of Object.entries(windows)) {
    it(`the window of ${service}, at both ends: every disagreement is explained`, async () => {
      const offsets = [-3_600_000, -1000, 0, 1000, 3_600_000]
      const windowed = offsets.flatMap((offset) => [{ start: at(offset) }, { end: at(offset) }, { start: at(offset), end: at(offset) }])
      const cases = [
        ['a signature with a timestamp', signBlob({ timestamps: [{}] })] as const,
        ['a signature on Rekor v2', signBlob({ log: 'v2' })] as const,
      ].flatMap(([what, signed]) => windowed.map((window) => ({ what, signed, window })))
      const found = await compareAll(cases, ({ what, signed, window }) => {
        const trustedRoot = signed.universe.trustedRoot((root) => bend(root, window))
        return compare(signed, `window of ${service}: ${what}: ${JSON.stringify(window)}`, { trustedRoot })
      })
      expectExplained(found)
      expect(found.some(({ ours }) => ours === undefined)).toBe(true)
      expect(found.some(({ ours }) => ours !== undefined)).toBe(true)
    })
  }

  it('identities and issuers that are almost right are refused by both', async () => {
    const signed = signBlob()
    const almost = [
      ...variantsOf(identity).map((san) => ({ san })),
      ...variantsOf(issuer).map((oidcIssuer) => ({ oidcIssuer })),
      { san: issuer, oidcIssuer: identity },
    ]
    for (const circumstances of almost) {
      const { ours, theirs } = await compare(signed, '', circumstances)
      expect(ours, JSON.stringify(circumstances)).toMatch(/^(?:IDENTITY_MISMATCH|USAGE) /)
      expect(theirs, JSON.stringify(circumstances)).toBeDefined()
    }
  })

  it('other keys and broken ones are refused by both', async () => {
    for (const signed of [signBlob({ managed: true }), signStatement({ managed: true })]) {
      const keys = [
        ...(['p256', 'p384', 'rsa', 'ed25519'] as const).map((kind) => namedKey('stranger', kind).pem),
        signed.key.pem.replace('M', 'N'),
        signed.key.pem.slice(0, -20),
        '',
      ]
      for (const keyPem of keys) {
        const { ours, theirs } = await compare(signed, '', { keyPem })
        expect(ours, keyPem).toBeDefined()
        expect(theirs, keyPem).toBeDefined()
      }
    }
  })

  it('were thousands, of which both accepted some', () => {
    expect(comparison.compared).toBeGreaterThan(3000)
    expect(comparison.agreedToAccept).toBeGreaterThan(20)
  })

  it('every explanation explains something', () => expect(comparison.unused, seedNote).toEqual([]))
})
