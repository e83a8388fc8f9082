/** Which flags of the verify verbs go together, with cosign's messages. */
import { UsageError } from '../../error.ts'
import { securityKeyRefusal } from '../flag-groups.ts'
import type { IdentityFlags } from './identity-input.ts'
import { asksForIdentity } from './identity-input.ts'

export interface CheckedFlags extends IdentityFlags {
  readonly key: string
  readonly sk: boolean
  readonly certificate: string
  readonly 'certificate-chain': string
  readonly 'ca-roots': string
  readonly 'ca-intermediates': string
  readonly signature: string
  readonly sct: string
  readonly bundle: string
  readonly 'rfc3161-timestamp': string
  readonly 'timestamp-certificate-chain': string
  readonly 'use-signed-timestamps': boolean
  readonly 'max-workers': number
}

/** The rules that hold for every format. */
export function checkFlags(flags: CheckedFlags): void {
  if (flags['max-workers'] < 1) throw usage('please set the --max-worker flag to a value that is greater than 0')
  const keys = [flags.key !== '', flags.certificate !== '', flags.sk].filter(Boolean).length
  if (keys > 1) {
    throw usage('exactly one of: key reference (--key), certificate (--cert) or hardware token (--sk) must be provided')
  }
  if (flags.sk) throw usage(securityKeyRefusal)
  if (flags.key !== '' && asksForIdentity(flags)) {
    throw usage(
      "exactly one of: key reference (--key) or certificate identity (--certificate-identity or --certificate-identity-regexp), must be provided. To determine which to use, inspect the bundle's 'verificationMaterial' field: if 'publicKey' is present, use key reference; if 'certificate' or 'x509CertificateChain' is present, use certificate identity",
    )
  }
}

/**
 * A bundle holds everything that this flag used to give. cosign 3 refuses more: what else scripts of cosign 1 and 2 give with a bundle either
 * says whom to trust, or must be what the bundle holds.
 */
export function checkBundleFlags(flags: CheckedFlags): void {
  if (flags.sct !== '') throw usage('unsupported: SCT may not be provided using --sct when using --new-bundle-format')
  checkTimestampWanted(flags)
}

/** Whether anything is given that a bundle holds. */
export function givesParts(flags: CheckedFlags): boolean {
  return flags.signature !== '' || flags.certificate !== '' || flags['rfc3161-timestamp'] !== ''
}

/** A timestamp and the wish to check one come together. */
export function checkLegacyFlags(flags: CheckedFlags): void {
  checkTimestampWanted(flags)
  if (wantsTimestamps(flags) && flags['rfc3161-timestamp'] === '') {
    throw usage('when specifying --use-signed-timestamps or --timestamp-certificate-chain, you must also specify --rfc3161-timestamp-path')
  }
}

/** Who gives a timestamp means it to be checked: one of an authority that nobody knows would be passed over. */
function checkTimestampWanted(flags: CheckedFlags): void {
  if (flags['rfc3161-timestamp'] === '' || wantsTimestamps(flags)) return
  throw usage('when specifying --rfc3161-timestamp-path, you must also specify --use-signed-timestamps or --timestamp-certificate-chain')
}

function wantsTimestamps(flags: CheckedFlags): boolean {
  return flags['use-signed-timestamps'] || flags['timestamp-certificate-chain'] !== ''
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
