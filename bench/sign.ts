/**
 * `npm run bench -- sign`: `sign-blob` with a key as a whole process beside the real cosign, and a thousand small files signed keyless by one
 * command against a server of our own.
 */
import { scryptSync } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { encryptPrivateKey } from '../src/crypto/encrypted-private-key.ts'
import { generatePrivateKey } from '../src/crypto/private-key.ts'
import { scryptHere } from '../src/crypto/scrypt.ts'
import type { StartedSigstore } from '../test/interop/server/private-sigstore.ts'
import { startSigstore } from '../test/interop/server/private-sigstore.ts'
import { bareEnvironment, buildProgram, runProgram } from './cli.ts'
import type { Figure } from './figure.ts'
import type { BenchmarkOptions } from './options.ts'
import { findPeer, withFolder } from './places.ts'
import { median, medianOfRounds, timed } from './rounds.ts'
import type { Round } from './rounds.ts'

const defaultRounds = 15
const password = 'benchmark'
const cost = 65_536
const files = 1_000
const batchRounds = 3

/** Runs both. */
export async function run(options: BenchmarkOptions): Promise<readonly Figure[]> {
  const countersign = buildProgram()
  return [...(await signWithKey(countersign, options.rounds ?? defaultRounds)), ...(await signFiles(countersign))]
}

/** With an encrypted key, recorded nowhere: what is left is the start of the process, and scrypt. */
function signWithKey(countersign: string, rounds: number): Promise<Figure[]> {
  return withFolder(async (folder) => {
    writeFileSync(path.join(folder, 'artifact'), 'an artifact\n')
    writeFileSync(path.join(folder, 'cosign.key'), await encryptPrivateKey(generatePrivateKey('ecdsa-p256'), Buffer.from(password)))
    const env = { ...bareEnvironment(folder), COSIGN_PASSWORD: password }
    const words = [
      'sign-blob',
      'artifact',
      '--key',
      'cosign.key',
      '--tlog-upload=false',
      '--use-signing-config=false',
      '--bundle',
      'b.json',
    ]
    const start =
      (program: string, ...args: readonly string[]): Round =>
      () =>
        timed(() => runProgram(program, args, folder, env))
    const cosign = findPeer('cosign')
    if (cosign === undefined)
      console.log('cosign is left out: it is not in .cache/peers/bin or $COUNTERSIGN_PEERS (npm run peers installs it)')
    const contenders = new Map<string, Round>([
      ['countersign', start(process.execPath, countersign, ...words)],
      ...(cosign === undefined ? [] : [['cosign', start(cosign, ...words)] as const]),
      ['node -e 0', start(process.execPath, '-e', '0')],
      // As the key file asks for it: it is most of what there is to do. Ours is done when the call returns.
      ['scrypt', () => timed(() => void scryptHere(Buffer.from(password), { cost, salt: new Uint8Array(32) }))],
      ['scrypt of node:crypto', () => timed(() => scryptSync(password, new Uint8Array(32), 32, { N: cost, r: 8, p: 1, maxmem: 2 ** 28 }))],
    ])
    const medians = await medianOfRounds(rounds, contenders)
    const of = (name: string): number => medians.get(name) ?? Number.NaN
    const figure = { name: 'sign-blob --key, whole process', value: of('countersign'), unit: 'ms' }
    return [
      cosign === undefined ? figure : { ...figure, peer: 'cosign', peerValue: of('cosign'), goal: { bound: 'at-most', of: 1 } },
      {
        name: 'scrypt of its password alone',
        value: of('scrypt'),
        unit: 'ms',
        peer: 'node:crypto',
        peerValue: of('scrypt of node:crypto'),
      },
      { name: 'node -e 0', value: of('node -e 0'), unit: 'ms' },
    ]
  })
}

/** One sign-in, one certificate; a log entry and a timestamp for each file. */
async function signFiles(countersign: string): Promise<Figure[]> {
  const sigstore = await startSigstore({ countersign })
  try {
    const names = Array.from({ length: files }, (_, at) => `file-${at}`)
    const rates: number[] = []
    for (let round = 0; round <= batchRounds; round++) {
      const folder = `round-${round}`
      mkdirSync(sigstore.path(folder))
      for (const name of names) sigstore.write(`${folder}/${name}`, `${name} of round ${round}\n`)
      const rate = await signFolder(sigstore, folder, names)
      if (round > 0) rates.push(rate)
      rmSync(sigstore.path(folder), { recursive: true })
    }
    return [{ name: `${files} files keyless, one command`, value: median(rates), unit: '/s', goal: { bound: 'at-least', of: 150 } }]
  } finally {
    await sigstore.stop()
  }
}

/** @returns files a second, the whole process counted */
async function signFolder(sigstore: StartedSigstore, folder: string, names: readonly string[]): Promise<number> {
  const services = ['--signing-config', sigstore.trust('signing_config.v0.2.json'), '--trusted-root', sigstore.trust('trusted_root.json')]
  const env = { SIGSTORE_ID_TOKEN: await sigstore.token() }
  const start = performance.now()
  const { exitCode, stderr } = await sigstore.countersign(['sign-blob', ...names.map((name) => `${folder}/${name}`), ...services], { env })
  const seconds = (performance.now() - start) / 1_000
  if (exitCode !== 0) throw new Error(`sign-blob failed: ${stderr.slice(-500)}`)
  const written = readdirSync(sigstore.path(folder)).filter((name) => name.endsWith('.sigstore.json')).length
  if (written !== names.length) throw new Error(`${written} of ${names.length} bundles were written`)
  return names.length / seconds
}
