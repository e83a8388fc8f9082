/**
 * `npm run quickstart`: a private Sigstore on this machine, a file signed by who signs it instead of by a key, its verification, and a
 * tampered copy refused. Everything is in a temporary folder that is removed at the end.
 */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const program = path.resolve('dist/cli/main.cjs')
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-quickstart-'))
const identity = 'quickstart@example.com'
let server: ChildProcess | undefined

try {
  await quickstart()
} finally {
  await stop(server)
  rmSync(folder, { recursive: true, force: true })
}

async function quickstart(): Promise<void> {
  const port = await freePort()
  const url = `http://localhost:${port}`

  say('Make a private Sigstore: issuer, certificate authority, logs, timestamps, TUF repository.')
  run(['server', 'init', '--data', 'sigstore', '--url', url, '--no-user'])
  const machine = run(['server', 'machine', 'add', 'quickstart', '--email', identity, '--data', 'sigstore'], { quiet: true })
  const secret = /secret (\S+)/.exec(machine)?.[1] ?? ''

  say('Start it.')
  console.log(`  $ countersign server start --data sigstore --listen 127.0.0.1:${port} &`)
  server = spawn(process.execPath, [program, 'server', 'start', '--data', 'sigstore', '--listen', `127.0.0.1:${port}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await untilReady(url)

  say('Write down whom to trust, as files.')
  run(['server', 'export-trust', '--data', 'sigstore', '--out', 'trust'], { quiet: true })
  console.log('  $ countersign server export-trust --data sigstore --out trust')

  say(`Sign a file as ${identity}: no key to keep, the server knows who asks.`)
  writeFileSync(path.join(folder, 'hello.txt'), 'Hello, supply chain!\n')
  const token = await fetchToken(url, secret)
  const trust = ['--trusted-root', 'trust/trusted_root.json']
  const signing = ['--signing-config', 'trust/signing_config.v0.2.json', ...trust]
  // A person signs in with the browser here; a program brings its token in the environment.
  run(['sign-blob', 'hello.txt', '--bundle', 'hello.txt.sigstore.json', ...signing, '--yes'], { token })

  say('Verify it, offline: who signed, that it is in the log, and when.')
  const expected = ['--certificate-identity', identity, '--certificate-oidc-issuer', `${url}/oidc`]
  run(['verify-blob', 'hello.txt', '--bundle', 'hello.txt.sigstore.json', ...trust, ...expected])

  say('Verify a tampered copy with the same bundle: it must be refused.')
  writeFileSync(path.join(folder, 'tampered.txt'), 'Hello, supply chain?\n')
  run(['verify-blob', 'tampered.txt', '--bundle', 'hello.txt.sigstore.json', ...trust, ...expected], { expectedStatus: 1 })

  console.log('\nIt works. Next: countersign server start, then docs/self-hosting.md')
}

interface RunOptions {
  readonly expectedStatus?: number
  readonly token?: string
  /** Show nothing of it. */
  readonly quiet?: boolean
}

/** Runs the program in the folder, shows what it prints, and gives its standard output. */
function run(words: readonly string[], { expectedStatus = 0, token, quiet = false }: RunOptions = {}): string {
  if (!quiet) console.log(`  $ countersign ${words.join(' ')}`)
  const env = { ...process.env, HOME: folder, ...(token === undefined ? {} : { SIGSTORE_ID_TOKEN: token }) }
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { cwd: folder, encoding: 'utf8', env })
  if (!quiet || status !== expectedStatus) for (const line of `${stdout}${stderr}`.trim().split('\n')) console.log(`  ${line}`)
  if (status !== expectedStatus) throw new Error(`expected exit status ${expectedStatus}, found ${status}`)
  return stdout
}

/** The client credentials grant. The server's URL and the secret are its own. */
async function fetchToken(url: string, secret: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`quickstart:${secret}`).toString('base64')}`
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  const answer = await fetch(`${url}/oidc/token`, { method: 'POST', headers: { authorization }, body })
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`)
  const { access_token: token } = (await answer.json()) as { readonly access_token: string }
  return token
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (server?.exitCode !== null) throw new Error('the server did not start')
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the server did not get ready')
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

async function freePort(): Promise<number> {
  const listener = createServer()
  await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  await new Promise((resolve) => listener.close(resolve))
  return port
}

function say(sentence: string): void {
  console.log(`\n${sentence}`)
}
