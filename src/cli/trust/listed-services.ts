/**
 * Services to be trusted as cosign before 3.0 had them described: several flags for each, of which the first occurrences belong
 * together, then the second ones, and so on.
 */
import { UsageError } from '../../error.ts'
import type { TrustedRootParts } from '../../trust/trusted-root-writer.ts'
import { createLogInstance } from '../../trust/trusted-root-writer.ts'
import type { AuthorityInstance, LogInstance } from '../../trust/trusted-root.ts'
import type { CommandContext } from '../context.ts'
import { readAuthorityChain, readTimestampChain } from './authority-chain.ts'
import { checkOrigin } from './described-services.ts'
import { readLogKey } from './log-key-file.ts'
import { checkUrl, createWindow, instantOf, withPrefix } from './service-spec.ts'
import type { TrustedRootFlags } from './trusted-root-flags.ts'

/** Reads them all. @throws as `createTrustedRootFile` */
export function readListedServices(context: CommandContext, flags: TrustedRootFlags): TrustedRootParts {
  checkLengths(flags, 'certificate-chain', ['fulcio-uri'])
  checkLengths(flags, 'timestamp-certificate-chain', ['timestamp-uri'])
  checkLengths(flags, 'ctfe-key', ['ctfe-url', 'ctfe-start-time', 'ctfe-end-time'])
  checkLengths(flags, 'rekor-key', ['rekor-url', 'rekor-start-time', 'rekor-end-time'])
  return {
    certificateAuthorities: flags['certificate-chain'].map((file, index) =>
      authorityOf(readAuthorityChain(context, file), flags['fulcio-uri'][index]),
    ),
    timestampAuthorities: flags['timestamp-certificate-chain'].map((file, index) =>
      authorityOf(readTimestampChain(context, file), flags['timestamp-uri'][index]),
    ),
    certificateTransparencyLogs: flags['ctfe-key'].map((file, index) => readLog(context, flags, 'ctfe', index, file, undefined)),
    transparencyLogs: flags['rekor-key'].map((text, index) => {
      const at = text.indexOf(',')
      const file = at < 0 ? text : text.slice(0, at)
      return readLog(context, flags, 'rekor', index, file, at < 0 || at === text.length - 1 ? undefined : text.slice(at + 1))
    }),
  }
}

type ListFlag = {
  [Name in keyof TrustedRootFlags]: TrustedRootFlags[Name] extends readonly string[] ? Name : never
}[keyof TrustedRootFlags]

/** What belongs to no key would be dropped without a word. */
function checkLengths(flags: TrustedRootFlags, main: ListFlag, others: readonly ListFlag[]): void {
  for (const other of others) {
    if (flags[other].length > flags[main].length) {
      throw new UsageError(
        'USAGE',
        `--${other} is given more often (${flags[other].length}) than --${main} (${flags[main].length}), and each belongs to the --${main} of the same position`,
      )
    }
  }
}

function authorityOf(chain: ReturnType<typeof readAuthorityChain>, uri: string | undefined): AuthorityInstance {
  return {
    uri: uri ?? '',
    certificates: chain.certificates.map(({ bytes }) => bytes),
    window: { start: chain.root.notBefore, end: undefined },
    operator: '',
  }
}

function readLog(
  context: CommandContext,
  flags: TrustedRootFlags,
  service: 'ctfe' | 'rekor',
  index: number,
  file: string,
  originText: string | undefined,
): LogInstance {
  const url = flags[`${service}-url`][index]
  const baseUrl = url === undefined ? '' : checkUrl(url, `--${service}-url`)
  const origin = withPrefix(`--${service}-key`, () => checkOrigin(context, originText, baseUrl))
  const start = instantOf(flags[`${service}-start-time`][index], `--${service}-start-time`) ?? 0
  const end = instantOf(flags[`${service}-end-time`][index], `--${service}-end-time`)
  const api = service === 'ctfe' ? 'ct' : 'rekor-v1'
  return createLogInstance({
    api,
    baseUrl,
    origin,
    publicKey: readLogKey(context, file),
    window: withPrefix(`--${service}-end-time`, () => createWindow(start, end)),
  })
}
