/** A server in a folder of its own, as an operator has it, and what its command line says about it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeSigningConfig } from '../../../../src/trust/signing-config-writer.ts'
import { encodeTrustedRoot } from '../../../../src/trust/trusted-root-writer.ts'
import { initialise } from '../../../../src/server/initialise.ts'
import { signingConfigOf, trustedRootOf } from '../../../../src/server/public-trust.ts'
import type { RekorChoice } from '../../../../src/server/public-trust.ts'
import { openListener } from '../../../../src/server/listener.ts'
import type { RunningServer } from '../../../../src/server/run-server.ts'
import { runServer } from '../../../../src/server/run-server.ts'
import { freePort } from '../../../support/free-port.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

export interface ServerFolder {
  readonly folder: string
  readonly url: string
  readonly port: number
  /** The time that everything starts at. */
  readonly time: number
  readonly file: (name: string) => string
  /** Runs `countersign server …` on the folder. */
  run(argv: readonly string[], surroundings?: Surroundings): Promise<Outcome>
  /** Starts the server for as long as something is done with it. */
  whileRunning<Result>(action: (server: RunningServer) => Promise<Result>): Promise<Result>
  /** Signs a file keyless, so that all logs that it goes through get an entry. */
  sign(server: RunningServer, contents: string, rekor: RekorChoice): Promise<void>
  remove(): Promise<void>
}

/** Makes one. @param databaseUrl the PostgreSQL database that it is on at a time; a file in the folder by default */
export async function createServerFolder(databaseUrl: () => string | undefined = () => undefined): Promise<ServerFolder> {
  const parent = await mkdtemp(path.join(tmpdir(), 'countersign-server-'))
  const folder = path.join(parent, 'data')
  const port = await freePort()
  const url = `http://localhost:${port}`
  const time = Date.now()
  const clock = (): number => Date.now()
  await initialise({ folder, url, passphrase: undefined, clock })
  const run: ServerFolder['run'] = (argv, surroundings = {}) => {
    const url = databaseUrl()
    const database = url === undefined ? [] : ['--database-url', url]
    return runCaptured(['server', ...argv, '--data', folder, ...database], { cwd: parent, now: clock(), ...surroundings })
  }
  const whileRunning: ServerFolder['whileRunning'] = async (action) => {
    const server = await runServer({
      folder,
      listener: await openListener({ host: '127.0.0.1', port, tls: undefined, behindProxy: false }),
      databaseUrl: databaseUrl(),
      passphrase: undefined,
      clock,
      logging: { level: 'silent', destination: { write: () => true } },
    })
    try {
      return await action(server)
    } finally {
      await server.close()
    }
  }
  const sign: ServerFolder['sign'] = async ({ app }, contents, rekor) => {
    const write = (name: string, text: string): Promise<void> => writeFile(path.join(parent, name), text)
    await write('blob', contents)
    await write('token', (await app.issuer?.issueToken({ subject: 'test:dev', email: 'dev@example.com' })) ?? '')
    await write('root.json', encodeTrustedRoot(trustedRootOf(app.trust)))
    await write('config.json', encodeSigningConfig(signingConfigOf(app.trust, rekor)))
    const files = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '--bundle', 'bundle.json']
    const { exitCode, stderr } = await runCaptured(['sign-blob', 'blob', '--yes', ...files], {
      cwd: parent,
      env: { HOME: parent },
      now: clock(),
    })
    if (exitCode !== 0) throw new Error(stderr)
  }
  return {
    folder,
    url,
    port,
    time,
    file: (name) => path.join(folder, name),
    run,
    whileRunning,
    sign,
    remove: () => rm(parent, { recursive: true, force: true }),
  }
}
