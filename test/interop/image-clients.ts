/** Clients that sign and verify images, each used as its users use it, with one private Sigstore and two registries for all of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import { encodePem } from '../../src/encoding/pem.ts'
import type { PrivateSigstore } from '../../src/server/index.ts'
import { createServer } from '../../src/server/index.ts'
import { loadTrustMaterial } from '../../src/trust/trust-material.ts'
import type { RealRegistry } from '../support/registries.ts'
import { startDockerRegistry, startReferrersRegistry } from '../support/registries.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeerLive } from './peer.ts'

export type RegistryName = 'docker-registry' | 'referrers-registry'
export type Kind = 'signature' | 'attestation'
export type Layout = 'bundle' | 'tag'

/** How something is signed, and how it is to be verified. */
export interface Task {
  readonly kind: Kind
  readonly layout: Layout
  readonly keyless: boolean
  readonly image: string
  /** Annotations, `key=value`. */
  readonly annotations?: readonly string[]
  readonly recursive?: boolean
  /** The repository of COSIGN_REPOSITORY. */
  readonly elsewhere?: string | undefined
}

/** What is asked of a verifier beside the truth. */
export interface Doubt {
  /** Another signer than the one who signed. */
  readonly otherSigner?: boolean
  readonly annotations?: readonly string[]
  readonly type?: string
}

export interface ImageClient {
  readonly name: string
  readonly isMissing: boolean
  /** In what form it signs, and what it can read. */
  readonly layouts: readonly Layout[]
  readonly signs: (world: ImageWorld, task: Task) => Promise<Ending>
  readonly judges: (world: ImageWorld, task: Task, doubt?: Doubt) => Promise<Ending>
}

export const crane = findPeer('crane')
export const email = 'dev@example.com'
export const predicateType = 'https://example.com/tests/v1'
export const password = 'a pässword'

/** The services, and a folder in which everybody works. */
export interface ImageWorld {
  readonly sigstore: PrivateSigstore
  readonly folder: string
  readonly oldTrust: Readonly<Record<string, string>>
  host(registry: RegistryName): string
  /** @returns the reference with its digest */
  pushImage(registry: RegistryName, repository: string, tag?: string): Promise<string>
  /** An index of these. @returns the reference with its digest */
  pushIndex(registry: RegistryName, repository: string, images: readonly string[]): Promise<string>
  stop(): Promise<void>
}

/** Starts everything. @throws Error with what a program said */
export async function openImageWorld(): Promise<ImageWorld> {
  const sigstore = await createServer()
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-image-clients-'))
  const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
  write('predicate.json', '{"passed":12}')
  write('scan.json', '{"invocation":{},"scanner":{},"metadata":{}}')
  write('root.json', sigstore.trustedRoot)
  const config = JSON.parse(sigstore.signingConfig) as { rekorTlogUrls: { majorApiVersion: number }[] }
  write('config.json', JSON.stringify({ ...config, rekorTlogUrls: config.rekorTlogUrls.filter((log) => log.majorApiVersion === 1) }))
  const { logs, certificateTransparencyLogs, certificateAuthorities } = loadTrustMaterial(sigstore.trustedRoot)
  const rekor = logs.find(({ key }) => key.kind === 'ecdsa')
  const [ctLog] = certificateTransparencyLogs
  const [ca] = certificateAuthorities
  if (rekor === undefined || ctLog === undefined || ca === undefined) throw new Error('the trusted root has too little')
  write('rekor.pub', encodePublicKeyPem(rekor.key))
  write('ct.pub', encodePublicKeyPem(ctLog.key))
  write('chain.pem', [...ca.authority.intermediates, ca.authority.anchor].map(({ bytes }) => encodePem('CERTIFICATE', bytes)).join(''))
  const registries: Readonly<Record<RegistryName, RealRegistry>> = {
    'docker-registry': await startDockerRegistry(),
    'referrers-registry': await startReferrersRegistry(),
  }
  for (const name of ['own', 'other']) {
    await expectSuccess(
      runCaptured(['generate-key-pair', '--output-key-prefix', name], { cwd: folder, env: { COSIGN_PASSWORD: password } }),
    )
    // The label of the first cosign's keys, which all later ones know.
    write(`${name}.key`, readFileSync(path.join(folder, `${name}.key`), 'utf8').replaceAll('ENCRYPTED SIGSTORE', 'ENCRYPTED COSIGN'))
  }
  let pushed = 0
  return {
    sigstore,
    folder,
    oldTrust: { SIGSTORE_REKOR_PUBLIC_KEY: 'rekor.pub', SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: 'ct.pub', SIGSTORE_ROOT_FILE: 'chain.pem' },
    host: (registry) => registries[registry].host,
    pushImage: async (registry, repository, tag = 'v1') => {
      write('layer', `layer ${pushed++}`)
      await expectSuccess(runPeerLive('/bin/tar', ['cf', 'layer.tar', 'layer'], folder))
      const reference = `${registries[registry].host}/${repository}:${tag}`
      return (await expectSuccess(runPeerLive(crane ?? '', ['append', '-f', 'layer.tar', '-t', reference], folder))).stdout.trim()
    },
    pushIndex: async (registry, repository, images) => {
      const reference = `${registries[registry].host}/${repository}:index`
      const words = ['index', 'append', ...images.flatMap((image) => ['-m', image]), '-t', reference]
      return (await expectSuccess(runPeerLive(crane ?? '', words, folder))).stdout.trim()
    },
    stop: async () => {
      for (const registry of Object.values(registries)) await registry.stop()
      rmSync(folder, { recursive: true, force: true })
      await sigstore.close()
    },
  }
}

export async function expectSuccess(running: Promise<Ending>): Promise<Ending> {
  const ending = await running
  if (ending.exitCode !== 0) throw new Error(`exit code ${ending.exitCode}: ${ending.stderr}`)
  return ending
}

type Run = (world: ImageWorld, argv: readonly string[], env: Readonly<Record<string, string>>) => Promise<Ending>

/** What a client wants to be told beside what the others are told. */
interface Habits {
  /** To sign, with the services and the format. */
  readonly signing: (world: ImageWorld, task: Task) => readonly string[]
  /** To verify. */
  readonly verifying: (task: Task) => readonly string[]
  readonly env?: (world: ImageWorld, task: Task) => Readonly<Record<string, string>>
}

function client(name: string, layouts: readonly Layout[], isMissing: boolean, run: Run, habits: Habits): ImageClient {
  const environment = (world: ImageWorld, task: Task): Readonly<Record<string, string>> => ({
    COSIGN_PASSWORD: password,
    ...(task.elsewhere === undefined ? {} : { COSIGN_REPOSITORY: task.elsewhere }),
    ...habits.env?.(world, task),
  })
  const noted = (annotations: readonly string[] = []): string[] => annotations.flatMap((annotation) => ['-a', annotation])
  return {
    name,
    layouts,
    isMissing,
    signs: async (world, task) => {
      const verb =
        task.kind === 'signature'
          ? ['sign', ...noted(task.annotations)]
          : ['attest', '--predicate', 'predicate.json', '--type', predicateType]
      const signer = task.keyless ? ['--identity-token', await world.sigstore.identityToken(email)] : ['--key', 'own.key']
      const recursive = task.recursive === true ? ['--recursive'] : []
      return run(world, [...verb, ...signer, ...recursive, ...habits.signing(world, task), task.image], environment(world, task))
    },
    judges: (world, task, doubt = {}) => {
      const verb =
        task.kind === 'signature'
          ? ['verify', ...noted(doubt.annotations ?? task.annotations)]
          : ['verify-attestation', '--type', doubt.type ?? predicateType]
      const isOther = doubt.otherSigner === true
      const who = ['--certificate-identity', isOther ? 'eve@example.com' : email, '--certificate-oidc-issuer', `${world.sigstore.url}/oidc`]
      const signer = task.keyless ? who : ['--key', isOther ? 'other.pub' : 'own.pub']
      return run(world, [...verb, ...signer, ...habits.verifying(task), task.image], environment(world, task))
    },
  }
}

const live =
  (program: string): Run =>
  (world, argv, env) =>
    runPeerLive(program, argv, world.folder, env)
const services = ({ sigstore }: ImageWorld): string[] => ['--rekor-url', sigstore.url, '--fulcio-url', sigstore.url, '-y']
const bundleServices = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '-y']
const trustedRoot = ['--trusted-root', 'root.json']
const [cosign1, cosign2, cosign3] = [findPeer('cosign1'), findPeer('cosign2'), findPeer('cosign')]

export const countersign = client(
  'countersign',
  ['bundle', 'tag'],
  false,
  (world, argv, env) => runCaptured(argv, { cwd: world.folder, env: { HOME: world.folder, ...env }, now: Date.now() }),
  {
    signing: (world, { layout }) =>
      layout === 'bundle'
        ? bundleServices
        : ['--new-bundle-format=false', '--use-signing-config=false', ...services(world), ...trustedRoot],
    verifying: ({ recursive, kind }) => [...trustedRoot, ...(recursive === true && kind === 'signature' ? ['--recursive'] : [])],
  },
)

export const imageClients: readonly ImageClient[] = [
  countersign,
  client('cosign 3', ['bundle', 'tag'], cosign3 === undefined, live(cosign3 ?? ''), {
    signing: (world, { layout }) =>
      layout === 'bundle' ? bundleServices : ['--new-bundle-format=false', '--use-signing-config=false', ...services(world)],
    verifying: ({ layout }) => (layout === 'bundle' ? trustedRoot : []),
    env: ({ oldTrust }, { layout }) => (layout === 'tag' ? oldTrust : {}),
  }),
  client('cosign 2', ['tag'], cosign2 === undefined, live(cosign2 ?? ''), {
    signing: services,
    verifying: ({ layout }) => (layout === 'bundle' ? [...trustedRoot, '--new-bundle-format'] : []),
    env: ({ oldTrust }, { layout }) => (layout === 'tag' ? oldTrust : {}),
  }),
  // Its keyless signatures, and its use of a log, are behind a variable.
  client('cosign 1', ['tag'], cosign1 === undefined, live(cosign1 ?? ''), {
    signing: (world) => [...services(world), '--force'],
    verifying: () => [],
    env: ({ oldTrust, sigstore }) => ({ COSIGN_EXPERIMENTAL: '1', COSIGN_REKOR_URL: sigstore.url, ...oldTrust }),
  }),
]
