/** A folder with keys in it, for tests of the verbs that make, import and show keys. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

export interface KeyFolder {
  readonly path: string
  /** Runs a command in the folder; unless it is said otherwise, with `COSIGN_PASSWORD` set. */
  run(words: readonly string[], surroundings?: Surroundings): Promise<Outcome>
  write(name: string, contents: string | Uint8Array): void
  read(name: string): string
  mode(name: string): number
  files(): string[]
}

export const password = 'geheim'

/** Makes a folder that ends with the test. */
export function createKeyFolder(): KeyFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const resolve = (name: string): string => path.join(folder, name)
  return {
    path: folder,
    run: (words, surroundings = {}) =>
      runCaptured(words, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: password }, ...surroundings }),
    write: (name, contents) => writeFileSync(resolve(name), contents),
    read: (name) => readFileSync(resolve(name), 'utf8'),
    mode: (name) => statSync(resolve(name)).mode & 0o777,
    files: () => readdirSync(folder).sort(),
  }
}
