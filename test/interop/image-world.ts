/** What the suites of images share: one private Sigstore, two registries, and a folder in which every program works. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { PrivateSigstore } from '../../src/server/index.ts'
import { createServer } from '../../src/server/index.ts'
import type { RealRegistry } from '../support/registries.ts'
import { missingRegistries, startDockerRegistry, startReferrersRegistry } from '../support/registries.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeerLive } from './peer.ts'
import { withLogsOf, writeOldTrust } from './service-files.ts'

export const registryNames = ['docker-registry', 'referrers-registry'] as const
export type RegistryName = (typeof registryNames)[number]

const crane = findPeer('crane')
/** Whether something that every suite of images needs is not here; why was printed. */
export const isWorldMissing = crane === undefined || missingRegistries().length > 0
/** Of the keys `own.key` and `other.key`. */
export const password = 'a pässword'

type Environment = Readonly<Record<string, string>>

export interface ImageWorld {
  readonly sigstore: PrivateSigstore
  readonly folder: string
  /** Variables by which cosign trusts the private Sigstore where it takes no trusted root. */
  readonly oldTrust: Environment
  host(registry: RegistryName): string
  write(name: string, contents: string | Uint8Array): void
  read(name: string): string
  /** Runs a program in the folder; its path, or undefined where the suite is skipped. */
  run(program: string | undefined, words: readonly string[], env?: Environment): Promise<Ending>
  /** Runs our command line in the folder. */
  countersign(words: readonly string[], env?: Environment): Promise<Ending>
  crane(...words: readonly string[]): Promise<string>
  /** An image with a layer of its own, in the format of Docker but for other flags of crane's. @returns the reference with its digest */
  pushImage(registry: RegistryName, repository: string, tag?: string, flags?: readonly string[]): Promise<string>
  /** An index of these. @returns the reference with its digest */
  pushIndex(registry: RegistryName, repository: string, images: readonly string[]): Promise<string>
  stop(): Promise<void>
}

/** Starts everything. @throws Error with what a program said */
export async function openImageWorld(): Promise<ImageWorld> {
  const sigstore = await createServer()
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-image-world-'))
  const registries: Readonly<Record<RegistryName, RealRegistry>> = {
    'docker-registry': await startDockerRegistry(),
    'referrers-registry': await startReferrersRegistry(),
  }
  let pushed = 0
  const world: ImageWorld = {
    sigstore,
    folder,
    oldTrust: writeOldTrust(folder, sigstore.trustedRoot),
    host: (registry) => registries[registry].host,
    write: (name, contents) => writeFileSync(path.join(folder, name), contents),
    read: (name) => readFileSync(path.join(folder, name), 'utf8'),
    run: (program, words, env) => runPeerLive(program ?? '', words, folder, env),
    countersign: (words, env) =>
      runCaptured(words, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: password, ...env }, now: Date.now() }),
    crane: async (...words) => (await expectSuccess(world.run(crane, words))).stdout.trim(),
    pushImage: async (registry, repository, tag = 'v1', flags = []) => {
      world.write('layer', `layer ${pushed++}`)
      await expectSuccess(world.run('/bin/tar', ['cf', 'layer.tar', 'layer']))
      return world.crane('append', ...flags, '-f', 'layer.tar', '-t', `${world.host(registry)}/${repository}:${tag}`)
    },
    pushIndex: (registry, repository, images) => {
      const parts = images.flatMap((image) => ['-m', image])
      return world.crane('index', 'append', ...parts, '-t', `${world.host(registry)}/${repository}:index`)
    },
    stop: async () => {
      for (const registry of Object.values(registries)) await registry.stop()
      rmSync(folder, { recursive: true, force: true })
      await sigstore.close()
    },
  }
  world.write('predicate.json', '{"passed":12}')
  world.write('root.json', sigstore.trustedRoot)
  world.write('config.json', withLogsOf(sigstore.signingConfig, 1))
  for (const name of ['own', 'other']) {
    await expectSuccess(world.countersign(['generate-key-pair', '--output-key-prefix', name]))
    // The label of the first cosign's keys, which all later ones know.
    world.write(`${name}.key`, world.read(`${name}.key`).replaceAll('ENCRYPTED SIGSTORE', 'ENCRYPTED COSIGN'))
  }
  return world
}

/** @throws Error with what the program said, where it has failed */
export async function expectSuccess(running: Promise<Ending>): Promise<Ending> {
  const ending = await running
  if (ending.exitCode !== 0) throw new Error(`exit code ${ending.exitCode}: ${ending.stderr}`)
  return ending
}

/** `sha256:…` of a reference that has it. */
export const digestOf = (reference: string): string => reference.slice(reference.indexOf('@') + 1)
