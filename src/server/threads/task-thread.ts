/** One thread that works. */
import { Worker } from 'node:worker_threads'
import type { OpenedTask, Work } from './task.ts'
import type { OpenMessage, WorkAnswer, WorkMessage } from './task-messages.ts'
import { packBytes, unpackBytes } from './task-messages.ts'

/** A piece of work, and who waits for it. */
export interface Piece {
  readonly task: number
  readonly input: Uint8Array
  readonly here: Work
  readonly resolve: (output: Uint8Array | Promise<Uint8Array>) => void
}

/** What happens in a thread. */
export interface TaskThreadEvents {
  /** It has answered a batch. */
  readonly onAnswer: () => void
  /** It has ended, with what it was given and did not do. */
  readonly onEnd: (thread: TaskThread, left: readonly Piece[], error: unknown) => void
}

/** Batches that a thread has at a time: it works on one while the answer of the other is on its way. */
const maxBatches = 2

export class TaskThread {
  readonly #worker: Worker
  /** Those that were sent, by the number of their batch. */
  readonly #sent = new Map<number, readonly Piece[]>()
  readonly #events: TaskThreadEvents
  #lastId = 0
  #given = 0

  /** @throws Node's own errors */
  constructor(file: string, events: TaskThreadEvents) {
    this.#events = events
    this.#worker = new Worker(file)
    this.#worker.unref()
    this.#worker.on('message', (answer: WorkAnswer) => this.#take(answer))
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(undefined))
  }

  /** Pieces that it was given and has not answered. */
  get given(): number {
    return this.#given
  }

  /** Whether it takes another batch. */
  get hasRoom(): boolean {
    return this.#sent.size < maxBatches
  }

  open<Setup>(number: number, { task, setup }: OpenedTask<Setup>): void {
    const message: OpenMessage = { open: number, name: task.name, setup: setup() }
    this.#worker.postMessage(message, [])
  }

  send(batch: readonly Piece[]): void {
    const inputs = packBytes(batch.map(({ input }) => input))
    const message: WorkMessage = { id: ++this.#lastId, tasks: batch.map(({ task }) => task), inputs }
    this.#sent.set(message.id, batch)
    this.#given += batch.length
    this.#worker.postMessage(message, [inputs.bytes.buffer])
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #take({ id, outputs }: WorkAnswer): void {
    const batch = this.#sent.get(id) ?? []
    this.#sent.delete(id)
    this.#given -= batch.length
    const unpacked = unpackBytes(outputs)
    // Before the answers, which may bring new work along.
    this.#events.onAnswer()
    for (const [at, piece] of batch.entries()) piece.resolve(unpacked[at] ?? repeat(piece))
  }

  #end(error: unknown): void {
    const left = [...this.#sent.values()].flat()
    this.#sent.clear()
    this.#given = 0
    this.#events.onEnd(this, left, error)
  }
}

/** What went wrong elsewhere is tried here, where an error reaches the one who asked. */
export async function repeat({ here, input }: Piece): Promise<Uint8Array> {
  return here(input)
}
