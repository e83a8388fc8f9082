/** The steps that all verbs that sign have in common: flags, services, consent, and how failures are explained. */
import type { SigningKey } from '../../keys/key-store.ts'
import { digestOf } from '../../crypto/signature.ts'
import { CountersignError, UsageError } from '../../error.ts'
import type { SignedResult, SigningIdentity, Strangers } from '../../sign/sign-content.ts'
import { ephemeralKeyKinds } from '../../sign/signing-algorithm.ts'
import { noServices } from '../../sign/signing-services.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { securityKeyRefusal } from '../flag-groups.ts'
import type { OwnCertificate } from './own-certificate.ts'
import { checkCertificateFlags, trustOwnCertificate } from './own-certificate.ts'
import type { SigningMaterial } from './services.ts'
import { loadSigningMaterial } from './services.ts'
import type { SigningFlags, Task } from './task.ts'

/** What the services must be able to, for where the signatures go. */
export interface RecordNeeds {
  /** A format from before bundles: its log entry is found by searching, or has a promise. Both is Rekor v1's. */
  readonly isOldFormat: boolean
  /** Whether something is signed that gets no bundle, of either kind. */
  readonly isWithoutBundle: boolean
  /** Whether there is a place for a timestamp. */
  readonly keepsTimestamp: boolean
  /** Whether a log that can be searched is the better one: a signature is printed beside its bundle, and may be verified without it. */
  readonly prefersRekorV1?: boolean
  /** What to say where the format is an old one, and the signing config has no Rekor v1. */
  readonly insteadOfRekorV2: string
}

/** Refuses flags that contradict each other or are not supported. @throws UsageError USAGE */
export function checkSigningFlags(flags: SigningFlags): void {
  if (flags.sk && flags.key !== '') throw usage('at most one of: key reference (--key) or hardware token (--sk) can be provided')
  if (flags.sk) throw usage(securityKeyRefusal)
  checkCertificateFlags(flags)
  if (!Object.hasOwn(ephemeralKeyKinds, flags['signing-algorithm'])) {
    throw usage(
      `invalid signing algorithm: ${flags['signing-algorithm'].slice(0, 60)}. Supported algorithms are: ${Object.keys(ephemeralKeyKinds).join(', ')}`,
    )
  }
}

/**
 * Finds out which services to use.
 * @param own the certificate that comes with the key, where there is one
 * @throws UsageError USAGE for a timestamp that would have no place; what `trustOwnCertificate` and `loadSigningMaterial` throw
 */
export async function loadMaterial(
  { context, flags }: Task,
  { isOldFormat, keepsTimestamp, prefersRekorV1 = false, insteadOfRekorV2 }: RecordNeeds,
  key: SigningKey | undefined,
  own: OwnCertificate | undefined,
  isGiven: (flag: string) => boolean,
): Promise<SigningMaterial> {
  if (!keepsTimestamp && isGiven('timestamp-server-url')) throw usage('must use protobuf bundle or set timestamp output path')
  const material = await loadSigningMaterial(context, {
    flags,
    isGiven,
    trustedCertificate: own !== undefined && own.authority === undefined,
    demands: {
      certificate: key === undefined || flags['issue-certificate'],
      timestamp: keepsTimestamp,
      ...(isOldFormat ? { logVersions: [1] } : {}),
    },
    insteadOfRekorV2,
    prefersRekorV1,
  })
  return own === undefined ? material : { ...material, trust: trustOwnCertificate(own, material.trust, context.now()) }
}

/**
 * Where the services are those of a signing config, whoever chose it has agreed; cosign 3 asks only in the browser flow then. Without a bundle it
 * refuses to sign with them, so that is a script of cosign 2, which asks.
 */
export async function confirmRecord(
  { confirmation }: Task,
  { services, fromConfig }: SigningMaterial,
  { isWithoutBundle }: RecordNeeds,
): Promise<void> {
  if (services.logs.length === 0 || (fromConfig && !isWithoutBundle)) return
  await confirmation.ask(services.logs.map(({ url }) => url))
}

/**
 * A file that was asked for is written, or it is said why not. cosign 2 goes on without it, and so do its scripts.
 * @param outputs the names of the files, empty for those that were not asked for
 */
export function warnOfMissing(
  context: CommandContext,
  { services }: SigningMaterial,
  own: OwnCertificate | undefined,
  { certificate, timestamp }: { readonly certificate: string; readonly timestamp: string },
): void {
  if (certificate !== '' && services.certificateAuthority === undefined && own === undefined)
    warn(context, `${certificate} is not written: a signature with a key has no certificate`)
  if (timestamp !== '' && services.timestampAuthorities.length === 0)
    warn(
      context,
      `${timestamp} is not written: there is no timestamp authority, name one in the signing config (tsaUrls), or with --timestamp-server-url`,
    )
}

/** Whoever verifies has to know the services that this program does not know. */
export function warnOfStrangers(context: CommandContext, strangers: Strangers, { evidence: { notes } }: SignedResult): void {
  if (strangers === 'refused') return
  for (const note of notes)
    warn(context, `${note}; whoever verifies has to trust its key (to have what is signed verified here, too, give it with --trusted-root)`)
}

/** cosign's words: the verifiers of that time knew SHA-256 only. */
export function warnOldFormat(
  { stderr }: CommandContext,
  { signer }: SigningIdentity,
  { isOldFormat }: RecordNeeds,
  isLogged: boolean,
): void {
  const algorithm = digestOf(signer.algorithm)
  if (!isOldFormat || !isLogged || algorithm === 'sha256') return
  stderr.write(
    'Non SHA256 hash function is not supported for old bundle format. Use --bundle to use the new bundle format or use different signing key/algorithm.\n',
  )
}

/** Codes of answers that the trust material does not account for. */
const distrust: ReadonlySet<string> = new Set(['CERTIFICATE_UNTRUSTED', 'SCT_UNVERIFIED', 'LOG_ENTRY_UNVERIFIED', 'TIME_UNVERIFIED'])

/** Advice behind an error with such a code: whoever signs with an instance of their own and trusts another one has forgotten a flag. */
export function adviceFor(flags: SigningFlags, { services }: SigningMaterial): string {
  if (flags['trusted-root'] !== '' || services === noServices) return ''
  return ' (the trusted root is the one that TUF distributes: for services of another instance run initialize, or give --trusted-root)'
}

/** Says what was being done in front of what went wrong, and advice behind it where there is any. */
export async function explained<T>(doing: string, advice: string, sign: () => Promise<T>): Promise<T> {
  try {
    return await sign()
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'ABORTED') throw cause
    throw new CountersignError(cause.code, `${doing}: ${cause.message}${distrust.has(cause.code) ? advice : ''}`, { cause })
  }
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
