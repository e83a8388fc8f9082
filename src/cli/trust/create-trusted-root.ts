/** `trusted-root create`: from flags to a trusted root. */
import { UsageError } from '../../error.ts'
import { createTrustMaterial } from '../../trust/trust-material.ts'
import type { TrustedRootParts } from '../../trust/trusted-root-writer.ts'
import { createTrustedRoot, encodeTrustedRoot } from '../../trust/trusted-root-writer.ts'
import type { AuthorityInstance, LogInstance } from '../../trust/trusted-root.ts'
import { parseTrustedRoot } from '../../trust/trusted-root.ts'
import type { TimeWindow } from '../../trust/time-window.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { checkDocumentOutput, writeDocument } from '../document-output.ts'
import { fetchDefaults } from './default-services.ts'
import { readDescribedServices } from './described-services.ts'
import { readListedServices } from './listed-services.ts'
import type { TrustedRootFlags } from './trusted-root-flags.ts'

/**
 * Makes a trusted root and writes or prints it.
 * @throws UsageError USAGE; TransportError FILE_UNREADABLE, FILE_UNWRITABLE, TRUST_ROOT_UNAVAILABLE; DecodingError CERTIFICATE_INVALID,
 * KEY_INVALID, KEY_UNSUPPORTED; what TUF throws
 */
export async function createTrustedRootFile(context: CommandContext, flags: TrustedRootFlags): Promise<void> {
  const output = { out: flags.out, what: 'trusted root' }
  checkStyles(flags)
  checkDocumentOutput(context, output)
  const described = readDescribedServices(context, flags)
  const listed = readListedServices(context, flags)
  const own = merge(described, listed)
  const defaults = await loadDefaults(context, flags)
  const root = createTrustedRoot({
    transparencyLogs: mergeLogs(defaults.transparencyLogs, own.transparencyLogs, 'transparency logs'),
    certificateTransparencyLogs: mergeLogs(defaults.certificateTransparencyLogs, own.certificateTransparencyLogs, 'CT logs'),
    certificateAuthorities: byStart([...defaults.certificateAuthorities, ...own.certificateAuthorities]),
    timestampAuthorities: byStart([...defaults.timestampAuthorities, ...own.timestampAuthorities]),
  })
  for (const note of createTrustMaterial(root).unusable) warn(context, note)
  if (Object.values(root).every((part) => part.length === 0 || typeof part === 'string')) {
    warn(context, 'the trusted root is empty: nothing can be verified with it (describe services with --fulcio, --rekor, --ctfe and --tsa)')
  }
  writeDocument(context, output, encodeTrustedRoot(root))
}

const styles = [
  ['fulcio', ['certificate-chain', 'fulcio-uri']],
  ['rekor', ['rekor-key', 'rekor-url', 'rekor-start-time', 'rekor-end-time']],
  ['ctfe', ['ctfe-key', 'ctfe-url', 'ctfe-start-time', 'ctfe-end-time']],
  ['tsa', ['timestamp-certificate-chain', 'timestamp-uri']],
] as const

/** A service is described by one flag, or by several of before those: where both are, nobody can say what belongs together. */
function checkStyles(flags: TrustedRootFlags): void {
  for (const [name, old] of styles) {
    const used = old.filter((flag) => flags[flag].length > 0)
    if (flags[name].length > 0 && used.length > 0) {
      const list = used.map((flag) => `--${flag}`).join(', ')
      throw new UsageError('USAGE', `cannot use --${name} and old ${name} flags at the same time: found ${list}`)
    }
  }
}

const nothing: TrustedRootParts = {
  transparencyLogs: [],
  certificateTransparencyLogs: [],
  certificateAuthorities: [],
  timestampAuthorities: [],
}

/** The services that TUF distributes, but those that are not wanted. */
async function loadDefaults(context: CommandContext, flags: TrustedRootFlags): Promise<TrustedRootParts> {
  if (!flags['with-default-services']) {
    const idle = (['no-default-ctfe', 'no-default-fulcio', 'no-default-rekor', 'no-default-tsa'] as const).filter((flag) => flags[flag])
    for (const flag of idle) warn(context, `--${flag} has no effect without --with-default-services`)
    return nothing
  }
  const root = parseTrustedRoot(await fetchDefaults(context, 'trustedRoot', 'the default trusted root'))
  return {
    transparencyLogs: flags['no-default-rekor'] ? [] : root.transparencyLogs,
    certificateTransparencyLogs: flags['no-default-ctfe'] ? [] : root.certificateTransparencyLogs,
    certificateAuthorities: flags['no-default-fulcio'] ? [] : root.certificateAuthorities,
    timestampAuthorities: flags['no-default-tsa'] ? [] : root.timestampAuthorities,
  }
}

function merge(a: TrustedRootParts, b: TrustedRootParts): TrustedRootParts {
  return {
    transparencyLogs: [...a.transparencyLogs, ...b.transparencyLogs],
    certificateTransparencyLogs: [...a.certificateTransparencyLogs, ...b.certificateTransparencyLogs],
    certificateAuthorities: [...a.certificateAuthorities, ...b.certificateAuthorities],
    timestampAuthorities: [...a.timestampAuthorities, ...b.timestampAuthorities],
  }
}

/** Verifiers find logs by their identifier: one of one's own takes the place of a default one, and two of one's own cannot share it. */
function mergeLogs(defaults: readonly LogInstance[], own: readonly LogInstance[], what: string): LogInstance[] {
  const logs = new Map<string, LogInstance>()
  for (const log of defaults) logs.set(encodeHex(log.logId), log)
  const taken = new Map<string, LogInstance>()
  for (const log of own) {
    const id = encodeHex(log.logId)
    const earlier = taken.get(id)
    if (earlier !== undefined)
      throw new UsageError(
        'USAGE',
        `two ${what} have the identifier ${id}, which is made of their key: ${earlier.baseUrl} and ${log.baseUrl}`,
      )
    taken.set(id, log)
    logs.set(id, log)
  }
  return byStart([...logs.values()])
}

/** In cosign's order: by the beginning of validity, otherwise as they were given. */
function byStart<Instance extends LogInstance | AuthorityInstance>(instances: readonly Instance[]): Instance[] {
  const startOf = ({ window }: { readonly window: TimeWindow }): number => Math.max(window.start, 0)
  return instances.toSorted((a, b) => startOf(a) - startOf(b))
}
