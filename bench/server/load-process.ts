/** The load in a process of its own. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { applyLoad } from './load-client.ts'
import type { LoadOptions, LoadResult } from './load-client.ts'

/** The first argument of a child process that is to apply loads. */
export const loadArgument = 'apply-loads'

/** Applies loads one after the other. */
export interface LoadProcess {
  run(options: LoadOptions): Promise<LoadResult>
  close(): void
}

/** Starts the process. */
export function startLoadProcess(): LoadProcess {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [loadArgument], { serialization: 'advanced' })
  return {
    run: async (options) => {
      child.send(options)
      const [result] = (await once(child, 'message')) as [LoadResult | { readonly error: string }]
      if ('error' in result) throw new Error(result.error)
      return result
    },
    close: () => child.disconnect(),
  }
}

/** The child process: waits for loads until its parent goes away. */
export function serveLoads(): void {
  process.on('message', (options: LoadOptions) => {
    applyLoad(options).then(
      (result) => process.send?.(result),
      (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
    )
  })
}
