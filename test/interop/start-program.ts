/**
 * Runs programs, by the hundred. To start one, Node forks, and the system copies the page tables: that takes a large process, such as
 * vitest's, several times as long as a small one, which therefore does it.
 */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import path from 'node:path'

/** How a program ended. */
export interface Ending {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramSurroundings {
  readonly cwd: string
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  /** After so many milliseconds it is ended. */
  readonly timeout: number
}

type Answer = { readonly id: number } & ({ readonly ending: Ending } | { readonly error: string })

interface Waiting {
  readonly resolve: (ending: Ending) => void
  readonly reject: (error: Error) => void
}

let starter: ChildProcess | undefined
let lastId = 0
const running = new Map<number, Waiting>()

/**
 * Runs a program to its end, while this process may serve it.
 * @param stdin text for its standard input, which is closed then; by default it has none
 * @throws Error when it cannot be started
 */
export function startProgram(program: string, words: readonly string[], options: ProgramSurroundings, stdin?: string): Promise<Ending> {
  starter ??= openStarter()
  const id = ++lastId
  starter.send({ id, program, words, stdin, options })
  return new Promise((resolve, reject) => {
    running.set(id, { resolve, reject })
  })
}

/** It ends with this process, which does not wait for it. */
function openStarter(): ChildProcess {
  const opened = fork(path.join(import.meta.dirname, 'program-starter.mjs'), { execArgv: [], env: {} })
  opened.on('message', (answer: Answer) => {
    const waiting = running.get(answer.id)
    running.delete(answer.id)
    if ('ending' in answer) waiting?.resolve(answer.ending)
    else waiting?.reject(new Error(answer.error))
  })
  opened.on('exit', () => {
    starter = undefined
    for (const { reject } of running.values()) reject(new Error('the process that starts programs has ended'))
    running.clear()
  })
  opened.unref()
  opened.channel?.unref()
  return opened
}
