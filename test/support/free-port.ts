/** Ports for servers that are told theirs before they listen, or listen again on the one that they had. */
import { createServer } from 'node:net'

// Below those that Linux gives out itself (from 32768 on), which other tests may get between the question and the use. Several workers
// run tests at once: each asks about ports of its own, and so do the workers of other runs, as far as there are enough.
const first = 20_000
const ofAWorker = 100
const workersOfARun = 10
const runs = 12
const run = process.ppid % runs
const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % workersOfARun
let asked = 0

/** A port of 127.0.0.1 that nobody listens on, and that no other test is given meanwhile. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ofAWorker; attempt++) {
    const port = first + (run * workersOfARun + worker) * ofAWorker + (asked++ % ofAWorker)
    if (await isFree(port)) return port
  }
  throw new Error('there is no free port')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
