/**
 * The log engine alone: entries of 1 KiB from concurrent adders, each answered when durable and included.
 * usage: node scripts/run.mjs bench/tile-log.ts [SECONDS] [ADDERS] [memory | FILE | postgres://…]
 */
import { randomFillSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generateSigner } from '../src/crypto/private-key.ts'
import { createNoteSigner, signCheckpoint } from '../src/merkle/note-signer.ts'
import type { StorageLocation } from '../src/server/storage/storage.ts'
import { openStorage } from '../src/server/storage/storage.ts'
import { openLog } from '../src/server/tile-log/open-log.ts'

const [seconds = '5', adders = '64', target] = process.argv.slice(2)
const folder = await mkdtemp(path.join(tmpdir(), 'tile-log-'))
const signer = createNoteSigner('log.example.com', generateSigner('ecdsa-p256'))
const storage = await openStorage(location(), { clock: Date.now })
const log = await openLog({
  id: 'bench',
  origin: 'log.example.com',
  state: 'active',
  signCheckpoint: (checkpoint) => signCheckpoint(checkpoint, [signer]),
  storage,
  clock: Date.now,
  headsFolder: path.join(folder, 'heads'),
})
const before = (await log.head()).size
const latencies: number[] = []
const heads = new Set<bigint>()
const cpu = process.cpuUsage()
const start = performance.now()
const end = start + Number(seconds) * 1000
const resident: number[] = []
const sampling = setInterval(() => resident.push(process.memoryUsage().rss / 1e6), (Number(seconds) * 1000) / 5)
await Promise.all(Array.from({ length: Number(adders) }, add))
clearInterval(sampling)
const elapsed = (performance.now() - start) / 1000
const { user, system } = process.cpuUsage(cpu)
latencies.sort((a, b) => a - b)
const rate = latencies.length / elapsed
console.log(
  `${adders} adders, tree from ${before}: ${rate.toFixed(0)} entries/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; ` +
    `${(latencies.length / heads.size).toFixed(1)} entries a batch, ${((user + system) / latencies.length).toFixed(0)} us of CPU an entry, ` +
    `${resident.map((megabytes) => megabytes.toFixed(0)).join(', ')} MB resident on the way`,
)
await log.close()
await storage.close()
await rm(folder, { recursive: true })

async function add(): Promise<void> {
  while (performance.now() < end) {
    const started = performance.now()
    const { inclusion } = await log.add({ leaf: randomFillSync(new Uint8Array(1024)) })
    latencies.push(performance.now() - started)
    heads.add(inclusion.head.size)
  }
}

function at(quantile: number): string {
  return (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * quantile))] ?? 0).toFixed(1)
}

function location(): StorageLocation {
  if (target === 'memory') return { kind: 'memory' }
  if (target?.startsWith('postgres') === true) return { kind: 'postgres', url: target }
  return { kind: 'sqlite', file: target ?? path.join(folder, 'server.db') }
}
