/** A folder with files to sign and an instance to sign with, for tests of `sign-blob`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { ServiceBends, SigningServices } from '../../../support/signing-services.ts'
import { identityToken, paths, principal, startServices } from '../../../support/signing-services.ts'
import type { Universe } from '../../../support/universe/universe.ts'
import { universeOf } from '../../../support/universe/universe.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

export const tokenIssuer = 'https://token.actions.universe.test'

export interface Workspace {
  readonly folder: string
  readonly universe: Universe
  readonly services: SigningServices
  /** Runs a command in the folder, a minute after the universe's time. */
  run(argv: readonly string[], surroundings?: Surroundings): Promise<Outcome>
  /** Signs a blob, `artifact`, keyless into `bundle.json`, with whatever else is said. */
  sign(more?: readonly string[], surroundings?: Surroundings, blob?: string): Promise<Outcome>
  /** The files of the folder that were not there at the beginning. */
  written(): string[]
  read(file: string): string
}

export interface WorkspaceOptions extends ServiceBends {
  readonly log?: 'v1' | 'v2' | 'none'
  readonly bendConfig?: (config: Record<string, unknown>) => void
  readonly bendRoot?: Parameters<Universe['trustedRoot']>[0]
  readonly claims?: Record<string, unknown>
}

export const artifact = 'what is signed\n'

/** The flags by which a workspace's instance is used. */
export const withInstance = ['--signing-config', 'config.json', '--trusted-root', 'root.json'] as const
/** Those by which something is signed with its token. */
export const keyless = ['--identity-token', 'token', ...withInstance] as const

/** What signing asks, by the log that it uses: the name of the service, the path, the log. */
export const askedServices = [
  ['certificate authority', paths.certificate, 'v1'],
  ['timestamp authority', paths.timestamp, 'v1'],
  ['transparency log', paths.rekorV1, 'v1'],
  ['transparency log', paths.rekorV2, 'v2'],
] as const

/** Makes a workspace that ends with the test: files `artifact`, `token`, `config.json`, `root.json`. */
export async function createWorkspace(options: WorkspaceOptions = {}): Promise<Workspace> {
  const universe = universeOf()
  const services = await startServices(universe, options)
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-sign-'))
  onTestFinished(async () => {
    rmSync(folder, { recursive: true, force: true })
    await services.stop()
  })
  const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
  write('artifact', artifact)
  write('token', `${tokenOf(universe, options.claims)}\n`)
  write('config.json', services.signingConfig(options.log ?? 'v1', options.bendConfig))
  write('root.json', universe.trustedRoot(options.bendRoot))
  const initial = readdirSync(folder)
  const run = (argv: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> =>
    runCaptured(argv, { cwd: folder, now: universe.time + 60_000, env: { HOME: folder }, ...surroundings })
  return {
    folder,
    universe,
    services,
    run,
    sign: (more = [], surroundings, blob = 'artifact') =>
      run(['sign-blob', blob, '--bundle', 'bundle.json', ...keyless, ...more], surroundings),
    written: () => readdirSync(folder).filter((name) => !initial.includes(name)),
    read: (file) => readFileSync(path.join(folder, file), 'utf8'),
  }
}

/** A token of the universe's issuer. */
export function tokenOf(universe: Universe, claims: Record<string, unknown> = {}): string {
  const issued = universe.time / 1000
  return identityToken({
    iss: tokenIssuer,
    aud: 'sigstore',
    sub: '123',
    email: principal,
    email_verified: true,
    iat: issued,
    exp: issued + 600,
    ...claims,
  })
}
