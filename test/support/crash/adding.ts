/** Starts processes that add entries, collects what they acknowledge, and checks that all of it is kept. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { leafHash } from '../../../src/merkle/hash.ts'
import { verifyInclusion } from '../../../src/merkle/inclusion-proof.ts'
import type { StorageLocation } from '../../../src/server/storage/storage.ts'
import { openStorage } from '../../../src/server/storage/storage.ts'
import { fsckLog } from '../../../src/server/tile-log/fsck.ts'
import type { LogHead, TileLog } from '../../../src/server/tile-log/log.ts'
import { openLog } from '../../../src/server/tile-log/open-log.ts'
import type { Acknowledged, AddingOptions } from './crash-log.ts'
import { crashLog, leafText, optionsVariable, verifyCheckpoint } from './crash-log.ts'

export interface AddingProcess {
  /** What was acknowledged so far. */
  readonly acknowledged: readonly Acknowledged[]
  /** Resolves when the log is open there. */
  readonly ready: Promise<void>
  /** What it wrote to standard error. */
  readonly errors: () => string
  kill(signal?: NodeJS.Signals): void
  /** Resolves with the signal that ended it, once all of its lines were read. */
  readonly ended: Promise<NodeJS.Signals | null>
}

/** Builds the programs, and gives their files. */
export async function buildAddingPrograms(): Promise<{ readonly program: string; readonly sqliteWorker: string }> {
  const outdir = path.resolve('dist/crash-test')
  await mkdir(outdir, { recursive: true })
  await build({
    entryPoints: ['test/support/crash/adding-process.ts', 'test/support/crash/crashing-sqlite-worker.ts'],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  })
  return { program: path.join(outdir, 'adding-process.mjs'), sqliteWorker: path.join(outdir, 'crashing-sqlite-worker.mjs') }
}

export function startAdding(program: string, options: AddingOptions): AddingProcess {
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [optionsVariable]: JSON.stringify(options) },
  })
  const acknowledged: Acknowledged[] = []
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const lines = createInterface({ input: child.stdout })
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      // The last line may be cut off where the process was killed.
      if (!line.endsWith('}')) resolve()
      else acknowledged.push(JSON.parse(line) as Acknowledged)
    })
  })
  return { acknowledged, ready, errors: () => errors, kill: (signal = 'SIGKILL') => child.kill(signal), ended: endOf(child, lines) }
}

async function endOf(child: ChildProcess, lines: NodeJS.EventEmitter): Promise<NodeJS.Signals | null> {
  const [signal] = await Promise.all([
    new Promise<NodeJS.Signals | null>((resolve) => {
      child.once('exit', (_, signal) => resolve(signal))
    }),
    new Promise((resolve) => {
      lines.once('close', resolve)
    }),
  ])
  return signal
}

/**
 * Opens the log as a restarted server does, and checks that nothing that was acknowledged is lost or changed, that no head
 * that was seen was taken back, and that fsck finds nothing.
 * @returns the log's size
 * @throws an Error that says what is wrong
 */
export async function checkKept(location: StorageLocation, headsFolder: string, acknowledged: readonly Acknowledged[]): Promise<bigint> {
  const storage = await openStorage(location, { clock: Date.now })
  try {
    const log = await openLog({ ...crashLog, storage, clock: Date.now, headsFolder })
    try {
      const head = await log.head()
      await checkEntries(log, head, acknowledged)
      await checkHeads(log, head, acknowledged)
    } finally {
      await log.close()
    }
    const { findings, size } = await fsckLog({ logId: crashLog.id, origin: crashLog.origin, storage, headsFolder, verifyCheckpoint })
    if (findings.length > 0) throw new Error(`fsck found: ${findings.map(({ message }) => message).join('; ')}`)
    return size
  } finally {
    await storage.close()
  }
}

async function checkEntries(log: TileLog, head: LogHead, acknowledged: readonly Acknowledged[]): Promise<void> {
  const named = new Map<string, string>()
  for (const { entry, index } of acknowledged) {
    const other = named.get(index)
    if (other !== undefined && other !== entry) throw new Error(`the index ${index} was given to ${other} and ${entry}`)
    named.set(index, entry)
  }
  if (new Set(named.values()).size !== named.size) throw new Error('an entry was given two indices')
  for (const [index, name] of named) {
    const place = BigInt(index)
    if (place >= head.size) throw new Error(`the acknowledged entry ${index} is lost: the log has ${head.size}`)
    const [entry] = await log.entries(place, 1)
    if (entry === undefined || Buffer.from(entry.leaf).toString() !== leafText(name))
      throw new Error(`the entry ${index} is not the one that was acknowledged`)
    // The log may grow meanwhile, by entries that dead processes had handed over.
    const { hashes } = await log.proveInclusion(place, head.size)
    verifyInclusion({ leafIndex: place, treeSize: head.size, leafHash: leafHash(entry.leaf), proof: hashes, root: head.rootHash })
  }
}

async function checkHeads(log: TileLog, head: LogHead, acknowledged: readonly Acknowledged[]): Promise<void> {
  const roots = new Map<string, string>()
  for (const { size, rootHash } of acknowledged) {
    const other = roots.get(size)
    if (other !== undefined && other !== rootHash) throw new Error(`two heads of size ${size} were signed`)
    roots.set(size, rootHash)
  }
  for (const [size, rootHash] of roots) {
    if (BigInt(size) > head.size) throw new Error(`the head went back from ${size} to ${head.size}`)
    if (encodeHex(await log.rootHash(BigInt(size))) !== rootHash) throw new Error(`the log does not continue the head of size ${size}`)
  }
}
