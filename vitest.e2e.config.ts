import { defineConfig } from 'vitest/config'

/** The built program, started as its users start it. */
export default defineConfig({
  test: {
    globalSetup: 'test/support/build-workers.ts',
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
})
