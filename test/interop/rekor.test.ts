/**
 * The real rekor-cli against our Rekor v1, and the real Rekor v2 server beside ours: what one of them takes the other takes, as the
 * same entry to the byte, and what it refuses ours refuses.
 */
import { serve } from '@hono/node-server'
import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFollower } from '../../src/server/search/follower.ts'
import { freePort } from '../support/free-port.ts'
import { createNaiveTerms } from '../support/naive-terms.ts'
import type { TestRekor } from '../support/rekor.ts'
import { testRekorV1, testRekorV2 } from '../support/rekor.ts'
import { pemOf } from '../support/universe/certificates.ts'
import type { KeyKind } from '../support/universe/keys.ts'
import { digestOf, keyDetailsOf, namedKey, newKey, signPrehashed, signWith, usualDigest } from '../support/universe/keys.ts'
import { mutationsOf } from '../support/universe/mutate.ts'
import type { Json, SignedBundle } from '../support/universe/universe.ts'
import { signBlob, signStatement, universeOf } from '../support/universe/universe.ts'
import { timestamp } from '../support/universe/timestamps.ts'
import type { Ending } from './peer.ts'
import { findPeer } from './peer.ts'

const rekorCli = findPeer('rekor-cli') ?? ''
const rekorTiles = findPeer('posix') ?? ''
const universe = universeOf({ name: 'rekor interop' })
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-rekor-'))
const closing: (() => unknown)[] = []

afterAll(async () => {
  for (const close of closing) await close()
  rmSync(folder, { recursive: true })
})

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  return file
}

describe.skipIf(rekorCli === '')('rekor-cli', () => {
  const terms = createNaiveTerms()
  let rekor: TestRekor
  let url = ''
  let index: () => Promise<void>

  beforeAll(async () => {
    rekor = await testRekorV1(universe, { terms })
    const follower = createFollower({ logs: [rekor.log], terms })
    index = async () => follower.catchUp()
    url = await new Promise<string>((resolve) => {
      const server = serve({ fetch: rekor.service.routes.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) => {
        resolve(`http://127.0.0.1:${port}`)
      })
      closing.push(() => server.close())
    })
  })

  /** Runs beside our server, which is in this process. */
  async function run(...argv: readonly string[]): Promise<Ending> {
    return new Promise((resolve) => {
      const env = { HOME: folder, PATH: process.env['PATH'] ?? '' }
      execFile(rekorCli, [...argv, '--rekor_server', url], { cwd: folder, env, timeout: 60_000 }, (error, stdout, stderr) => {
        const code: unknown = error?.code
        resolve({ exitCode: error === null ? 0 : typeof code === 'number' ? code : 1, stdout, stderr })
      })
    })
  }

  /** Writes what is signed, and gives the flags that name it. */
  function flagsFor(name: string, signed: SignedBundle): string[] {
    const artifact = write(`${name}.blob`, signed.artifact)
    const signature = write(`${name}.sig`, signed.signature)
    const key = write(`${name}.pem`, pemOf(signed.certificate))
    return ['--artifact', artifact, '--signature', signature, '--public-key', key]
  }

  const blobOf = (name: string): SignedBundle =>
    signBlob({ universe, key: namedKey('cli'), subjects: [{ email: `${name}@example.com` }], log: 'none' }, Buffer.from(name))

  it('uploads a hashedrekord, finds it by address, digest and key, gets and verifies it', async () => {
    const signed = blobOf('Ann')
    const flags = flagsFor('ann', signed)
    const uploaded = await run('upload', ...flags)
    expect(uploaded).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Created entry at index') as string })
    const uuid = /entries\/([0-9a-f]{80})/.exec(uploaded.stdout)?.[1] ?? ''
    expect((await run('upload', ...flags)).stdout).toContain(`Entry already exists; available at: ${url}/api/v1/log/entries/${uuid}`)

    await index()
    const searches = [
      ['--email', 'ann@example.com'],
      ['--sha', hex(digestOf('sha256', signed.artifact))],
      ['--public-key', path.join(folder, 'ann.pem'), '--pki-format', 'x509'],
      ['--artifact', path.join(folder, 'ann.blob')],
    ]
    for (const search of searches) {
      expect([search, await run('search', ...search)]).toEqual([
        search,
        { exitCode: 0, stdout: `${uuid}\n`, stderr: expect.any(String) as string },
      ])
    }
    const got = await run('get', '--uuid', uuid, '--format', 'json')
    expect(got.exitCode).toBe(0)
    expect(got.stdout).toContain('HashedRekordObj')
    expect((await run('get', '--log-index', '0')).stdout).toContain(uuid)
    const verified = await run('verify', ...flags)
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Inclusion Proof') as string })
    const other = await run('verify', ...flagsFor('stranger', blobOf('stranger')))
    expect(other.exitCode).not.toBe(0)
  })

  it('follows the log as it grows, and verifies that it only grew', async () => {
    expect(await run('loginfo')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Verification Successful!') as string })
    for (const name of ['bob', 'carol']) expect((await run('upload', ...flagsFor(name, blobOf(name)))).exitCode).toBe(0)
    expect(await run('loginfo')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Verification Successful!') as string })
    expect(await run('logproof', '--last-size', '3')).toMatchObject({ exitCode: 0 })
  })

  it('uploads and verifies the other kinds', async () => {
    const signed = blobOf('kinds')
    const flags = flagsFor('kinds', signed)
    expect(await run('upload', '--type', 'rekord', ...flags)).toMatchObject({ exitCode: 0 })
    expect(await run('verify', '--type', 'rekord', ...flags)).toMatchObject({ exitCode: 0 })

    const attestation = signStatement({ universe, key: namedKey('cli'), log: 'none' })
    const envelope = write('envelope.json', JSON.stringify(attestation.bundle['dsseEnvelope']))
    const key = write('attester.pem', pemOf(attestation.certificate))
    for (const type of ['dsse:0.0.1', 'intoto:0.0.2']) {
      const argv = ['--type', type, '--artifact', envelope, '--public-key', key]
      expect([type, await run('upload', ...argv)]).toMatchObject([type, { exitCode: 0 }])
      expect([type, await run('verify', ...argv)]).toMatchObject([type, { exitCode: 0 }])
    }
    await index()
    const found = await run('search', '--sha', hex(digestOf('sha256', attestation.artifact)))
    expect(found.stdout.trim().split('\n')).toHaveLength(2)

    const token = timestamp(signed.signature, universe.timestampLeaf, {
      genTime: universe.time,
      certificates: [universe.timestampLeaf.der],
    })
    const timestamped = await run('upload', '--type', 'rfc3161', '--artifact', write('token.tsr', token))
    expect(timestamped).toMatchObject({ exitCode: 0 })
  })

  it('is told why an entry is refused', async () => {
    const signed = blobOf('refused')
    const entry = {
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: 'sha256', value: 'ab'.repeat(32) } },
        signature: { content: base64(signed.signature), publicKey: { content: base64(Buffer.from(pemOf(signed.certificate))) } },
      },
    }
    const refused = await run('upload', '--entry', write('entry.json', JSON.stringify(entry)))
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stderr + refused.stdout).toContain('verifying signature')
  })
})

describe.skipIf(rekorTiles === '')('rekor-tiles', () => {
  let url = ''
  let ours: TestRekor

  beforeAll(async () => {
    ours = await testRekorV2(universe)
    const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()]
    const signer = write('signer.pem', newKey().privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const options = {
      'http-port': http,
      'grpc-port': grpc,
      'http-metrics-port': metrics,
      hostname: 'localhost',
      'signer-filepath': signer,
      'storage-dir': path.join(folder, 'tiles'),
      'checkpoint-interval': '100ms',
      'batch-max-age': '10ms',
    }
    const argv = ['serve', ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)]
    const server: ChildProcess = spawn(rekorTiles, argv, { stdio: 'ignore' })
    closing.push(() => server.kill())
    url = `http://127.0.0.1:${http}`
    await answers(`${url}/healthz`)
  })

  interface Answer {
    readonly status: number
    readonly body: string | undefined
  }

  async function theirs(request: unknown): Promise<Answer> {
    const response = await fetch(`${url}/api/v2/log/entries`, { method: 'POST', body: JSON.stringify(request) })
    return answerOf(response)
  }

  async function answerOf(response: Response): Promise<Answer> {
    const { canonicalizedBody } = (await response.json()) as { canonicalizedBody?: string }
    return { status: response.status, body: canonicalizedBody }
  }

  function requestFor(kind: KeyKind, withCertificate: boolean): Json {
    const key = namedKey('tiles', kind)
    const signed = signBlob({ universe, key, log: 'none' }, Buffer.from(`${kind} ${withCertificate}`))
    const isEd25519 = kind === 'ed25519'
    const verifier = withCertificate
      ? { x509Certificate: { rawBytes: base64(signed.certificate) } }
      : { publicKey: { rawBytes: base64(key.spki) } }
    return {
      hashedRekordRequestV002: {
        digest: base64(digestOf(isEd25519 ? 'sha512' : usualDigest(key), signed.artifact)),
        signature: {
          content: base64(isEd25519 ? signPrehashed(key, signed.artifact) : signed.signature),
          verifier: { ...verifier, keyDetails: isEd25519 ? 'PKIX_ED25519_PH' : keyDetailsOf(kind) },
        },
      },
    }
  }

  it.each<[KeyKind, boolean]>([
    ['p256', true],
    ['p256', false],
    ['p384', true],
    ['p521', true],
    ['rsa', true],
    ['rsa', false],
    ['ed25519', true],
    ['ed25519', false],
  ])('logs the same entry for %s, with a certificate: %s', async (kind, withCertificate) => {
    const request = requestFor(kind, withCertificate)
    const [expected, actual] = await Promise.all([theirs(request), ours.post('/api/v2/log/entries', request).then(answerOf)])
    expect(expected.status).toBe(201)
    expect(actual).toEqual(expected)
  })

  it('refuses pure Ed25519 as ours does', async () => {
    const key = namedKey('tiles', 'ed25519')
    const data = Buffer.from('pure')
    const request = {
      hashedRekordRequestV002: {
        digest: base64(digestOf('sha512', data)),
        signature: {
          content: base64(signWith(key, data)),
          verifier: { publicKey: { rawBytes: base64(key.spki) }, keyDetails: 'PKIX_ED25519' },
        },
      },
    }
    // The version that is installed fails inside where later ones refuse.
    expect((await theirs(request)).status).toBeGreaterThanOrEqual(400)
    expect((await ours.post('/api/v2/log/entries', request)).status).toBe(400)
  })

  it('what it refuses ours refuses, and what ours takes it takes as the same entry', async () => {
    const request = requestFor('p256', false)
    const disagreements: string[] = []
    const mutations = [...mutationsOf(request)]
    // Each costs it a checkpoint: all at once.
    await Promise.all(
      mutations.map(async ({ name, bundle }) => {
        const [expected, actual] = await Promise.all([theirs(bundle), ours.post('/api/v2/log/entries', bundle).then(answerOf)])
        if (actual.status === 201 && (expected.status !== 201 || expected.body !== actual.body))
          disagreements.push(`${name}: only ours takes it`)
        if (actual.status !== 201 && expected.status === 201 && !stricter.some((pattern) => pattern.test(name)))
          disagreements.push(`${name}: only theirs takes it`)
      }),
    )
    expect(disagreements).toEqual([])
    expect(mutations.length).toBeGreaterThan(50)
  })
})

/** Protobuf's decoder takes base64 without padding and base64url, which no client sends: ours takes one text for one value. */
const stricter: readonly RegExp[] = [/without padding/]

/** Waits until a server answers. */
async function answers(address: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const status = await fetch(address).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`nothing answers at ${address}`)
}
