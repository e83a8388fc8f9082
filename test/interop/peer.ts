/** The real programs that suites compare with: where they are, and what to do when one is not there. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Ending } from './start-program.ts'
import { startProgram } from './start-program.ts'

export type { Ending } from './start-program.ts'

const folder = path.resolve(import.meta.dirname, '../..', process.env['COUNTERSIGN_PEERS'] ?? '.cache/peers/bin')

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

const timeout = 120_000
type Environment = Readonly<Record<string, string>>

/** Runs a program without a network, with nothing of this process's environment and a home of its own. */
export function runPeer(program: string, argv: readonly string[], cwd: string, env: Environment = {}): Ending {
  const options = { cwd, env: { ...environment(cwd), ...noNetwork, ...env }, timeout }
  const { status, stdout, stderr, error } = spawnSync(program, argv, { ...options, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  if (error !== undefined) throw error
  return { exitCode: status, stdout, stderr }
}

/** As `runPeer`, for hundreds of runs. */
export function runPeerAside(program: string, argv: readonly string[], cwd: string, env: Environment = {}): Promise<Ending> {
  return runPeerLive(program, argv, cwd, { ...noNetwork, ...env })
}

/** Runs a program while this process serves it. */
export function runPeerLive(program: string, argv: readonly string[], cwd: string, env: Environment = {}): Promise<Ending> {
  return startProgram(program, argv, { cwd, env: { ...environment(cwd), ...env }, timeout })
}

/** Nothing listens on the discard port: what needs a network fails at once. */
const noNetwork: Environment = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' }

function environment(home: string): Environment {
  return { HOME: home, PATH: process.env['PATH'] ?? '', TZ: 'UTC' }
}
