/** The process of `bin/conformance`. */
import { runConformance } from './conformance.ts'
import { createProcessContext } from './standard-streams.ts'

// A process that ends early must never look like a successful verification.
process.exitCode = 1
void run()

async function run(): Promise<void> {
  process.exitCode = await runConformance(process.argv.slice(2), createProcessContext(new AbortController()))
}
