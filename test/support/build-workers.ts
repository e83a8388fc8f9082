/** Before tests: the worker threads' files are those of the sources (vitest `globalSetup`). */
import { buildWorkers } from '../../scripts/workers.ts'

export async function setup(): Promise<void> {
  await buildWorkers()
}
