/** sigstore-go in the race: the Go program of `peers/sigstore-go`, one process that answers one request a round. */
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Interface } from 'node:readline'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { asBuffer } from '../src/encoding/bytes.ts'
import type { BundleCase, TrustedRootFile } from './bundle-case.ts'
import type { Contender } from './contender.ts'
import { buildFolder, projectRoot } from './places.ts'

/** What the Go program answers before the first round, and to a request. */
interface Refusal {
  readonly case: number
  readonly reason: string
}
interface Answer {
  readonly verifications: number
  readonly seconds: number
}

/**
 * Builds the program with the Go toolchain; Go's own cache makes the second time quick.
 * @returns its path, or undefined when there is no Go or it does not build, after a line that says so
 */
export function buildSigstoreGo(): string | undefined {
  const program = path.join(buildFolder(), 'sigstore-go-bench')
  const { error, status, stderr } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: path.join(projectRoot, 'bench/peers/sigstore-go'),
    env: { ...process.env, GOFLAGS: '-p=2 -mod=readonly' },
    encoding: 'utf8',
  })
  if (error === undefined && status === 0) return program
  console.log(`sigstore-go is left out: ${error === undefined ? stderr.trim() : 'Go is not installed'}`)
  return undefined
}

/**
 * Starts the program on these cases.
 * @param folder where the bundles and trusted roots are written for it
 */
export async function startSigstoreGo(program: string, cases: readonly BundleCase[], folder: string): Promise<Contender> {
  const child = spawn(program, [writeManifest(cases, mkdtempSync(path.join(folder, 'go-')))], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = new Lines(child)
  const refused = (await lines.next()) as readonly Refusal[]
  const refusals = new Map(refused.map((refusal) => [refusal.case, refusal.reason]))
  return {
    name: 'sigstore-go',
    refusal: (position) => refusals.get(position),
    race: async (positions, passes) => {
      child.stdin.write(`${JSON.stringify({ cases: positions, passes })}\n`)
      const { verifications, seconds } = (await lines.next()) as Answer
      return verifications / seconds
    },
    close: () => child.stdin.end(),
  }
}

/** The lines that the program writes, one after another. */
class Lines {
  readonly #lines: Interface
  readonly #iterator: NodeJS.AsyncIterator<string>

  constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#lines = createInterface({ input: child.stdout })
    this.#iterator = this.#lines[Symbol.asyncIterator]()
  }

  async next(): Promise<unknown> {
    const { done, value } = await this.#iterator.next()
    if (done === true) throw new Error('the sigstore-go program ended before it answered')
    return JSON.parse(value)
  }
}

function writeManifest(cases: readonly BundleCase[], folder: string): string {
  const roots = new Map<TrustedRootFile, string>()
  const manifest = cases.map((testCase, position) => {
    const bundle = path.join(folder, `${position}.sigstore.json`)
    writeFileSync(bundle, testCase.json)
    const trustedRoot = roots.get(testCase.trustedRoot) ?? path.join(folder, `trusted_root.${roots.size}.json`)
    if (!roots.has(testCase.trustedRoot)) writeFileSync(trustedRoot, testCase.trustedRoot.json)
    roots.set(testCase.trustedRoot, trustedRoot)
    return { bundle, trustedRoot, ...signerMembers(testCase), ...artifactMembers(testCase) }
  })
  const file = path.join(folder, 'manifest.json')
  writeFileSync(file, JSON.stringify(manifest))
  return file
}

function signerMembers({ signer }: BundleCase): object {
  return signer.kind === 'key' ? { key: signer.pem } : { identity: signer.subjectAlternativeName, issuer: signer.issuer }
}

function artifactMembers({ artifact }: BundleCase): object {
  if (artifact.kind === 'bytes') return { artifact: base64(artifact.bytes) }
  return { digestAlgorithm: artifact.algorithm, digest: base64(artifact.digest) }
}

function base64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64')
}
