import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { MatrixReporter } from './test/interop/matrix-reporter.ts'
import { longestFirst } from './test/support/longest-first.ts'

/** Agreement with the real programs, which `npm run peers` installs. */
export default defineConfig({
  test: {
    globalSetup: 'test/support/build-workers.ts',
    sequence: {
      sequencer: longestFirst([
        'interop/image-verification',
        'interop/registries',
        'server/signatures',
        'interop/image-formats',
        'interop/image-signing',
        'server/release-scripts',
        'interop/signature-tags',
        'interop/image-layout',
        'interop/attest-blob',
        'server/sigstore-python',
        'interop/sigstore-go',
      ]),
    },
    include: ['test/interop/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Much of it waits for a process; each file has folders, ports and services of its own.
    maxWorkers: availableParallelism() + 1,
    reporters: ['default', new MatrixReporter()],
  },
})
