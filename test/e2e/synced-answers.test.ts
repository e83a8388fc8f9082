/** What is answered was synced: the system calls of a process that adds entries to a log on SQLite, as strace sees them. */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { buildAddingPrograms, startAdding } from '../support/crash/adding.ts'
import { withFolder } from '../support/storages.ts'

const calls = 'trace=write,pwrite64,pwritev,fsync,fdatasync,rename,renameat,renameat2'
/** Why nothing can be traced here; undefined where it can. Where processes may not be traced, strace is there and fails. */
const obstacle = whyNotTraced()
const isSkipped = obstacle !== undefined && process.env.CI === undefined
if (isSkipped) console.log(`skipped: synced answers: ${obstacle}`)

function whyNotTraced(): string | undefined {
  const { status, error, stderr } = spawnSync('strace', ['-f', '-e', calls, 'true'], { encoding: 'utf8' })
  if (error !== undefined) return `strace cannot be run, install it (apt install strace): ${error.message}`
  if (status === 0) return undefined
  return `strace may not trace here, allow ptrace (CAP_SYS_PTRACE, kernel.yama.ptrace_scope below 3): ${stderr.trim()}`
}

type Step = 'answer' | 'write log' | 'sync log' | 'write copy' | 'sync copy' | 'rename copy' | 'sync folder'

/** The steps of a trace by `strace -f -y`, each at the time when it was done. */
function stepsOf(trace: string): Step[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (call.endsWith('<unfinished ...>')) {
      begun.set(thread, call)
      return []
    }
    const whole = /^<\.\.\. \w+ resumed>/.test(call) ? `${begun.get(thread) ?? ''}${call}` : call
    return stepOf(whole)
  })
}

function stepOf(call: string): Step[] {
  const isSync = /^(fsync|fdatasync)\(/.test(call)
  if (/^write\(1<[^>]*>, "\{/.test(call)) return ['answer']
  if (/^\w+\(\d+<[^>]*\.sqlite-wal>/.test(call)) return [isSync ? 'sync log' : 'write log']
  if (/^\w+\(\d+<[^>]*\/heads\/crash\.new>/.test(call)) return [isSync ? 'sync copy' : 'write copy']
  if (/^rename\w*\(.*\/heads\/crash\.new"/.test(call)) return ['rename copy']
  return isSync && /^\w+\(\d+<[^>]*\/heads>/.test(call) ? ['sync folder'] : []
}

test.skipIf(isSkipped)(
  'each answer comes after its batch, the copy of its head and the name of the copy were synced',
  () =>
    withFolder(async (folder) => {
      expect(obstacle).toBeUndefined()
      const { program } = await buildAddingPrograms()
      const output = path.join(folder, 'trace')
      const location = { kind: 'sqlite', file: path.join(folder, 'log.sqlite') } as const
      const options = { location, headsFolder: path.join(folder, 'heads'), adders: 1, name: 'traced' }
      const adding = startAdding(program, options, ['strace', '-f', '-I', '2', '-y', '-s', '4', '-o', output, '-e', calls])
      await expect.poll(() => adding.acknowledged.length).toBeGreaterThan(20)
      // strace ends what it traces when it is told to end.
      adding.kill('SIGTERM')
      await adding.ended
      const steps = stepsOf(await readFile(output, 'utf8'))
      const answers = steps.flatMap((step, at) => (step === 'answer' ? [at] : []))
      expect(answers.length).toBeGreaterThan(20)
      for (const [number, at] of answers.entries()) {
        const before = steps.slice(number === 0 ? 0 : (answers[number - 1] ?? 0) + 1, at)
        expect(before.lastIndexOf('write log')).toBeGreaterThanOrEqual(0)
        const order = [
          before.lastIndexOf('write log'),
          before.lastIndexOf('sync log'),
          before.lastIndexOf('write copy'),
          before.lastIndexOf('sync copy'),
          before.lastIndexOf('rename copy'),
          before.lastIndexOf('sync folder'),
        ]
        expect(order, before.join(', ')).toEqual(order.toSorted((a, b) => a - b))
      }
    }),
  60_000,
)
