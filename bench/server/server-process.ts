/** Servers under load, each a process of its own with a temporary folder. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'

/** A server that answers. */
export interface ServerProcess {
  readonly port: number
  /** Resident memory in MiB. */
  memory(): number
  /** Microseconds of processor time so far, of all its threads. The kernel counts in hundredths of a second. */
  cpu(): number
  stop(): void
}

const peerFolder = path.resolve(process.env['COUNTERSIGN_PEERS'] ?? '.cache/peers/bin')

/** The path of a peer that `npm run peers` has installed. */
export function peerProgram(name: string): string | undefined {
  const file = path.join(peerFolder, name)
  return existsSync(file) ? file : undefined
}

/** A data folder of our own server. */
export interface DataFolder {
  readonly path: string
  /** That of the server's address. */
  readonly port: number
}

const program = path.resolve('dist/cli/main.cjs')

/** Makes a data folder. */
export async function initialiseFolder(): Promise<DataFolder> {
  const folder = temporaryFolder()
  const port = await freePort()
  const init = spawnSync(process.execPath, [program, 'server', 'init', '--data', folder, '--url', `http://127.0.0.1:${port}`], {
    encoding: 'utf8',
  })
  if (init.status !== 0) throw new Error(`server init failed: ${init.stderr}`)
  return { path: folder, port }
}

/** Our own server on its folder: SQLite on disk. */
export function startOnFolder({ path: folder, port }: DataFolder): Promise<ServerProcess> {
  const words = [program, 'server', 'start', '--data', folder, '--listen', `127.0.0.1:${port}`]
  return started(spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] }), port, '/healthz', folder)
}

/** Our own server on a new folder. @param issuers the text of issuers.yaml */
export async function startCountersign(issuers: string): Promise<ServerProcess> {
  const folder = await initialiseFolder()
  writeFileSync(path.join(folder.path, 'issuers.yaml'), issuers)
  return startOnFolder(folder)
}

/** rekor-tiles with its POSIX storage. */
export async function startRekorTiles(program: string): Promise<ServerProcess> {
  const folder = temporaryFolder()
  const key = path.join(folder, 'key.pem')
  writeFileSync(key, generatePrivateKey('ed25519').encodePem(), { mode: 0o600 })
  const [port, grpc, metrics] = [await freePort(), await freePort(), await freePort()]
  const words = `serve --http-port ${port} --grpc-port ${grpc} --http-metrics-port ${metrics} --hostname localhost --log-level error`
  const storage = ['--storage-dir', path.join(folder, 'log'), '--signer-filepath', key]
  return started(spawn(program, [...words.split(' '), ...storage], { stdio: 'ignore' }), port, '/healthz', folder)
}

/** fulcio with a P-256 authority in files, without a CT log. @param issuerUrl the only issuer it trusts, for e-mail addresses */
export async function startFulcio(program: string, issuerUrl: string): Promise<ServerProcess> {
  const folder = temporaryFolder()
  const [port, grpc, metrics] = [await freePort(), await freePort(), await freePort()]
  const openssl = spawnSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=bench -days 3650 -passout pass:bench -keyout key.pem -out cert.pem -addext keyUsage=critical,keyCertSign,cRLSign`.split(
      ' ',
    ),
    { cwd: folder, encoding: 'utf8' },
  )
  if (openssl.status !== 0) throw new Error(`openssl: ${openssl.stderr}`)
  const issuer = { IssuerURL: issuerUrl, ClientID: 'sigstore', Type: 'email' }
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ OIDCIssuers: { [issuerUrl]: issuer } }))
  const words = `serve --host 127.0.0.1 --port ${port} --grpc-host 127.0.0.1 --grpc-port ${grpc} --metrics-port ${metrics} --ca fileca --fileca-key-passwd bench --fileca-watch=false --log_type prod`
  const files = [
    '--config-path=config.json',
    '--fileca-cert=cert.pem',
    '--fileca-key=key.pem',
    '--ct-log-url=',
    `--legacy-unix-domain-socket=${folder}/grpc`,
  ]
  return started(spawn(program, [...words.split(' '), ...files], { stdio: 'ignore', cwd: folder }), port, '/api/v2/configuration', folder)
}

/** timestamp-server with a key in memory. */
export async function startTimestampServer(program: string): Promise<ServerProcess> {
  const folder = temporaryFolder()
  const port = await freePort()
  const words = `serve --port ${port} --host 127.0.0.1 --disable-ntp-monitoring --log-type prod --timestamp-signer memory`
  return started(spawn(program, words.split(' '), { stdio: 'ignore', cwd: folder }), port, '/ping', folder)
}

/** A folder that the caller, or the server in it, removes. */
export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'countersign-bench-'))
}

async function started(child: ChildProcess, port: number, ready: string, folder: string): Promise<ServerProcess> {
  const stop = (): void => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) break
    const answer = await fetch(`http://127.0.0.1:${port}${ready}`).catch(() => undefined)
    if (answer?.ok === true) return { port, memory: () => residentMebibytes(child.pid), cpu: () => processorMicroseconds(child.pid), stop }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  stop()
  throw new Error(`${child.spawnfile} does not answer at ${ready}`)
}

function residentMebibytes(pid: number | undefined): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
  return Number(stdout.trim()) / 1024
}

/** Fields 14 and 15 of `/proc/PID/stat`, behind the name in parentheses; not a number where there is no such file. */
function processorMicroseconds(pid: number | undefined): number {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return Number.NaN
  const text = readFileSync(file, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
