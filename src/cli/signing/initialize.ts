/** `initialize`: from flags to a filled cache. */
import { createHash } from 'node:crypto'
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError, messageOf, UsageError, VerificationError } from '../../error.ts'
import { fetchBytes } from '../../http/fetch.ts'
import { initializeRepository } from '../../tuf/initialize.ts'
import { publicGoodMirror, stagingMirror } from '../../tuf/mirror.ts'
import type { Repository } from '../../tuf/repository.ts'
import { targetName } from '../../tuf/trusted-root.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { readInputFile } from '../verification/input-file.ts'

export interface InitializeFlags {
  readonly mirror: string
  readonly root: string
  readonly 'root-checksum': string
  readonly staging: boolean
}

const maxRootBytes = 512 * 1024
const withoutChecksum =
  'Fetching initial root from URL without providing its checksum is deprecated and will be disallowed in a future Cosign release. Please provide the initial root checksum via the --root-checksum argument.'

/**
 * Renews the cache. Says nothing when all is well, as cosign.
 * @throws UsageError USAGE; VerificationError TUF_UNVERIFIED; TransportError
 */
export async function initialize(context: CommandContext, flags: InitializeFlags): Promise<void> {
  const isDefaultMirror = flags.mirror === publicGoodMirror
  if (flags.staging && (flags.root !== '' || !isDefaultMirror))
    throw usage('--staging has a mirror and a root of its own: leave out --mirror and --root')
  if (flags['root-checksum'] !== '' && flags.root === '') throw usage('--root-checksum is the checksum of --root, which is not given')
  const root = flags.root === '' ? undefined : await loadRoot(context, flags)
  const repository = await initializeRepository({
    env: context.env,
    mirror: flags.staging ? stagingMirror : flags.mirror,
    now: context.now(),
    signal: context.signal,
    ...(root === undefined ? {} : { initialRoot: root }),
  })
  await cacheTargets(context, repository)
  for (const warning of repository.warnings) warn(context, warning)
}

/** Both are fetched now, so that later commands find them in the cache. */
async function cacheTargets(context: CommandContext, repository: Repository): Promise<void> {
  await attempt(
    context,
    repository,
    targetName.signingConfig,
    (reason) =>
      `Could not fetch signing_config.json from the TUF mirror (encountered error: ${reason}). It is recommended to use a signing config file rather than provide service URLs when signing.`,
  )
  await attempt(
    context,
    repository,
    targetName.trustedRoot,
    (reason) =>
      `Could not fetch trusted_root.json from the TUF mirror (encountered error: ${reason}). Verification then needs --trusted-root.`,
  )
}

/** A repository without the target is of use for the other one; one whose target is not what it says is of none. */
async function attempt(context: CommandContext, repository: Repository, name: string, warning: (reason: string) => string): Promise<void> {
  try {
    await repository.target(name)
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'TRUST_ROOT_UNAVAILABLE') throw error
    warn(context, warning(messageOf(error)))
  }
}

async function loadRoot(context: CommandContext, flags: InitializeFlags): Promise<Uint8Array> {
  const isUrl = /^https?:\/\//.test(flags.root)
  if (isUrl && flags['root-checksum'] === '') warn(context, withoutChecksum)
  const expected = flags['root-checksum'] === '' ? undefined : parseChecksum(flags['root-checksum'])
  const bytes = isUrl
    ? await fetchBytes(flags.root, { env: context.env, signal: context.signal, maxBytes: maxRootBytes })
    : readInputFile(context.cwd, flags.root, 'the TUF root', maxRootBytes)
  if (expected === undefined) return bytes
  const found = createHash(expected.algorithm).update(bytes).digest('hex')
  if (found === expected.value) return bytes
  throw new VerificationError(
    'TUF_UNVERIFIED',
    `the TUF root ${flags.root} should have the ${expected.algorithm} checksum ${expected.value}, found ${found}`,
  )
}

function parseChecksum(text: string): { readonly algorithm: 'sha256' | 'sha512'; readonly value: string } {
  const [, prefix, digits = ''] = /^(?:(sha256|sha512):)?([0-9a-fA-F]+)$/.exec(text) ?? []
  const algorithm = prefix === 'sha512' ? 'sha512' : 'sha256'
  if (digits.length === (algorithm === 'sha512' ? 128 : 64)) return { algorithm, value: digits.toLowerCase() }
  throw usage(`--root-checksum should be a SHA-256 checksum in hex, or sha512: and a SHA-512 one, found ${excerpt(text, 140)}`)
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
