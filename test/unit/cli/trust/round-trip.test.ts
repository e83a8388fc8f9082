/**
 * Trust files made of the keys and addresses of a private Sigstore are what `sign-blob` and `verify-blob` take, with either Rekor; and
 * what was signed in the formats of cosign 1 and 2 becomes a bundle that they verify.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { encodePem } from '../../../../src/encoding/pem.ts'
import type { PrivateSigstore } from '../../../../src/server/index.ts'
import { createServer } from '../../../../src/server/index.ts'
import { parseTrustedRoot } from '../../../../src/trust/trusted-root.ts'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

const email = 'dev@example.com'
const since = 'start-time=2000-01-01T00:00:00Z'

let server: PrivateSigstore
let folder: string

const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
const run = (...argv: readonly string[]): Promise<Outcome> => runCaptured(argv, { cwd: folder, env: { HOME: folder }, now: server.now() })

async function succeed(...argv: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run(...argv)
  expect(exitCode, `${argv.join(' ')}: ${stderr}`).toBe(0)
}

beforeAll(async () => {
  server = await createServer()
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-round-trip-'))
  write('artifact', 'an artifact')
  write('other', 'another artifact')
  write('token', await server.identityToken(email))
  const key = generatePrivateKey('ecdsa-p256')
  write('signer.key', key.encodePem())
  write('signer.pub', encodePublicKeyPem(key.publicKey))
  writeTrust()
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.close()
})

/** The keys and certificates of the server, as its operator hands them out. */
function writeTrust(): void {
  const { transparencyLogs, certificateTransparencyLogs, certificateAuthorities, timestampAuthorities } = parseTrustedRoot(
    server.trustedRoot,
  )
  const chain = (certificates: readonly Uint8Array[] = []) => certificates.map((der) => encodePem('CERTIFICATE', der)).join('')
  write('fulcio.pem', chain(certificateAuthorities[0]?.certificates))
  write('tsa.pem', chain(timestampAuthorities[0]?.certificates))
  for (const { keyBytes, keyDetails } of transparencyLogs) {
    write(keyDetails.startsWith('PKIX_ECDSA') ? 'rekor-v1.pub' : 'rekor-v2.pub', encodePem('PUBLIC KEY', keyBytes))
  }
  write('ct.pub', encodePem('PUBLIC KEY', certificateTransparencyLogs[0]?.keyBytes ?? new Uint8Array(0)))
}

async function createTrustFiles(version: 1 | 2): Promise<void> {
  const origin = version === 2 ? `,origin=${new URL(server.url).hostname}` : ''
  await succeed(
    'trusted-root',
    'create',
    `--fulcio=url=${server.url},certificate-chain=fulcio.pem`,
    `--tsa=url=${server.url}/api/v1/timestamp,certificate-chain=tsa.pem`,
    `--ctfe=url=${server.url},public-key=ct.pub,${since}`,
    `--rekor=url=${server.url},public-key=rekor-v${version}.pub,${since}${origin}`,
    `--out=root-v${version}.json`,
  )
  const service = (place = '', apiVersion = 1) => `url=${server.url}${place},api-version=${apiVersion},${since},operator=example.com`
  await succeed(
    'signing-config',
    'create',
    `--fulcio=${service()}`,
    `--oidc-provider=${service('/oidc')}`,
    `--rekor=${service('', version)}`,
    '--rekor-config=EXACT:1',
    `--tsa=${service('/api/v1/timestamp')}`,
    '--tsa-config=ALL',
    `--out=config-v${version}.json`,
  )
}

const identity = () => ['--certificate-identity', email, '--certificate-oidc-issuer', `${server.url}/oidc`]

async function expectVerified(bundle: string, root: string, who: readonly string[]): Promise<void> {
  const words = ['--bundle', bundle, '--trusted-root', root, ...who]
  await succeed('verify-blob', 'artifact', ...words)
  expect((await run('verify-blob', 'other', ...words)).exitCode).toBe(1)
}

describe.each([1, 2] as const)('trust files with Rekor v%i', (version) => {
  beforeAll(() => createTrustFiles(version))

  it('sign and verify keyless, and with a key', async () => {
    const files = ['--trusted-root', `root-v${version}.json`, '--signing-config', `config-v${version}.json`]
    await succeed('sign-blob', 'artifact', '--bundle', 'keyless.json', '--identity-token', 'token', ...files)
    await expectVerified('keyless.json', `root-v${version}.json`, [...identity(), '--use-signed-timestamps'])
    await succeed('sign-blob', 'artifact', '--bundle', 'key.json', '--key', 'signer.key', ...files)
    await expectVerified('key.json', `root-v${version}.json`, ['--key', 'signer.pub'])
  })

  it('without the log are not enough for its entries', async () => {
    const other = `root-v${3 - version}.json`
    await createTrustFiles(version === 1 ? 2 : 1)
    const words = ['--bundle', 'keyless.json', '--trusted-root', other, ...identity()]
    expect((await run('verify-blob', 'artifact', ...words)).exitCode).toBe(1)
  })
})

it('what was signed in the formats of cosign 1 and 2 becomes a bundle', async () => {
  await createTrustFiles(1)
  const urls = ['--fulcio-url', server.url, '--rekor-url', server.url, '--trusted-root', 'root-v1.json', '--yes']
  const outputs = ['--output-signature', 'a.sig', '--output-certificate', 'a.pem', '--new-bundle-format=false', '--bundle', 'local.json']
  await succeed('sign-blob', 'artifact', '--identity-token', 'token', ...urls, ...outputs)
  for (const given of [
    ['--signature', 'a.sig', '--certificate', 'a.pem'],
    ['--bundle', 'local.json'],
  ]) {
    await succeed('bundle', 'create', '--artifact', 'artifact', ...given, '--rekor-url', server.url, '--out', 'made.json')
    await expectVerified('made.json', 'root-v1.json', identity())
    const upgraded = await run('bundle', 'upgrade', 'made.json')
    expect(upgraded.stderr).toBe('Bundle is already at v0.3, no upgrade needed.\n')
  }
})
