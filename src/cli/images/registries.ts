/** The registries of a command: reached as the flags say, with the credentials that they or `docker login` have left. */
import { decodeUtf8 } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import type { TlsSettings } from '../../http/fetch.ts'
import { dockerCredentials, homeFolder } from '../../oci/docker-credentials.ts'
import { parseRepository } from '../../oci/reference.ts'
import type { RepositoryName } from '../../oci/reference.ts'
import type { RegistryCredentials } from '../../oci/registry-login.ts'
import { openRegistryRepository } from '../../oci/registry-repository.ts'
import { RegistrySession } from '../../oci/registry-session.ts'
import type { RegistryOptions } from '../../oci/registry-session.ts'
import type { Repository } from '../../oci/repository.ts'
import { buildInfo } from '../build-info.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { registryFlags } from '../flag-groups.ts'
import { readInputFile } from '../verification/input-file.ts'

/** The authorities of a whole system have a quarter of it. */
const maxTlsFileBytes = 4 * 1024 * 1024

export type RegistryFlags = FlagValues<typeof registryFlags>

export interface Registries {
  /** A repository. Connections, tokens and what was learnt of its registry are shared by all of one registry. */
  open(name: RepositoryName): Repository
  /** Where the signatures of a repository's images are: there, or in the one that COSIGN_REPOSITORY names. */
  signaturesOf(name: RepositoryName): Repository
  /** A repository as anybody sees it: without credentials. */
  anonymous(name: RepositoryName): Repository
}

/**
 * Reads the flags; nothing is asked yet.
 * @throws UsageError USAGE, TransportError FILE_UNREADABLE for TLS files
 */
export function connectRegistries(context: CommandContext, flags: RegistryFlags): Registries {
  const { env, signal } = context
  checkRegistryFlags(flags)
  const given = givenCredentials(flags)
  const tls = readTls(context.cwd, flags)
  const elsewhere = env['COSIGN_REPOSITORY'] ?? ''
  const signatureRepository = elsewhere === '' ? undefined : parseRepository(elsewhere)
  const sessions = new Map<string, RegistrySession>()
  const anyone: RegistryOptions = {
    env,
    signal,
    userAgent: `countersign/${buildInfo.version}`,
    allowHttp: flags['allow-http-registry'] || flags['allow-insecure-registry'],
    ...(tls === undefined ? {} : { tls }),
  }
  const told = new Set<string>()
  const ambientCredentials = async (name: RepositoryName): Promise<RegistryCredentials | undefined> => {
    const options = { env, home: homeFolder(env), signal }
    if (!flags['k8s-keychain']) return dockerCredentials(name, options)
    const { keychainCredentials } = await import('../../oci/keychain.ts')
    const tell = (sentence: string): void => {
      if (!told.has(sentence)) warn(context, sentence)
      told.add(sentence)
    }
    return keychainCredentials(name, { ...options, cwd: context.cwd, tell })
  }
  const sessionOf = (registry: string): RegistrySession => {
    const options: RegistryOptions = {
      ...anyone,
      credentials: async (repository) => given ?? (await ambientCredentials({ registry, repository })),
    }
    const session = sessions.get(registry) ?? new RegistrySession(registry, options)
    sessions.set(registry, session)
    return session
  }
  const open = (name: RepositoryName): Repository => openRegistryRepository(sessionOf(name.registry), name)
  return {
    open,
    signaturesOf: (name) => open(signatureRepository ?? name),
    anonymous: (name) => openRegistryRepository(new RegistrySession(name.registry, anyone), name),
  }
}

function checkRegistryFlags(flags: RegistryFlags): void {
  if (flags['registry-username'] === '' && flags['registry-password'] !== '')
    throw new UsageError('USAGE', '--registry-password needs --registry-username')
  if ((flags['registry-client-cert'] === '') !== (flags['registry-client-key'] === ''))
    throw new UsageError('USAGE', '--registry-client-cert and --registry-client-key go together')
}

function givenCredentials(flags: RegistryFlags): RegistryCredentials | undefined {
  const username = flags['registry-username']
  if (username !== '') return { kind: 'password', username, password: flags['registry-password'] }
  return flags['registry-token'] === '' ? undefined : { kind: 'registry-token', token: flags['registry-token'] }
}

function readTls(cwd: string, flags: RegistryFlags): TlsSettings | undefined {
  const files = [
    ['certificateAuthorities', flags['registry-cacert'], 'the certificate authorities of the registry'],
    ['clientCertificate', flags['registry-client-cert'], 'the client certificate'],
    ['clientKey', flags['registry-client-key'], 'the client key'],
  ] as const
  const read = files
    .filter(([, file]) => file !== '')
    .map(([name, file, what]) => [name, decodeUtf8(readInputFile(cwd, file, what, maxTlsFileBytes), `${what} ${file}`)])
  const serverName = flags['registry-server-name']
  const insecure = flags['allow-insecure-registry']
  if (read.length === 0 && serverName === '' && !insecure) return undefined
  return { ...Object.fromEntries(read), ...(serverName === '' ? {} : { serverName }), ...(insecure ? { insecure } : {}) }
}
