/** The openssl program as a judge, with a folder of its own for what it reads. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Whether there is one. A suite that needs it says so and is skipped where there is none. */
export const hasOpenssl: boolean = spawnSync('openssl', ['version']).status === 0

if (!hasOpenssl) console.warn('skipped: there is no openssl program to compare with')

export interface Openssl {
  /** Writes a file into the folder and gives its path. */
  file(name: string, contents: Uint8Array | string): string
  /** What it prints on both outputs, and how it ended. */
  run(...words: readonly string[]): { readonly status: number | null; readonly output: string; readonly stdout: Uint8Array }
  /** What it writes to standard output. @throws Error with what it prints when it fails */
  succeed(...words: readonly string[]): Uint8Array
  /** Removes the folder. */
  remove(): void
}

export function createOpenssl(): Openssl {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-openssl-'))
  const run: Openssl['run'] = (...words) => {
    const { status, stdout, stderr } = spawnSync('openssl', words)
    return { status, output: `${stdout.toString()}${stderr.toString()}`, stdout }
  }
  return {
    file: (name, contents) => {
      const full = path.join(folder, name)
      writeFileSync(full, contents)
      return full
    },
    run,
    succeed: (...words) => {
      const { status, output, stdout } = run(...words)
      if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${output}`)
      return stdout
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
