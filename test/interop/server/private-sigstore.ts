/** A private Sigstore as its users start one: the built program on an empty folder, and real clients beside it. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../support/free-port.ts'
import type { Ending } from '../start-program.ts'
import { startProgram } from '../start-program.ts'

/** Our command line, as `npm run build` leaves it. */
const builtProgram = path.resolve(import.meta.dirname, '../../../dist/cli/main.cjs')

/** The identity of the machine client `release-bot`. */
export const machineEmail = 'release-bot@example.com'
/** Somebody with a password. */
export const user = { email: 'dev@example.com', password: 'correct horse battery staple' } as const

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Text for its standard input, which is closed then. */
  readonly stdin?: string
  /** Is given all that the program has printed, whenever it prints. */
  readonly onOutput?: (output: string) => void
}

/** A server that runs, what it published of itself as files, and a folder to work in. */
export interface StartedSigstore {
  readonly url: string
  /** The name of its own issuer. */
  readonly issuer: string
  /** The secret of the machine client. */
  readonly machineSecret: string
  /** The path of a file in the folder where programs run. */
  path(name: string): string
  /** Writes a file there. @returns its name, which programs find it by */
  write(name: string, contents: string | Uint8Array): string
  /** The path of a file that `server export-trust` wrote. */
  trust(name: string): string
  /** An identity token of the machine client, got with its secret. */
  token(): Promise<string>
  /** Runs a program with no network but this machine's, and with nothing of this process's environment. */
  run(program: string, words: readonly string[], options?: ProgramOptions): Promise<Ending>
  /** Runs our command line in the same way. */
  countersign(words: readonly string[], options?: ProgramOptions): Promise<Ending>
  /** Adds lines to `issuers.yaml`, and tells the server to read it. */
  addIssuers(yaml: string): void
  stop(): Promise<void>
}

export interface SigstoreOptions {
  /** What the server finds in its environment beside the usual. */
  readonly env?: Readonly<Record<string, string>>
  /** The built program; default that of the project. */
  readonly countersign?: string
}

/** Starts a server and waits until it is ready. @throws Error with what the program said when it does not start */
export async function startSigstore({ env = {}, countersign = builtProgram }: SigstoreOptions = {}): Promise<StartedSigstore> {
  if (!existsSync(countersign)) throw new Error('the program is not built: run npm run build')
  const root = mkdtempSync(path.join(tmpdir(), 'countersign-server-'))
  const [data, exported, folder] = ['data', 'trust', 'work'].map((name) => path.join(root, name)) as [string, string, string]
  mkdirSync(folder)
  const port = await freePort()
  const url = `http://localhost:${port}`
  const administer = async (words: readonly string[], stdin = ''): Promise<string> => {
    const ending = await runProgram(root, process.execPath, [countersign, 'server', ...words, '--data', data], { stdin })
    if (ending.exitCode !== 0) throw new Error(`countersign server ${words.join(' ')}: ${ending.stderr}`)
    return ending.stdout
  }
  await administer(['init', '--url', url, '--no-user'])
  const machineSecret = /secret (\S+)/.exec(await administer(['machine', 'add', 'release-bot', '--email', machineEmail]))?.[1] ?? ''
  await administer(['user', 'add', user.email], user.password)
  const server = spawn(process.execPath, [countersign, 'server', 'start', '--data', data, '--listen', `127.0.0.1:${port}`], {
    env: { ...environment(root), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await untilReady(server, url)
  await administer(['export-trust', '--out', exported])
  const run: StartedSigstore['run'] = (program, words, options) => runProgram(folder, program, words, options)
  return {
    url,
    issuer: `${url}/oidc`,
    machineSecret,
    path: (name) => path.join(folder, name),
    write: (name, contents) => {
      writeFileSync(path.join(folder, name), contents)
      return name
    },
    trust: (name) => path.join(exported, name),
    token: () => machineToken(`${url}/oidc`, machineSecret),
    run,
    countersign: (words, options) => run(process.execPath, [countersign, ...words], options),
    addIssuers: (yaml) => {
      appendFileSync(path.join(data, 'issuers.yaml'), yaml)
      server.kill('SIGHUP')
    },
    stop: async () => {
      await stopped(server)
      rmSync(root, { recursive: true, force: true })
    },
  }
}

async function machineToken(issuer: string, secret: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`release-bot:${secret}`).toString('base64')}`
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  const answer = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body })
  const { id_token: token } = (await answer.json()) as { id_token?: string }
  if (token === undefined) throw new Error(`the issuer gives the machine no token: status ${answer.status}`)
  return token
}

function environment(home: string): Record<string, string> {
  // Nothing listens on the discard port: whoever asks for more than this machine fails at once.
  const nowhere = 'http://127.0.0.1:9'
  const proxies = { HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere, NO_PROXY: 'localhost,127.0.0.1' }
  return { HOME: home, PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...proxies }
}

function runProgram(
  cwd: string,
  program: string,
  words: readonly string[],
  { env = {}, stdin = '', onOutput }: ProgramOptions = {},
): Promise<Ending> {
  const options = { cwd, env: { ...environment(cwd), ...env }, timeout: 60_000 }
  if (onOutput === undefined) return startProgram(program, words, options, stdin)
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { ...options, stdio: 'pipe' })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      onOutput(stdout + stderr)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      onOutput(stdout + stderr)
    })
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
    // A program that needs no input may be gone before it is written.
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
  })
}

async function untilReady(server: ChildProcess, url: string): Promise<void> {
  let said = ''
  server.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  for (let tries = 0; tries < 600; tries++) {
    if (server.exitCode !== null) break
    const isReady = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await stopped(server)
  throw new Error(`the server does not get ready: ${said}`)
}

function stopped(server: ChildProcess): Promise<unknown> {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    server.once('exit', resolve)
    server.kill('SIGTERM')
  })
}
