/**
 * Two real registries for tests, each a process on a free port with a folder of its own: Debian's `docker-registry`, which has no
 * referrers API, and go-containerregistry's, which has it (`npm run peers` builds it).
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from '../../src/http/fetch.ts'
import { selfSigned } from '../unit/http/test-server.ts'
import { freePort } from './free-port.ts'

export interface RealRegistry {
  /** `127.0.0.1:5000`: what references begin with. */
  readonly host: string
  /** Its folder; PEM of the certificate is in `certificate.pem` where it speaks TLS. */
  readonly folder: string
  /** PEM, where it speaks TLS. */
  readonly certificate: string | undefined
  stop(): Promise<void>
}

/** Who is let in where a registry wants a password. */
export const registryUser = { username: 'alice', password: 'correct horse' } as const
// bcrypt of that password: the only kind that docker-registry takes.
const passwordFile = `${registryUser.username}:$2b$04$ee8kiUtxsalBH1txaH5ibObWjCxoVEc8SdAw1VF36Ai4asuQUW1qm\n`

const dockerRegistry = '/usr/bin/docker-registry'
// From the folder where everything is run: benchmarks are bundled into a file somewhere else.
const binaries = path.resolve(process.env['COUNTERSIGN_PEERS'] ?? '.cache/peers/bin')
const referrersRegistry = path.join(binaries, 'referrers-registry')
const startTimeoutMs = 30_000

/** Which of the two are not here, each with what to do; empty when both are. @throws Error in CI, where none may be missing */
export function missingRegistries(): readonly string[] {
  const missing = [
    ...(existsSync(dockerRegistry) ? [] : [`${dockerRegistry} is not there: apt-get install docker-registry`]),
    ...(existsSync(referrersRegistry) ? [] : [`${referrersRegistry} is not there: npm run peers`]),
  ]
  if (missing.length > 0 && process.env['CI'] !== undefined) throw new Error(missing.join('; '))
  for (const one of missing) console.warn(`skipped: ${one}`)
  return missing
}

/** Starts `docker-registry`. @param options TLS with a self-signed certificate, and the password of `registryUser` */
export async function startDockerRegistry(options: { readonly tls?: boolean; readonly password?: boolean } = {}): Promise<RealRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'docker-registry-'))
  const file = (name: string): string => path.join(folder, name)
  const host = `127.0.0.1:${await freePort()}`
  const { certificate, key } = options.tls === true ? selfSigned(['registry.example']) : { certificate: undefined, key: '' }
  if (certificate !== undefined) {
    await writeFile(file('certificate.pem'), certificate)
    await writeFile(file('key.pem'), key, { mode: 0o600 })
  }
  if (options.password === true) await writeFile(file('htpasswd'), passwordFile)
  const configuration = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: file('data') }, delete: { enabled: true } },
    http: {
      addr: host,
      ...(certificate === undefined ? {} : { tls: { certificate: file('certificate.pem'), key: file('key.pem') } }),
    },
    ...(options.password === true ? { auth: { htpasswd: { realm: 'tests', path: file('htpasswd') } } } : {}),
  }
  await writeFile(file('config.yml'), JSON.stringify(configuration))
  return started(dockerRegistry, ['serve', file('config.yml')], { host, folder, certificate })
}

/** Starts the registry that has the referrers API. Its manifests are in memory. */
export async function startReferrersRegistry(): Promise<RealRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'referrers-registry-'))
  const host = `127.0.0.1:${await freePort()}`
  return started(referrersRegistry, [host, folder], { host, folder, certificate: undefined })
}

async function started(program: string, argv: readonly string[], registry: Omit<RealRegistry, 'stop'>): Promise<RealRegistry> {
  const { host, folder, certificate } = registry
  // Nothing of this process's environment: docker-registry reads REGISTRY_… from it.
  const child = spawn(program, argv, { cwd: folder, env: { HOME: folder, PATH: process.env['PATH'] ?? '' }, stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const tls = certificate === undefined ? {} : { tls: { certificateAuthorities: certificate } }
  const url = `${certificate === undefined ? 'http' : 'https'}://${host}/v2/`
  const deadline = Date.now() + startTimeoutMs
  while (child.exitCode === null && child.pid !== undefined && Date.now() < deadline) {
    const answer = await request(url, { env: {}, retries: 0, timeoutMs: 2000, ...tls }).catch(() => undefined)
    if (answer?.status === 200 || answer?.status === 401) return { ...registry, stop }
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
  await stop()
  throw new Error(`${program} does not answer at ${url}`)
}
