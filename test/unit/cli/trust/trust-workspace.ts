/** A folder with certificates and keys, for tests of the verbs that make trust files. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { issue, pemOf, timeStamping } from '../../../support/universe/certificates.ts'
import { namedKey } from '../../../support/universe/universe.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

const rootStart = Date.UTC(2024, 0, 1)
const leafStart = Date.UTC(2024, 5, 1)
const end = Date.UTC(2034, 0, 1)

export interface TrustWorkspace {
  readonly folder: string
  run(...argv: readonly string[]): Promise<Outcome>
  runIn(surroundings: Surroundings, ...argv: readonly string[]): Promise<Outcome>
  /** The JSON that the command printed. It must have succeeded without a word. */
  json(...argv: readonly string[]): Promise<unknown>
  write(name: string, contents: string | Uint8Array): void
  read(name: string): string
  modeOf(name: string): number
}

/** The certificates of the folder, DER. */
export const certificates = makeCertificates()

/**
 * Makes a folder that ends with the test: `fulcio.pem` (intermediate and root), `tsa.pem` (leaf, intermediate, root), and the
 * public keys `p256.pub`, `p384.pub`, `rsa.pub`, `ed25519.pub`.
 */
export function createTrustWorkspace(): TrustWorkspace {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-trust-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, contents: string | Uint8Array): void => writeFileSync(path.join(folder, name), contents)
  fillTrustFolder(write)
  const runIn = (surroundings: Surroundings, ...argv: readonly string[]): Promise<Outcome> =>
    runCaptured(argv, { cwd: folder, env: { HOME: folder }, now: Date.UTC(2026, 0, 1), ...surroundings })
  const run = (...argv: readonly string[]): Promise<Outcome> => runIn({}, ...argv)
  return {
    folder,
    run,
    runIn,
    json: async (...argv) => {
      const { exitCode, stdout, stderr } = await run(...argv)
      if (exitCode !== 0 || stderr !== '') throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}`)
      return JSON.parse(stdout) as unknown
    },
    write,
    read: (name) => readFileSync(path.join(folder, name), 'utf8'),
    modeOf: (name) => statSync(path.join(folder, name)).mode & 0o777,
  }
}

/** Writes the files of a workspace. */
export function fillTrustFolder(write: (name: string, contents: string) => void): void {
  const { root, intermediate, tsaIntermediate, tsaLeaf } = certificates
  write('root.pem', pemOf(root))
  write('fulcio.pem', pemOf(intermediate) + pemOf(root))
  write('tsa.pem', pemOf(tsaLeaf) + pemOf(tsaIntermediate) + pemOf(root))
  for (const kind of ['p256', 'p384', 'rsa', 'ed25519'] as const) write(`${kind}.pub`, namedKey('log', kind).pem)
}

function makeCertificates() {
  const root = issue({ key: namedKey('trust root'), name: 'root', ca: true, notBefore: rootStart, notAfter: end })
  const of = { notBefore: leafStart, notAfter: end }
  const intermediate = issue({ key: namedKey('trust intermediate'), name: 'intermediate', ca: true, ...of }, root)
  const tsaIntermediate = issue({ key: namedKey('tsa intermediate'), name: 'tsa intermediate', ca: true, ...of }, root)
  const leaf = { key: namedKey('tsa leaf'), name: 'tsa', extendedKeyUsage: [timeStamping], extendedKeyUsageCritical: true }
  const tsaLeaf = issue({ ...leaf, notBefore: leafStart + 1000, notAfter: end }, tsaIntermediate)
  const stranger = issue({ key: namedKey('stranger root'), name: 'stranger', ca: true, notBefore: rootStart, notAfter: end })
  const signer = issue({ key: namedKey('signer'), name: 'signer', ...of }, intermediate)
  return {
    root: root.der,
    intermediate: intermediate.der,
    tsaIntermediate: tsaIntermediate.der,
    tsaLeaf: tsaLeaf.der,
    stranger: stranger.der,
    signer: signer.der,
  }
}
