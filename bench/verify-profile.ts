/** Where the time of a verification goes: its steps by themselves, over the bundles of a set. */
import { readBundle } from '../src/bundle/bundle.ts'
import { preAuthenticationEncoding } from '../src/bundle/dsse.ts'
import { parseLogEntryBody } from '../src/bundle/log-entry-body.ts'
import type { SignedEntity } from '../src/bundle/signed-entity.ts'
import { parseStatement } from '../src/bundle/statement.ts'
import { digest } from '../src/crypto/digest.ts'
import { parsePublicKey } from '../src/crypto/public-key.ts'
import { encodeBase64 } from '../src/encoding/base64.ts'
import { encodeHex } from '../src/encoding/hex.ts'
import { parseJson } from '../src/encoding/json.ts'
import { parseCheckpoint } from '../src/merkle/checkpoint.ts'
import { leafHash } from '../src/merkle/hash.ts'
import { verifyInclusion } from '../src/merkle/inclusion-proof.ts'
import { parseSignedNote } from '../src/merkle/signed-note.ts'
import { loadTrustMaterial } from '../src/trust/trust-material.ts'
import { parseCertificate } from '../src/x509/certificate.ts'
import { embeddedSctSignedBytes, parseEmbeddedScts } from '../src/x509/sct.ts'
import { parseTimestampResponse } from '../src/x509/timestamp-token.ts'
import { bareOperations } from './bare-crypto.ts'
import type { BundleCase, BundleSet } from './bundle-case.ts'
import { createCountersign } from './countersign.ts'
import { median, timed } from './rounds.ts'

const rounds = 15

/** A step, prepared for one bundle; undefined when that bundle has nothing of the kind. */
type Step = (testCase: BundleCase, entity: SignedEntity) => (() => unknown) | undefined

/** Prints the time of each step in microseconds per verification, and what is left of the whole. */
export function printProfile({ name, cases }: BundleSet): void {
  const ours = createCountersign()
  const whole = microseconds(
    cases.map((testCase) => ours.prepare(testCase)),
    cases.length,
    () => ours.forget(),
  )
  const crypto = new Map<string, (() => unknown)[]>()
  for (const testCase of cases) {
    for (const { kind, run } of bareOperations(testCase, loadTrustMaterial(testCase.trustedRoot.json)))
      crypto.set(kind, [...(crypto.get(kind) ?? []), run])
  }
  const rows = [...crypto].map(([kind, runs]): [string, number] => [`node:crypto: ${kind}`, microseconds(runs, cases.length)])
  for (const [step, prepare] of steps) {
    const runs = cases.flatMap((testCase) => prepare(testCase, readBundle(parseJson(testCase.json, 'the bundle'))) ?? [])
    if (runs.length > 0) rows.push([step, microseconds(runs, cases.length)])
  }
  const known = rows.reduce((sum, [, time]) => sum + time, 0)
  console.log(`\nwhere the time goes, ${name}: microseconds per verification`)
  for (const [step, time] of [
    ...rows,
    ['the rest: comparisons, garbage, cold caches between the steps', whole - known] as const,
    ['whole', whole] as const,
  ]) {
    console.log(`${time.toFixed(1).padStart(8)}  ${((100 * time) / whole).toFixed(1).padStart(5)} %  ${step}`)
  }
}

const steps = new Map<string, Step>([
  [
    'bundle: JSON',
    ({ json }) =>
      () =>
        parseJson(json, 'the bundle'),
  ],
  [
    'bundle: fields and base64',
    ({ json }) => {
      const value = parseJson(json, 'the bundle')
      return () => readBundle(value)
    },
  ],
  ['certificate: DER', (_, entity) => ifDefined(leafOf(entity), (leaf) => () => parseCertificate(leaf))],
  [
    'certificate: key',
    (_, entity) =>
      ifDefined(leafOf(entity), (leaf) => {
        const { spki } = parseCertificate(leaf)
        return () => parsePublicKey(spki)
      }),
  ],
  [
    'SCT: parsed, and what it signs put together',
    (_, entity) =>
      ifDefined(leafOf(entity), (leaf) => {
        const certificate = parseCertificate(leaf)
        return () => parseEmbeddedScts(certificate).map((sct) => embeddedSctSignedBytes(sct, certificate, certificate.spki))
      }),
  ],
  [
    'log entry: body',
    (_, { logEntries: [entry] }) =>
      ifDefined(
        entry,
        ({ body }) =>
          () =>
            parseLogEntryBody(body),
      ),
  ],
  [
    'log entry: what the promise signs put together',
    (_, { logEntries: [entry] }) =>
      entry?.signedEntryTimestamp === undefined
        ? undefined
        : () =>
            Buffer.from(
              `{"body":"${encodeBase64(entry.body)}","integratedTime":${entry.integratedTime},"logID":"${encodeHex(entry.logId)}","logIndex":${entry.logIndex}}`,
            ),
  ],
  [
    'log entry: checkpoint text',
    (_, { logEntries: [entry] }) =>
      ifDefined(entry?.inclusionProof?.checkpoint, (text) => () => parseCheckpoint(parseSignedNote(text).text)),
  ],
  [
    'log entry: inclusion proof',
    (_, { logEntries: [entry] }) => {
      const proof = entry?.inclusionProof
      if (entry === undefined || proof === undefined) return undefined
      const { logIndex: leafIndex, treeSize, hashes, rootHash: root } = proof
      return () => verifyInclusion({ leafIndex, treeSize, leafHash: leafHash(entry.body), proof: hashes, root })
    },
  ],
  ['timestamp: DER', (_, { timestamps: [token] }) => ifDefined(token, (bytes) => () => parseTimestampResponse(bytes))],
  ['artifact: digest', ({ artifact }) => (artifact.kind === 'bytes' ? () => digest('sha256', artifact.bytes) : undefined)],
  [
    'attestation: statement and envelope',
    (_, { content }) =>
      content.kind === 'dsse-envelope'
        ? () => [parseStatement(content.payload), preAuthenticationEncoding(content.payloadType, content.payload)]
        : undefined,
  ],
])

function leafOf({ keyMaterial }: SignedEntity): Uint8Array | undefined {
  return keyMaterial.kind === 'certificate' ? keyMaterial.leaf : undefined
}

function ifDefined<Value>(value: Value | undefined, prepare: (value: Value) => () => unknown): (() => unknown) | undefined {
  return value === undefined ? undefined : prepare(value)
}

/** Median time of a pass, divided by the number of bundles. */
function microseconds(runs: readonly (() => unknown)[], bundles: number, before: () => void = () => {}): number {
  const pass = (): number => {
    before()
    return timed(() => {
      for (const run of runs) run()
    })
  }
  for (let warmUp = 0; warmUp < 3; warmUp++) pass()
  return (median(Array.from({ length: rounds }, pass)) * 1000) / bundles
}
