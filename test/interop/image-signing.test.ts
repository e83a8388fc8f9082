/**
 * Images that countersign, cosign 3 and cosign 2 sign and attest, each verified by all of them: as bundles and under tags, with keys
 * and keyless, in a registry with the referrers API and in one without. And refused by all for another signer.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import { encodePem } from '../../src/encoding/pem.ts'
import type { PrivateSigstore } from '../../src/server/index.ts'
import { createServer } from '../../src/server/index.ts'
import { loadTrustMaterial } from '../../src/trust/trust-material.ts'
import type { RealRegistry } from '../support/registries.ts'
import { missingRegistries, registryUser, startDockerRegistry, startReferrersRegistry } from '../support/registries.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeerLive } from './peer.ts'
import { cell } from './server/matrix.ts'

type Layout = 'bundle' | 'tag'
type Kind = 'signature' | 'attestation'

interface Client {
  readonly name: string
  readonly layouts: readonly Layout[]
  readonly isMissing: boolean
  run(argv: readonly string[], layout: Layout): Promise<Ending>
}

const crane = findPeer('crane') ?? ''
const cosign = findPeer('cosign') ?? ''
const cosign2 = findPeer('cosign2') ?? ''
const isMissing = crane === '' || missingRegistries().length > 0
const email = 'dev@example.com'
const password = 'a pässword'
const predicateType = 'https://example.com/tests/v1'

let sigstore: PrivateSigstore
let folder = ''
let oldTrust: Record<string, string> = {}
const registries = new Map<string, RealRegistry>()

beforeAll(async () => {
  if (isMissing) return
  sigstore = await createServer()
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-images-'))
  write('layer', 'a layer')
  write('predicate.json', '{"passed":12}')
  write('root.json', sigstore.trustedRoot)
  const config = JSON.parse(sigstore.signingConfig) as { rekorTlogUrls: { majorApiVersion: number }[] }
  write('config.json', JSON.stringify({ ...config, rekorTlogUrls: config.rekorTlogUrls.filter((log) => log.majorApiVersion === 1) }))
  oldTrust = writeOldTrust()
  registries.set('docker-registry', await startDockerRegistry())
  registries.set('referrers-registry', await startReferrersRegistry())
  for (const name of ['own', 'other']) await countersign.run(['generate-key-pair', '--output-key-prefix', name], 'tag')
  await expectSuccess(runPeerLive('/bin/tar', ['cf', 'layer.tar', 'layer'], folder))
})

afterAll(async () => {
  if (isMissing) return
  for (const registry of registries.values()) await registry.stop()
  rmSync(folder, { recursive: true, force: true })
  await sigstore.close()
})

const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)

/** What cosign trusts where it takes no trusted root: for the formats of before bundles. */
function writeOldTrust(): Record<string, string> {
  const { logs, certificateTransparencyLogs, certificateAuthorities } = loadTrustMaterial(sigstore.trustedRoot)
  const rekor = logs.find(({ key }) => key.kind === 'ecdsa')
  const [ctLog] = certificateTransparencyLogs
  const [ca] = certificateAuthorities
  if (rekor === undefined || ctLog === undefined || ca === undefined) throw new Error('the trusted root has too little')
  write('rekor.pub', encodePublicKeyPem(rekor.key))
  write('ct.pub', encodePublicKeyPem(ctLog.key))
  write('chain.pem', [...ca.authority.intermediates, ca.authority.anchor].map(({ bytes }) => encodePem('CERTIFICATE', bytes)).join(''))
  return { SIGSTORE_REKOR_PUBLIC_KEY: 'rekor.pub', SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: 'ct.pub', SIGSTORE_ROOT_FILE: 'chain.pem' }
}

const countersign: Client = {
  name: 'countersign',
  layouts: ['bundle', 'tag'],
  isMissing: false,
  run: (argv) => runCaptured(argv, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: password }, now: Date.now() }),
}

function peer(name: string, program: string, layouts: readonly Layout[]): Client {
  return {
    name,
    layouts,
    isMissing: program === '',
    run: (argv, layout) => runPeerLive(program, argv, folder, { COSIGN_PASSWORD: password, ...(layout === 'tag' ? oldTrust : {}) }),
  }
}

const clients = [countersign, peer('cosign 3', cosign, ['bundle', 'tag']), peer('cosign 2', cosign2, ['tag'])]

async function expectSuccess(running: Promise<Ending>): Promise<Ending> {
  const ending = await running
  expect(ending.exitCode, ending.stderr).toBe(0)
  return ending
}

/** Pushes an image with crane. @returns its name with the digest */
async function pushImage(registry: string, repository: string): Promise<string> {
  const { stdout } = await expectSuccess(
    runPeerLive(crane, ['append', '-f', 'layer.tar', '-t', `${registries.get(registry)?.host}/${repository}:v1`], folder),
  )
  return stdout.trim()
}

/** The services and the format, in the flags that each client has for them. */
function signingFlags(client: Client, layout: Layout): string[] {
  if (layout === 'bundle') return ['--signing-config', 'config.json', '--trusted-root', 'root.json']
  const services = ['--rekor-url', sigstore.url, '--fulcio-url', sigstore.url, '-y']
  if (client.name === 'cosign 2') return services
  const old = ['--new-bundle-format=false', '--use-signing-config=false', ...services]
  return client.name === 'countersign' ? [...old, '--trusted-root', 'root.json'] : old
}

async function make(client: Client, kind: Kind, layout: Layout, keyless: boolean, image: string): Promise<void> {
  const verb = kind === 'signature' ? ['sign'] : ['attest', '--predicate', 'predicate.json', '--type', predicateType]
  const signer = keyless ? ['--identity-token', await sigstore.identityToken(email)] : ['--key', 'own.key']
  await expectSuccess(client.run([...verb, ...signer, ...signingFlags(client, layout), image], layout))
}

function judge(client: Client, kind: Kind, layout: Layout, signer: readonly string[], image: string): Promise<Ending> {
  const verb = kind === 'signature' ? ['verify'] : ['verify-attestation', '--type', predicateType]
  const trust = layout === 'bundle' || client.name === 'countersign' ? ['--trusted-root', 'root.json'] : []
  const format = layout === 'bundle' && client.name === 'cosign 2' ? ['--new-bundle-format'] : []
  return client.run([...verb, ...signer, ...trust, ...format, image], layout)
}

const keylessSigner = (who: string) => ['--certificate-identity', who, '--certificate-oidc-issuer', `${sigstore.url}/oidc`]

const cases = clients.flatMap((client) =>
  client.layouts.flatMap((layout) =>
    (['signature', 'attestation'] as const).flatMap((kind) =>
      [false, true].flatMap((keyless) =>
        ['docker-registry', 'referrers-registry'].map((registry) => ({ client, layout, kind, keyless, registry })),
      ),
    ),
  ),
)

for (const [index, { client, layout, kind, keyless, registry }] of cases.entries()) {
  const made = `${kind} as a ${layout}${keyless ? ', keyless' : ''}, by ${client.name} in ${registry}`
  describe.skipIf(isMissing || client.isMissing)(made, () => {
    let image = ''
    beforeAll(async () => {
      image = await pushImage(registry, `case-${index}`)
      await make(client, kind, layout, keyless, image)
    })

    for (const verifier of clients) {
      it.skipIf(verifier.isMissing)(`is taken by ${verifier.name}`, cell(made, verifier.name, 'yes'), async () => {
        const right = keyless ? keylessSigner(email) : ['--key', 'own.pub']
        const { stdout } = await expectSuccess(judge(verifier, kind, layout, right, image))
        expect(stdout).toContain(
          kind === 'signature' ? image.slice(image.indexOf('sha256:')) : '"payloadType":"application/vnd.in-toto+json"',
        )
        const wrong = keyless ? keylessSigner('eve@example.com') : ['--key', 'other.pub']
        expect((await judge(verifier, kind, layout, wrong, image)).exitCode).not.toBe(0)
      })
    }
  })
}

describe.skipIf(isMissing)('one call of sign', () => {
  it.skipIf(cosign === '')('signs an index with everything that it names, and several images, for cosign', async () => {
    const first = await pushImage('docker-registry', 'several/one')
    const second = await pushImage('docker-registry', 'several/two')
    const host = registries.get('docker-registry')?.host
    await expectSuccess(runPeerLive(crane, ['index', 'append', '-m', first, '-t', `${host}/several/one:index`], folder))
    const { stderr } = await expectSuccess(
      countersign.run(
        ['sign', '--recursive', '--key', 'own.key', ...signingFlags(countersign, 'bundle'), `${host}/several/one:index`, second],
        'bundle',
      ),
    )
    expect(stderr.match(/Pushing signature to: /g)).toHaveLength(3)
    for (const image of [`${host}/several/one:index`, first, second])
      await expectSuccess(judge(peer('cosign 3', cosign, []), 'signature', 'bundle', ['--key', 'own.pub'], image))
  })

  for (const layout of ['bundle', 'tag'] as const) {
    it.skipIf(cosign === '')(`stores a ${layout} where COSIGN_REPOSITORY says, and cosign finds it there`, async () => {
      const image = await pushImage('docker-registry', `elsewhere/${layout}`)
      const env = {
        HOME: folder,
        COSIGN_PASSWORD: password,
        COSIGN_REPOSITORY: `${registries.get('docker-registry')?.host}/kept/${layout}`,
      }
      const words = ['sign', '--key', 'own.key', ...signingFlags(countersign, layout), image]
      const signed = await runCaptured(words, { cwd: folder, env, now: Date.now() })
      expect(signed.stderr).toContain(`Pushing signature to: ${env.COSIGN_REPOSITORY}\n`)
      const trust = layout === 'bundle' ? ['--trusted-root', 'root.json'] : []
      const peerEnv = { ...env, ...(layout === 'tag' ? oldTrust : {}) }
      await expectSuccess(runPeerLive(cosign, ['verify', '--key', 'own.pub', ...trust, image], folder, peerEnv))
      expect(
        (await runPeerLive(cosign, ['verify', '--key', 'own.pub', ...trust, image], folder, { ...peerEnv, COSIGN_REPOSITORY: '' }))
          .exitCode,
      ).toBe(10)
    })
  }

  for (const registry of ['docker-registry', 'referrers-registry']) {
    for (const layout of ['bundle', 'tag'] as const) {
      it(`of twenty at once loses no signature: ${layout} in ${registry}`, async () => {
        const image = await pushImage(registry, `writers/${layout}`)
        const words = ['sign', '--key', 'own.key', '--tlog-upload=false', image, ...(layout === 'tag' ? ['--new-bundle-format=false'] : [])]
        const writers = Array.from({ length: 20 }, (_, index) => countersign.run([...words, '-a', `writer=${index}`], layout))
        for (const writer of writers) await expectSuccess(writer)
        for (let index = 0; index < 20; index++) {
          const asked = ['verify', '--key', 'own.pub', '--insecure-ignore-tlog', '-a', `writer=${index}`, image]
          const { exitCode, stderr } = await countersign.run(asked, layout)
          expect(exitCode, `writer ${index}: ${stderr}`).toBe(0)
        }
      })
    }
  }
})

it.skipIf(isMissing || cosign === '')('a registry with TLS and a password of its own is written to, and read by cosign', async () => {
  const registry = await startDockerRegistry({ tls: true, password: true })
  try {
    write('registry.pem', registry.certificate ?? '')
    const { username, password: secret } = registryUser
    const access = [
      '--registry-cacert',
      'registry.pem',
      '--registry-server-name',
      'registry.example',
      '--registry-username',
      username,
      '--registry-password',
      secret,
    ]
    const { stdout } = await expectSuccess(
      countersign.run(['upload', 'blob', '-f', 'predicate.json', ...access, `${registry.host}/team/blob`], 'tag'),
    )
    const image = stdout.trim()
    const refused = await countersign.run(['sign', '--key', 'own.key', '--tlog-upload=false', ...access.slice(0, 4), image], 'bundle')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('check the credentials')
    await expectSuccess(countersign.run(['sign', '--key', 'own.key', ...signingFlags(countersign, 'bundle'), ...access, image], 'bundle'))
    const verified = await expectSuccess(
      runPeerLive(cosign, ['verify', '--key', 'own.pub', '--trusted-root', 'root.json', ...access, image], folder),
    )
    expect(verified.stdout).toContain(image.slice(image.indexOf('sha256:')))
  } finally {
    await registry.stop()
  }
})

describe.skipIf(isMissing)('files from elsewhere', () => {
  it.skipIf(cosign === '')('get the same digest as from cosign', async () => {
    const host = registries.get('docker-registry')?.host
    for (const words of [
      ['-f', 'predicate.json', '-a', 'k=v'],
      ['-f', 'layer.tar:linux/amd64', '-f', 'predicate.json:darwin', '-a', 'k=v'],
    ]) {
      const theirs = await expectSuccess(runPeerLive(cosign, ['upload', 'blob', ...words, `${host}/blob/theirs`], folder))
      const ours = await expectSuccess(countersign.run(['upload', 'blob', ...words, `${host}/blob/ours`], 'tag'))
      const digest = /@(sha256:[0-9a-f]{64})/.exec(theirs.stdout + theirs.stderr)?.[1]
      expect(ours.stdout).toBe(`${host}/blob/ours@${digest}\n`)
    }
  })

  it.skipIf(cosign === '' || cosign2 === '')('signatures and attestations that are attached verify with cosign', async () => {
    const image = await pushImage('docker-registry', 'attached')
    const payload = await expectSuccess(countersign.run(['generate', image], 'tag'))
    write('payload.json', payload.stdout)
    const signature = ['sign-blob', '--key', 'own.key', '--tlog-upload=false', '--output-signature', 'payload.sig', 'payload.json']
    await expectSuccess(countersign.run(signature, 'tag'))
    expect(readFileSync(path.join(folder, 'payload.sig'), 'utf8')).not.toBe('')
    await expectSuccess(countersign.run(['attach', 'signature', '--payload', 'payload.json', '--signature', 'payload.sig', image], 'tag'))
    const envelope = ['attest', '--key', 'own.key', '--tlog-upload=false', '--no-upload', '-y', '--predicate', 'predicate.json', image]
    write('envelope.json', (await expectSuccess(runPeerLive(cosign2, envelope, folder, { COSIGN_PASSWORD: password }))).stdout)
    await expectSuccess(countersign.run(['attach', 'attestation', '--attestation', 'envelope.json', image], 'tag'))
    for (const program of [cosign, cosign2]) {
      for (const verb of ['verify', 'verify-attestation'])
        await expectSuccess(runPeerLive(program, [verb, '--key', 'own.pub', '--insecure-ignore-tlog', image], folder, oldTrust))
    }
  })
})
