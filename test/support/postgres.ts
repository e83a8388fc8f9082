/** A PostgreSQL server for tests, started as an unprivileged user in a folder of its own. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'

export interface TestPostgres {
  /** The URL of a new, empty database. */
  createDatabase(): Promise<string>
  /** The URL of a copy, as a backup is. Nobody may have the database open. */
  copyDatabase(url: string): Promise<string>
  /** Kills the server as a power cut would, and starts it again on the same files. */
  crash(): Promise<void>
  stop(): Promise<void>
}

const run = promisify(execFile)
const binaryFolders = [
  '/usr/lib/postgresql/17/bin',
  '/usr/lib/postgresql/16/bin',
  '/usr/lib/postgresql/15/bin',
  '/usr/local/bin',
  '/usr/bin',
]
const accounts = ['postgres', 'nobody']
const startTimeoutMs = 30_000

/** Why there is no server to test with; undefined when there is. */
export const postgresMissing: string | undefined =
  binaries() === undefined ? `no initdb and postgres in ${binaryFolders.join(', ')}` : undefined

/** Starts a server. @throws when it does not start */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = binaries()
  if (folder === undefined) throw new Error(postgresMissing)
  const account = await unprivilegedAccount()
  const home = await mkdtemp(path.join(tmpdir(), 'postgres-'))
  await chmod(home, 0o755)
  if (account !== undefined) await chown(home, account.uid, account.gid)
  const data = path.join(home, 'data')
  await run(`${folder}/initdb`, ['-D', data, '-U', 'countersign', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], {
    ...account,
    cwd: home,
  })
  let server = await startServer(`${folder}/postgres`, data, home, account)
  let databases = 0
  return {
    createDatabase: async () => {
      const name = `test${++databases}`
      await query(home, `CREATE DATABASE ${name}`)
      return urlOf(home, name)
    },
    copyDatabase: async (url) => {
      const name = `test${++databases}`
      await query(home, `CREATE DATABASE ${name} TEMPLATE ${url.slice(url.lastIndexOf('/') + 1)}`)
      return urlOf(home, name)
    },
    crash: async () => {
      await stopServer(server, 'SIGKILL')
      server = await startServer(`${folder}/postgres`, data, home, account)
    },
    stop: async () => {
      await stopServer(server, 'SIGQUIT')
      await rm(home, { recursive: true, force: true })
    },
  }
}

interface Account {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of accounts) {
    try {
      const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)))
      if (uid !== undefined && gid !== undefined) return { uid, gid }
    } catch {
      // The next one, then.
    }
  }
  throw new Error(`PostgreSQL cannot run as root, and there is no account ${accounts.join(' or ')}`)
}

async function startServer(program: string, data: string, home: string, account: Account | undefined): Promise<ChildProcess> {
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${home}`,
    'max_connections=60',
    'shared_buffers=32MB',
    'restart_after_crash=off',
  ]
  const deadline = Date.now() + startTimeoutMs
  const start = () =>
    spawn(program, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], { ...account, cwd: home, stdio: 'ignore' })
  let server = start()
  for (;;) {
    try {
      await query(home, 'SELECT 1')
      return server
    } catch (cause) {
      if (Date.now() > deadline) {
        await stopServer(server, 'SIGKILL')
        throw new Error('the PostgreSQL server does not answer', { cause })
      }
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
    // It refuses to start, and ends, while a process of a crashed server still has the shared memory.
    if (hasEnded(server)) server = start()
  }
}

async function stopServer(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(server)) return
  const ended = new Promise((resolve) => {
    server.once('exit', resolve)
  })
  server.kill(signal)
  await ended
}

function hasEnded(server: ChildProcess): boolean {
  return server.exitCode !== null || server.signalCode !== null
}

async function query(home: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: urlOf(home, 'postgres') })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function urlOf(home: string, database: string): string {
  return `postgres://countersign@${encodeURIComponent(home)}/${database}`
}

function binaries(): string | undefined {
  return binaryFolders.find((folder) => existsSync(`${folder}/initdb`) && existsSync(`${folder}/postgres`))
}
