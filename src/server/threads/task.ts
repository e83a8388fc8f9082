/** Work that another thread may do: bytes in, bytes out, and nothing else to share. */

/** Does one piece of work. Fails where the input cannot be worked on. */
export type Work = (input: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** A kind of work. */
export interface Task<Setup> {
  /** What the threads know it by. */
  readonly name: string
  /** Makes the function that works, once in each thread. */
  readonly create: (setup: Setup) => Work
}

/** Work that is to be done, here or in a thread. */
export interface OpenedTask<Setup> {
  readonly task: Task<Setup>
  /** What the thread makes its function of: plain data. Asked for once for each thread. */
  readonly setup: () => Setup
  /** Does the work in this thread. */
  readonly here: Work
}

/** Opens a task. @returns what does its work; throws CountersignError LOG_OVERLOADED when too much waits to be done */
export type OpenTask = <Setup>(task: OpenedTask<Setup>) => Work

/** Does all work in this thread. */
export const workHere: OpenTask = ({ here }) => here
