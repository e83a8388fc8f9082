/** The side of a thread that works. */
import type { MessagePort } from 'node:worker_threads'
import type { Task, Work } from './task.ts'
import type { OpenMessage, WorkAnswer, WorkMessage } from './task-messages.ts'
import { packBytes, unpackBytes } from './task-messages.ts'

/** Does the work that comes through a port. @param tasks those that it knows */
export function serveTasks(port: MessagePort, tasks: readonly Task<never>[]): void {
  const byName = new Map(tasks.map((task) => [task.name, task]))
  const opened = new Map<number, Work>()
  port.on('message', (message: OpenMessage | WorkMessage) => {
    if ('open' in message) {
      const work = byName.get(message.name)?.create(message.setup as never)
      if (work !== undefined) opened.set(message.open, work)
      return
    }
    void answerTo(message, opened).then((answer) => port.postMessage(answer, [answer.outputs.bytes.buffer]))
  })
}

async function answerTo({ id, tasks, inputs }: WorkMessage, opened: ReadonlyMap<number, Work>): Promise<WorkAnswer> {
  const pieces = unpackBytes(inputs)
  const outputs = await Promise.all(pieces.map((input, at) => output(opened.get(tasks[at] ?? -1), input)))
  return { id, outputs: packBytes(outputs) }
}

/** Whatever goes wrong: it is tried again in the main thread, where it can be reported. */
async function output(work: Work | undefined, input: Uint8Array | undefined): Promise<Uint8Array | undefined> {
  try {
    return input === undefined ? undefined : await work?.(input)
  } catch {
    return undefined
  }
}
