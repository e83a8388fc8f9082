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
    const send = (outputs: readonly Output[]): void => {
      const answer: WorkAnswer = { id: message.id, outputs: packBytes(outputs) }
      port.postMessage(answer, [answer.outputs.bytes.buffer])
    }
    const outputs = outputsOf(message, opened)
    if (outputs.every((output): output is Output => !(output instanceof Promise))) send(outputs)
    else void Promise.all(outputs.map(async (output) => output)).then(send)
  })
}

type Output = Uint8Array | undefined

function outputsOf({ tasks, inputs }: WorkMessage, opened: ReadonlyMap<number, Work>): (Output | Promise<Output>)[] {
  return unpackBytes(inputs).map((input, at) => outputOf(opened.get(tasks[at] ?? -1), input))
}

/** Whatever goes wrong: it is tried again in the main thread, where it can be reported. */
function outputOf(work: Work | undefined, input: Uint8Array | undefined): Output | Promise<Output> {
  try {
    const output = input === undefined ? undefined : work?.(input)
    return output instanceof Promise ? output.catch(() => undefined) : output
  } catch {
    return undefined
  }
}
