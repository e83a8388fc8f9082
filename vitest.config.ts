import { readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { longestFirst } from './test/support/longest-first.ts'

const files = ['unit', 'contract', 'fuzz'].flatMap((kind) =>
  readdirSync(`test/${kind}`, { recursive: true, encoding: 'utf8' }).map((file) => `test/${kind}/${file.replaceAll('\\', '/')}`),
)
/** Files that replace modules, or load them anew: each has a process of its own. The others share some, where what they import is loaded once. */
const alone = files.filter((file) => file.endsWith('.test.ts') && /\bvi\.(mock|doMock|resetModules)\(/.test(readFileSync(file, 'utf8')))

export default defineConfig({
  test: {
    globalSetup: 'test/support/build-workers.ts',
    sequence: {
      sequencer: longestFirst([
        'contract/repository',
        'server/rotate',
        'server/tuf',
        'contract/key-store',
        'fuzz/differential',
        'contract/postgres-server',
        'oci/hostile-registry',
        'identity/wrong-issuer',
        'server/doctor',
        'server/fsck',
      ]),
    },
    // What hangs ends: on a busy machine a test of a few seconds takes a minute.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Some of the tests wait, for a process or a limit.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        extends: true,
        test: { name: 'shared', isolate: false, include: ['test/{unit,contract,fuzz}/**/*.test.ts'], exclude: alone },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
})
