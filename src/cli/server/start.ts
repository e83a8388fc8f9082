/** `server start`: runs a server until it is told to end. */
import path from 'node:path'
import { UsageError } from '../../error.ts'
import { defineCommand } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { boolFlag, choiceFlag, stringFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'
import type { ServerProgram } from '../server-program.ts'
import { loadServerProgram } from '../server-program.ts'
import { dataFlags, dataOptions } from './flags.ts'
import { defaultUser, initialiseServer } from './init.ts'

export const command = defineCommand({
  long: `Run a private Sigstore: issuer, certificate authority, CT log, Rekor v1 and v2, timestamp authority, TUF repository, search.

An empty folder becomes a server first, as with server init. The server listens on this machine alone; another address needs TLS files,
or --behind-proxy when something in front of it does TLS. SIGHUP makes it read TLS files and issuers.yaml again; SIGINT and SIGTERM end
it when everything under way was answered.`,
  examples: `  # A Sigstore on this machine
  countersign server start

  # For a team, behind a proxy
  countersign server start --data /var/lib/countersign --listen 127.0.0.1:8080 --behind-proxy

  # With TLS of its own
  countersign server start --data /var/lib/countersign --listen :443 --tls-cert tls.crt --tls-key tls.key

  # On PostgreSQL
  COUNTERSIGN_DATABASE_URL=postgresql://countersign:…@db/countersign countersign server start --data /var/lib/countersign`,
  flags: {
    ...dataFlags,
    listen: stringFlag('address to listen on', { default: '127.0.0.1:8080', placeholder: 'host:port', completion: 'none' }),
    url: stringFlag('how clients reach a new server (default http://localhost and the port)', { completion: 'none' }),
    config: stringFlag('configuration file (default server.yaml in the folder)', { completion: 'file' }),
    'tls-cert': stringFlag('certificate chain for TLS, PEM', { completion: 'file' }),
    'tls-key': stringFlag('private key for TLS, PEM', { completion: 'file' }),
    'behind-proxy': boolFlag('a proxy in front does TLS, and its X-Forwarded-For is believed'),
    'log-level': choiceFlag(['debug', 'info', 'warn', 'error', 'silent'], 'what to log, as lines of JSON on standard error', {
      default: 'warn',
    }),
  },
  positional: noArguments,
  untimed: true,
  async run(context, flags) {
    const program = await loadServerProgram()
    const data = dataOptions(context, flags)
    const { host, port } = program.parseListenAddress(flags.listen)
    if ((flags['tls-cert'] === '') !== (flags['tls-key'] === ''))
      throw new UsageError('USAGE', '--tls-cert and --tls-key are given together')
    const resolve = (file: string): string => path.resolve(context.cwd, file)
    const tls = flags['tls-cert'] === '' ? undefined : { certificate: resolve(flags['tls-cert']), key: resolve(flags['tls-key']) }
    const configurationFile = flags.config === '' ? undefined : resolve(flags.config)
    if (configurationFile !== undefined) await program.readConfiguration(data.folder, configurationFile)
    // Before anything is written: a new server whose address cannot be had would be one for another address, at the next try.
    const listener = await program.openListener({ host, port, tls, behindProxy: flags['behind-proxy'] })
    try {
      await ensureServer(
        context,
        data,
        { given: flags.url, default: `http${tls === undefined ? '' : 's'}://localhost:${listener.port}` },
        program,
      )
    } catch (error) {
      await listener.close(0)
      throw error
    }
    const server = await program.runServer({
      ...data,
      configurationFile,
      listener,
      logging: { level: flags['log-level'], destination: { write: (line) => context.stderr.write(line) } },
    })
    try {
      context.stdout.write(await describe(server, program))
      await untilEnd(context, () => server.reload())
    } finally {
      await server.close()
    }
  },
})

/** Makes a server of an empty folder. */
async function ensureServer(
  context: CommandContext,
  data: ReturnType<typeof dataOptions>,
  url: { readonly given: string; readonly default: string },
  program: ServerProgram,
): Promise<void> {
  if (await program.isInitialised(data.folder)) {
    if (url.given !== '') warn(context, 'the address of a server is in its server.yaml: --url is for a new one')
    return
  }
  const origin = program.checkUrl(url.given === '' ? url.default : url.given)
  await initialiseServer(context, { data, url: origin, user: defaultUser(origin) }, program)
  context.stdout.write('\n')
}

async function describe(server: Awaited<ReturnType<ServerProgram['runServer']>>, program: ServerProgram): Promise<string> {
  const { endpoints, steps } = await program.describeServer(server.app.trust, server.services, server.app.tuf)
  const width = Math.max(...endpoints.map(({ name }) => name.length))
  const address = Math.max(...endpoints.map(({ url }) => url.length))
  return [
    `Listening on port ${server.port}`,
    '',
    ...endpoints.map(({ name, url, purpose }) => `  ${name.padEnd(width)}  ${url.padEnd(address)}  ${purpose}`),
    '',
    ...(steps.length === 0 ? [] : ['Try next:']),
    ...steps.flatMap(({ purpose, command: line }) => [`  # ${purpose}`, `  ${line}`]),
    '',
  ].join('\n')
}

/** Resolves when the process is told to end. */
async function untilEnd(context: CommandContext, reload: () => Promise<void>): Promise<void> {
  const onHangUp = (): void => {
    reload().catch((error: unknown) => warn(context, `not reloaded: ${error instanceof Error ? error.message : String(error)}`))
  }
  process.on('SIGHUP', onHangUp)
  try {
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve()
      context.signal.addEventListener('abort', () => resolve(), { once: true })
    })
  } finally {
    process.off('SIGHUP', onHangUp)
  }
}
