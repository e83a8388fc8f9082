/** The process of `bin/conformance`. */
import { runConformance } from './conformance.ts'
import { createProcessContext } from './standard-streams.ts'

void runConformance(process.argv.slice(2), createProcessContext()).then((status) => {
  process.exitCode = status
})
