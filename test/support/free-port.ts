/** Ports for servers that are told theirs before they listen, or listen again on the one that they had. */
import { createServer } from 'node:net'

// Below those that Linux gives out itself (from 32768 on), which other tests may get between the question and the use. Tests run in
// several processes at once: each asks about ports of its own.
const first = 20_000
const ofAProcess = 100
const processes = 120
let asked = 0

/** A port of 127.0.0.1 that nobody listens on, and that no other test is given meanwhile. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ofAProcess; attempt++) {
    const port = first + (process.pid % processes) * ofAProcess + (asked++ % ofAProcess)
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
