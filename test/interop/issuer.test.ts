/**
 * People and machines sign in with the real clients: cosign in each of its flows, sigstore-python with a browser and with a code that is
 * carried over. Each then signs against a whole private instance, and the signature is of who signed in.
 */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { App } from '../../src/server/app.ts'
import { createApp } from '../../src/server/app.ts'
import { parseIssuerConfiguration } from '../../src/server/ca/issuer-configuration.ts'
import { defaultServices } from '../../src/server/configuration.ts'
import { defaultIssuers } from '../../src/server/initialise.ts'
import { createMachineSecret } from '../../src/server/issuer/machine-clients.ts'
import { parseIssuerSettings } from '../../src/server/issuer/settings.ts'
import type { Listener } from '../../src/server/listener.ts'
import { openListener } from '../../src/server/listener.ts'
import { createMaterial } from '../../src/server/material.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { signingConfigOf, trustedRootOf } from '../../src/server/public-trust.ts'
import { silentLog } from '../../src/server/request-log.ts'
import { openStorage } from '../../src/server/storage/storage.ts'
import { encodeSigningConfig } from '../../src/trust/signing-config-writer.ts'
import { encodeTrustedRoot } from '../../src/trust/trusted-root-writer.ts'
import { openBrowser } from '../support/issuer.ts'
import type { Ending } from './peer.ts'
import { findPeer } from './peer.ts'

const cosign = findPeer('cosign')
const sigstorePython = findPeer('sigstore-python')
const alice = { email: 'alice@example.com', password: 'correct horse battery' }
const builder = createMachineSecret()

let folder = ''
let app: App
let listener: Listener
let issuer = ''
const trust = (name: string): string => path.join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-issuer-'))
  listener = await openListener({ host: '127.0.0.1', port: 0, tls: undefined, behindProxy: false })
  const url = `http://localhost:${listener.port}`
  app = await createApp({
    url,
    material: createMaterial({ hostname: 'localhost', now: Date.now() }),
    storage: await openStorage({ kind: 'memory' }, { clock: Date.now }),
    services: defaultServices,
    clock: Date.now,
    log: silentLog,
    metrics: createMetrics(),
    rekor: 'v2',
    serveMetrics: false,
    behindProxy: false,
    rateLimit: undefined,
    issuers: parseIssuerConfiguration(defaultIssuers(url), 'issuers'),
    issuerSettings: parseIssuerSettings({ machines: [{ id: 'builder', 'secret-hash': builder.secretHash, email: 'builder@example.com' }] }),
    steadyClock: () => performance.now(),
  })
  await app.start()
  listener.answer(app.origin)
  if (app.issuer === undefined) throw new Error('there is no issuer')
  issuer = app.issuer.url
  await app.issuer.users.add(alice)
  const trustedRoot = encodeTrustedRoot(trustedRootOf(app.trust))
  const signingConfig = encodeSigningConfig(signingConfigOf(app.trust, 'v2'))
  writeFileSync(trust('root.json'), trustedRoot)
  writeFileSync(trust('signing.json'), signingConfig)
  const config = {
    mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
    trustedRoot: JSON.parse(trustedRoot) as unknown,
    signingConfig: JSON.parse(signingConfig) as unknown,
  }
  writeFileSync(trust('trust.json'), JSON.stringify(config))
  writeFileSync(trust('secret'), builder.secret)
  writeFileSync(trust('artifact'), 'something to sign\n')
  // What both clients start when they want a browser: it only says which address it was given.
  mkdirSync(trust('bin'))
  for (const name of ['xdg-open', 'www-browser', 'x-www-browser']) {
    writeFileSync(path.join(trust('bin'), name), '#!/bin/sh\nprintf "%s\\n" "$1" > "$BROWSER_ADDRESS"\n')
    chmodSync(path.join(trust('bin'), name), 0o755)
  }
})
afterAll(async () => {
  await listener.close(0)
  await app.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a client, and does what it asks the person for as soon as it asks. */
function sign(program: string, argv: readonly string[], { canOpen = false } = {}): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const address = trust(`address-${Math.random()}`)
    const child = spawn(program, argv, {
      cwd: folder,
      env: {
        HOME: folder,
        PATH: `${canOpen ? `${trust('bin')}:` : ''}${process.env['PATH'] ?? ''}`,
        ...(canOpen ? { BROWSER: path.join(trust('bin'), 'xdg-open'), BROWSER_ADDRESS: address, DISPLAY: ':0' } : {}),
        TZ: 'UTC',
        HTTPS_PROXY: 'http://127.0.0.1:9',
        HTTP_PROXY: 'http://127.0.0.1:9',
        NO_PROXY: 'localhost,127.0.0.1',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    let [stdout, stderr, isAsked] = ['', '', false]
    const look = (): void => {
      const asked = askedFor(`${stdout}\n${stderr}`, canOpen, address)
      if (asked === undefined || isAsked) return
      isAsked = true
      visit(asked).then((code) => child.stdin.end(`${code}\n`), reject)
    }
    const timer = setInterval(look, 100)
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (exitCode) => {
      clearInterval(timer)
      resolve({ exitCode, stdout, stderr })
    })
  })
}

/** Where the client wants the person to go, once it has said so. */
function askedFor(said: string, canOpen: boolean, address: string): string | undefined {
  if (canOpen) {
    try {
      return readFileSync(address, 'utf8').trim() || undefined
    } catch {
      return undefined
    }
  }
  return /http:\/\/localhost:[0-9]+\/oidc\/(?:device\?user_code=\S+|auth\?\S+ietf%3Awg\S+)/.exec(said)?.[0]
}

/** The person signs in there. @returns the code to carry over, if there is one */
async function visit(address: string): Promise<string> {
  const browser = openBrowser()
  const opened = await browser.open(address)
  // sigstore-python sends the browser to its own port first.
  const first = opened.location === undefined ? opened : await browser.open(opened.location)
  const page = first.text.includes('Does your device show') ? await browser.proceed(first) : first
  const end = await browser.proceed(page, alice)
  if (end.location !== undefined) await fetch(end.location)
  return /id="code">([^<]+)</.exec(end.text)?.[1] ?? ''
}

describe.skipIf(cosign === undefined)('cosign', () => {
  const program = cosign ?? ''
  const common = (): string[] => [
    'sign-blob',
    '--yes',
    '--signing-config',
    trust('signing.json'),
    '--trusted-root',
    trust('root.json'),
    '--oidc-disable-ambient-providers',
  ]

  async function verifies(bundle: string, email: string): Promise<Ending> {
    const identity = ['--certificate-identity', email, '--certificate-oidc-issuer', issuer]
    return sign(program, ['verify-blob', '--bundle', bundle, '--trusted-root', trust('root.json'), ...identity, trust('artifact')])
  }

  it('signs somebody in with a device code', async () => {
    const ending = await sign(program, [...common(), '--fulcio-auth-flow', 'device', '--bundle', trust('device.json'), trust('artifact')])
    expect(ending).toMatchObject({ exitCode: 0 })
    expect(await verifies(trust('device.json'), alice.email)).toMatchObject({ exitCode: 0 })
    expect((await verifies(trust('device.json'), 'bob@example.com')).exitCode).not.toBe(0)
  })

  it('signs somebody in with a browser', async () => {
    const argv = [...common(), '--fulcio-auth-flow', 'normal', '--bundle', trust('browser.json'), trust('artifact')]
    expect(await sign(program, argv, { canOpen: true })).toMatchObject({ exitCode: 0 })
    expect(await verifies(trust('browser.json'), alice.email)).toMatchObject({ exitCode: 0 })
  })

  it('signs somebody in with a code that is carried over', async () => {
    const argv = [...common(), '--fulcio-auth-flow', 'normal', '--bundle', trust('carried.json'), trust('artifact')]
    expect(await sign(program, argv)).toMatchObject({ exitCode: 0 })
    expect(await verifies(trust('carried.json'), alice.email)).toMatchObject({ exitCode: 0 })
  })

  it('signs a machine in with its secret', async () => {
    const credentials = [
      '--oidc-client-id',
      'builder',
      '--oidc-client-secret-file',
      trust('secret'),
      '--fulcio-auth-flow',
      'client_credentials',
    ]
    const ending = await sign(program, [...common(), ...credentials, '--bundle', trust('machine.json'), trust('artifact')])
    expect(ending).toMatchObject({ exitCode: 0 })
    expect(await verifies(trust('machine.json'), 'builder@example.com')).toMatchObject({ exitCode: 0 })
  })
})

describe.skipIf(sigstorePython === undefined)('sigstore-python', () => {
  const program = sigstorePython ?? ''
  const argv = (bundle: string): string[] => [
    '--trust-config',
    trust('trust.json'),
    'sign',
    '--oidc-disable-ambient-providers',
    '--bundle',
    bundle,
    trust('artifact'),
  ]
  const verifies = (bundle: string): Promise<Ending> =>
    sign(program, [
      '--trust-config',
      trust('trust.json'),
      'verify',
      'identity',
      '--cert-identity',
      alice.email,
      '--cert-oidc-issuer',
      issuer,
      '--bundle',
      bundle,
      trust('artifact'),
    ])

  it('signs somebody in with a browser', async () => {
    const bundle = trust('python-browser.json')
    expect(await sign(program, argv(bundle), { canOpen: true })).toMatchObject({ exitCode: 0 })
    expect(await verifies(bundle)).toMatchObject({ exitCode: 0 })
  })

  it('signs somebody in with a code that is carried over', async () => {
    const bundle = trust('python-carried.json')
    const [trustFlag = '', trustFile = '', verb = '', ...rest] = argv(bundle)
    expect(await sign(program, [trustFlag, trustFile, verb, '--oauth-force-oob', ...rest])).toMatchObject({ exitCode: 0 })
    expect(await verifies(bundle)).toMatchObject({ exitCode: 0 })
  })
})
