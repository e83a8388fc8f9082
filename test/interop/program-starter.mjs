// Starts programs for a test, one for each message, and answers with how each ended (`start-program.ts` has the other side).
import { spawn } from 'node:child_process'

process.on('message', ({ id, program, words, stdin, options }) => {
  const child = spawn(program, words, { ...options, stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text))
  // A program that needs no input may be gone before it is written.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(stdin)
  child.on('error', (error) => process.send?.({ id, error: error.message }))
  child.on('close', (exitCode) => process.send?.({ id, ending: { exitCode, stdout, stderr } }))
})
// The test is over.
process.on('disconnect', () => process.exit())
