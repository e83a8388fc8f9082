/** Starts processes that add entries, and collects what they acknowledge. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { buildModule } from '../../../scripts/workers.ts'
import type { Acknowledged, AddingOptions } from './crash-log.ts'
import { optionsVariable } from './crash-log.ts'

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
  const files = { program: path.join(outdir, 'adding-process.mjs'), sqliteWorker: path.join(outdir, 'crashing-sqlite-worker.mjs') }
  await buildModule('test/support/crash/adding-process.ts', files.program)
  await buildModule('test/support/crash/crashing-sqlite-worker.ts', files.sqliteWorker)
  return files
}

/** Starts one. @param under a program that runs it, with its own words */
export function startAdding(program: string, options: AddingOptions, under: readonly string[] = []): AddingProcess {
  const [command, ...words] = [...under, process.execPath, program]
  const child = spawn(command, words, {
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
