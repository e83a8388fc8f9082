import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { longestFirst } from './test/support/longest-first.ts'

/** The built program, started as its users start it. */
export default defineConfig({
  test: {
    globalSetup: 'test/support/build-workers.ts',
    sequence: { sequencer: longestFirst(['log-crash', 'two-front-ends', 'pages', 'browser-sign-in', 's0-images', 's2-images-and-charts']) },
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Much of it waits for a process. What has to be alone, such as a port, each test makes for itself.
    maxWorkers: availableParallelism() + 1,
  },
})
