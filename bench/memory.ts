/** `verify-blob` of a file that fits in nobody's memory: what it holds at most, and how fast it hashes. */
import { spawn, spawnSync } from 'node:child_process'
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto'
import { closeSync, createReadStream, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { buildProgram } from './cli.ts'
import type { Figure } from './figure.ts'
import type { BenchmarkOptions } from './options.ts'
import { withFolder } from './places.ts'
import type { Round } from './rounds.ts'
import { medianOfRounds } from './rounds.ts'

const mebibyte = 2 ** 20
const megabyte = 1_000_000
/** Reading gigabytes takes long, and the figure is stable: of a large file fewer rounds will do. */
const largeFile = 2 ** 31

/** Runs the benchmark. */
export function run({ fileBytes, randomContent, rounds }: BenchmarkOptions): Promise<readonly Figure[]> {
  return withFolder(async (folder) => {
    const file = path.join(folder, 'artifact')
    writeArtifact(file, fileBytes, randomContent)
    await signArtifact(file, folder)
    const peaks: number[] = []
    const contenders = new Map([['countersign', verifyBlob(file, folder, peaks)]])
    if (hasOpenssl()) contenders.set('openssl', async () => (await runAndWatch('openssl', ['dgst', '-sha256', file])).seconds)
    else console.log('openssl is left out: it is not installed')
    const seconds = await medianOfRounds(rounds ?? (fileBytes >= largeFile ? 3 : 7), contenders)
    const speedOf = (name: string): number => fileBytes / mebibyte / (seconds.get(name) ?? Number.NaN)
    const size = `${fileBytes / mebibyte} MiB of ${randomContent ? 'random bytes' : 'zeros'}`
    return [
      ...memoryFigures(`peak memory, ${size}`, peaks),
      {
        name: `speed, whole process, ${size}`,
        value: speedOf('countersign'),
        unit: 'MiB/s',
        ...(seconds.has('openssl')
          ? { peer: 'openssl dgst -sha256', peerValue: speedOf('openssl'), goal: { bound: 'at-least', of: 0.9 } }
          : {}),
      },
    ]
  })
}

/** A round of ours: seconds, with the peak in MB added to `peaks`. */
function verifyBlob(file: string, folder: string, peaks: number[]): Round {
  const words = [
    buildProgram(),
    'verify-blob',
    '--bundle',
    `${file}.sigstore.json`,
    '--key',
    path.join(folder, 'key.pub'),
    '--insecure-ignore-tlog',
    file,
  ]
  return async () => {
    const { seconds, peakBytes } = await runAndWatch(process.execPath, words)
    peaks.push(peakBytes / megabyte)
    return seconds
  }
}

function memoryFigures(name: string, peaks: readonly number[]): Figure[] {
  const peak = Math.max(...peaks)
  if (peak > 0) return [{ name, value: peak, unit: 'MB', goal: { bound: 'at-most', of: 120 } }]
  console.log('the peak memory is left out: there is no /proc here to read it from')
  return []
}

function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0
}

/** A sparse file is read as zeros without a disk; a random one takes its place there. */
function writeArtifact(file: string, bytes: number, random: boolean): void {
  const descriptor = openSync(file, 'w')
  try {
    if (random) for (let written = 0; written < bytes; written += mebibyte) writeSync(descriptor, randomBytes(mebibyte))
    ftruncateSync(descriptor, bytes)
  } finally {
    closeSync(descriptor)
  }
}

/** A bundle of version 0.3 and the public key, made with nothing of ours. */
async function signArtifact(file: string, folder: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signing = createSign('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: mebibyte })) signing.update(chunk as Uint8Array)
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: '' } },
    messageSignature: { signature: signing.sign(privateKey, 'base64') },
  }
  writeFileSync(`${file}.sigstore.json`, JSON.stringify(bundle))
  writeFileSync(path.join(folder, 'key.pub'), publicKey.export({ format: 'pem', type: 'spki' }))
}

interface Watched {
  readonly seconds: number
  readonly peakBytes: number
}

/** Runs a program and asks the kernel for its high-water mark until it has ended. */
function runAndWatch(program: string, words: readonly string[]): Promise<Watched> {
  return new Promise((resolve, reject) => {
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
    const start = performance.now()
    const child = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    let peakBytes = 0
    const watch = setInterval(() => (peakBytes = Math.max(peakBytes, highWaterMark(child.pid))), 10)
    child.once('error', reject)
    child.once('close', (status) => {
      clearInterval(watch)
      const seconds = (performance.now() - start) / 1000
      if (status === 0) resolve({ seconds, peakBytes })
      else reject(new Error(`${program} ${words.join(' ')} ended with status ${status}: ${errors}`))
    })
  })
}

/** VmHWM of `/proc`, in bytes; 0 where there is none, which is also so once the process has ended. */
function highWaterMark(pid: number | undefined): number {
  try {
    const [, kibibytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kibibytes) * 1024
  } catch {
    return 0
  }
}
