/** Whole-process time of `verify-blob`, offline, against a process that does nothing and against the real cosign. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { bareProgram } from './bare-program.ts'
import { publicCases } from './bundle-case.ts'
import type { BundleCase } from './bundle-case.ts'
import type { Figure } from './figure.ts'
import type { BenchmarkOptions } from './options.ts'
import { findPeer, hasPublicData, projectRoot, withFolder } from './places.ts'
import type { Round } from './rounds.ts'
import { medianOfRounds, timed } from './rounds.ts'
import { universeSets } from './universe-bundles.ts'

const defaultRounds = 25
/** A program of the bundle's signatures alone: what Node and OpenSSL cost before there is any verifier. */
const bare = 'bare node:crypto'

/** Runs the benchmark. */
export function run(options: BenchmarkOptions): Promise<readonly Figure[]> {
  return withFolder(async (folder) => {
    const chosen = chooseCase()
    const words = verifyBlobWords(chosen, folder)
    writeFileSync(path.join(folder, 'bare.cjs'), bareProgram(chosen))
    const countersign = buildProgram()
    const cosign = findPeer('cosign')
    if (cosign === undefined)
      console.log('cosign is left out: it is not in .cache/peers/bin or $COUNTERSIGN_PEERS (npm run peers installs it)')
    const env = bareEnvironment(folder)
    const start =
      (program: string, ...args: readonly string[]): Round =>
      () =>
        timed(() => runProgram(program, args, folder, env))
    const contenders = new Map<string, Round>([
      ['countersign', start(process.execPath, countersign, ...words)],
      ['node -e 0', start(process.execPath, '-e', '0')],
      [bare, start(process.execPath, 'bare.cjs')],
      ...(cosign === undefined ? [] : [['cosign', start(cosign, ...words)] as const]),
    ])
    const medians = await medianOfRounds(options.rounds ?? defaultRounds, contenders)
    const value = medians.get('countersign') ?? Number.NaN
    const floor: Figure = {
      name: `${bare}, whole process`,
      value: medians.get(bare) ?? Number.NaN,
      unit: 'ms',
      peer: 'node -e 0',
      peerValue: medians.get('node -e 0') ?? Number.NaN,
    }
    const ours = ['node -e 0', 'cosign'].flatMap((peer): Figure[] => {
      const peerValue = medians.get(peer)
      if (peerValue === undefined) return []
      return [{ name: 'verify-blob, whole process', value, unit: 'ms', peer, peerValue, goal: { bound: 'at-most', of: 1.5 } }]
    })
    return [...ours, floor]
  })
}

/** Builds the program from the sources as they are now. */
export function buildProgram(): string {
  const { status } = spawnSync(process.execPath, ['scripts/run.mjs', 'scripts/build.ts'], { cwd: projectRoot, stdio: 'inherit' })
  if (status !== 0) throw new Error('the program could not be built, and so not be measured')
  return path.join(projectRoot, 'dist/cli/main.cjs')
}

/** A real bundle of the public instance where there is one at hand. */
function chooseCase(): BundleCase {
  const cases = hasPublicData()
    ? publicCases().filter(({ name }) => name === 'happy-path-v0.3')
    : universeSets(1).flatMap((set) => set.cases)
  const [chosen] = cases
  if (chosen === undefined) throw new Error('there is no bundle to verify')
  return chosen
}

function verifyBlobWords({ json, trustedRoot, artifact, signer }: BundleCase, folder: string): string[] {
  if (artifact.kind !== 'bytes' || signer.kind !== 'identity')
    throw new Error('a bundle with a certificate, and its artifact, were expected')
  writeFileSync(path.join(folder, 'artifact'), artifact.bytes)
  writeFileSync(path.join(folder, 'bundle.sigstore.json'), json)
  writeFileSync(path.join(folder, 'trusted_root.json'), trustedRoot.json)
  const identity = ['--certificate-identity', signer.subjectAlternativeName, '--certificate-oidc-issuer', signer.issuer]
  return ['verify-blob', '--bundle', 'bundle.sigstore.json', '--trusted-root', 'trusted_root.json', ...identity, 'artifact']
}

/** No certificates for Node to load at its start, no settings, and a home in which nobody has been. */
export function bareEnvironment(folder: string): NodeJS.ProcessEnv {
  const home = path.join(folder, 'home')
  mkdirSync(home)
  return { PATH: process.env['PATH'], HOME: home }
}

export function runProgram(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr}`)
}
