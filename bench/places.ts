/** Where things are: the project, the public data beside it, the peers, and folders for one run. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** The programs of this folder are bundled into one file that lies in it. */
export const projectRoot: string = path.resolve(import.meta.dirname, '..')
const publicData = path.resolve(projectRoot, '../shared/data')

/** A file of the public bundles and conformance cases. */
export function publicPath(...parts: string[]): string {
  return path.join(publicData, ...parts)
}

/** Whether the public data is there; what needs it is skipped with a line that says so where it is not. */
export function hasPublicData(): boolean {
  return existsSync(publicPath('conformance'))
}

/** A program that `npm run peers` installs, or undefined. */
export function findPeer(name: string): string | undefined {
  const file = path.join(process.env['COUNTERSIGN_PEERS'] ?? path.join(projectRoot, '.cache/peers/bin'), name)
  return existsSync(file) ? file : undefined
}

/** Folder of programs that the benchmarks build themselves. */
export function buildFolder(): string {
  const folder = path.join(projectRoot, '.cache/peers')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Runs with a new folder, which is removed at the end, also when the process is told to stop. */
export async function withFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-bench-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const stop = (): void => {
    remove()
    process.exit(1)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work(folder)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    remove()
  }
}
