/** The real programs that suites compare with: where they are, and what to do when one is not there. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const folder = path.resolve(import.meta.dirname, '../..', process.env['COUNTERSIGN_PEERS'] ?? '.cache/peers/bin')

/** How a program ended. */
export interface Ending {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Finds a program by any of its names.
 * @returns its path, or undefined after a line that says how to install it
 * @throws Error where there is none in CI: there, a suite may not be passed over
 */
export function findPeer(...names: readonly string[]): string | undefined {
  const files = names.map((name) => path.join(folder, name))
  return findFile(files, `${names[0] ?? ''} is not in ${folder}: install it with npm run peers, or name its folder in COUNTERSIGN_PEERS`)
}

/** Finds a package of npm's that is not among those of this project. @returns its folder, otherwise as `findPeer` */
export function findPeerPackage(name: string): string | undefined {
  const modules = path.resolve(folder, '../node_modules')
  return findFile([path.join(modules, name)], `${name} is not in ${modules}: install it with npm run peers (a C++ compiler is needed)`)
}

/** The first of the files that is there; otherwise as `findPeer`. @param advice says where it should be, and how it gets there */
export function findFile(files: readonly string[], advice: string): string | undefined {
  const found = files.find((file) => existsSync(file))
  if (found !== undefined) return found
  if (process.env['CI'] !== undefined) throw new Error(advice)
  console.warn(`skipped: ${advice}`)
  return undefined
}

/** Runs a program without a network, with nothing of this process's environment and a home of its own. */
export function runPeer(program: string, argv: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Ending {
  const { status, stdout, stderr, error } = spawnSync(program, argv, {
    cwd,
    // Nothing listens on the discard port: what needs a network fails at once.
    env: {
      HOME: cwd,
      PATH: process.env['PATH'] ?? '',
      TZ: 'UTC',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
      ...env,
    },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  if (error !== undefined) throw error
  return { exitCode: status, stdout, stderr }
}

/** Runs a program while this process serves it. */
export function runPeerLive(
  program: string,
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      cwd,
      env: { HOME: cwd, PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}
