/** The process of `bin/conformance`. */
import { runConformance } from './conformance.ts'
import { createProcessContext } from './standard-streams.ts'

// A process that ends early must never look like a successful verification.
process.exitCode = 1
void runConformance(process.argv.slice(2), createProcessContext()).then((status) => {
  process.exitCode = status
})
