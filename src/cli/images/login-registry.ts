/** `login`: credentials that a registry has taken, kept where `docker login` keeps them. */
import { UsageError } from '../../error.ts'
import { concatBytes, decodeUtf8, excerpt } from '../../encoding/bytes.ts'
import { homeFolder } from '../../oci/docker-credentials.ts'
import { keepCredentials } from '../../oci/docker-login.ts'
import { parseRepository } from '../../oci/reference.ts'
import { RegistrySession } from '../../oci/registry-session.ts'
import { buildInfo } from '../build-info.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { printableLine } from '../quote.ts'

export interface LoginFlags {
  readonly username: string
  readonly password: string
  readonly 'password-stdin': boolean
}

const maxPasswordBytes = 64 * 1024

/** @throws UsageError; CountersignError SERVICE_REFUSED when the registry does not take them: nothing is kept then */
export async function loginToRegistry(context: CommandContext, flags: LoginFlags, server: string): Promise<void> {
  const registry = registryOf(server)
  if (flags['password-stdin'] && flags.password !== '') throw new UsageError('USAGE', '--password and --password-stdin exclude each other')
  if (flags.password !== '')
    warn(context, 'a password on the command line can be read by other users of this machine; use --password-stdin')
  const { username } = flags
  const password = flags['password-stdin'] ? await readPassword(context) : flags.password
  if (username === '' || password === '') throw new UsageError('USAGE', 'username and password required (--username, --password-stdin)')
  if (username.includes(':')) throw new UsageError('USAGE', 'a user name of a registry cannot hold a colon')
  const { env, signal } = context
  const session = new RegistrySession(registry, {
    env,
    signal,
    userAgent: `countersign/${buildInfo.version}`,
    credentials: () => Promise.resolve({ kind: 'password', username, password }),
  })
  await session.checkLogin()
  const home = homeFolder(env)
  const { file, helper } = await keepCredentials(registry, { username, password }, { env, home, signal })
  if (helper === undefined)
    warn(context, `the password is stored unencrypted in ${file}; a credential helper ("credsStore") would protect it`)
  context.stderr.write(`logged in via ${printableLine(file)}\n`)
}

/** The host that was meant: with or without a scheme, and Docker Hub by any of its names. */
function registryOf(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
  if (host === '' || host === 'docker.io') return 'index.docker.io'
  if (host.includes('/') || (!/[.:]/.test(host) && host !== 'localhost'))
    throw new UsageError('USAGE', `expected the host of a registry, such as ghcr.io or localhost:5000, found ${excerpt(server)}`)
  return parseRepository(`${host}/any`).registry
}

async function readPassword({ stdin }: CommandContext): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stdin.read()) {
    length += chunk.length
    if (length > maxPasswordBytes) throw new UsageError('USAGE', `standard input holds more than a password of ${maxPasswordBytes} bytes`)
    chunks.push(chunk)
  }
  return decodeUtf8(concatBytes(...chunks), 'the password on standard input').replace(/\r?\n$/, '')
}
