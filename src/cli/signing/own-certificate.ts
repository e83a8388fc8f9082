/** A certificate of one's own for the key of `--key`: from an authority that is no part of the signing services. */
import { parseCertificateFile } from '../../bundle/legacy-bundle.ts'
import { isSameKey } from '../../crypto/public-key.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { CountersignError, UsageError, VerificationError, messageOf } from '../../error.ts'
import { unbounded } from '../../trust/time-window.ts'
import type { TrustedCertificateAuthority, TrustMaterial } from '../../trust/trust-material.ts'
import { verifyCertificate } from '../../verify/certificate.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { isSelfIssued, parseCertificate } from '../../x509/certificate.ts'
import { certificateKey } from '../../x509/certificate-key.ts'
import * as oid from '../../x509/object-identifiers.ts'
import { createCertificateAuthority } from '../../x509/authority.ts'
import { findIssuerPaths } from '../../x509/path.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from '../verification/input-file.ts'

export interface OwnCertificateFlags {
  readonly certificate: string
  readonly 'certificate-chain': string
  readonly key: string
  readonly sk: boolean
  readonly 'issue-certificate': boolean
}

export interface OwnCertificate {
  readonly certificate: Certificate
  /** DER of the intermediates, which go into the bundle. Roots do not: whoever verifies must have them. */
  readonly chain: readonly Uint8Array[]
  /** That of the chain; undefined where none was given, and the trusted root must have it. */
  readonly authority: TrustedCertificateAuthority | undefined
}

const maxFileBytes = 1024 * 1024

/** Checks the flags alone. @throws UsageError USAGE */
export function checkCertificateFlags(flags: OwnCertificateFlags): void {
  if (flags.certificate === '') {
    if (flags['certificate-chain'] === '') return
    throw usage('getting signer: no leaf certificate found or provided while specifying chain: give it with --certificate')
  }
  if (flags.key === '' && !flags.sk)
    throw usage('--certificate is the certificate of the key that is given with --key; a signature without a key of its own gets one')
  if (flags['issue-certificate']) throw usage('--certificate and --issue-certificate exclude each other: a signature has one certificate')
}

/**
 * Reads the certificate and checks that it is the key's, and that the chain leads from it to a root.
 * @returns undefined when none was given
 * @throws UsageError USAGE, VerificationError KEY_MISMATCH, CERTIFICATE_UNTRUSTED; TransportError FILE_UNREADABLE; DecodingError
 */
export function readOwnCertificate(context: CommandContext, flags: OwnCertificateFlags, key: PublicKey): OwnCertificate | undefined {
  if (flags.certificate === '') return undefined
  const [leaf, ...others] = readCertificates(context, flags.certificate, 'the certificate')
  if (leaf === undefined || others.length > 0)
    throw usage(`the certificate ${flags.certificate} should be one certificate: give those of its authorities with --certificate-chain`)
  if (!isSameKey(certificateKey(leaf), key)) {
    throw new VerificationError('KEY_MISMATCH', 'getting signer: public key in certificate does not match the provided public key')
  }
  if (!leaf.subjectAlternativeNames.some(({ kind }) => kind !== 'other'))
    throw usage(
      `the certificate ${flags.certificate} has no name that a verifier can ask for: an e-mail address, a URI, a DNS name or an IP address as its subject alternative name`,
    )
  if (flags['certificate-chain'] === '') return { certificate: leaf, chain: [], authority: undefined }
  const chain = readCertificates(context, flags['certificate-chain'], 'the certificate chain').filter(
    ({ bytes }) => !equalBytes(bytes, leaf.bytes),
  )
  return {
    certificate: leaf,
    chain: chain.filter((certificate) => !isSelfIssued(certificate)).map(({ bytes }) => bytes),
    authority: authorityOf(leaf, chain.length === 0 ? [leaf] : chain),
  }
}

/**
 * The trust material with the authority of the chain. The certificate must be one that a verifier who has it accepts now.
 * @throws VerificationError CERTIFICATE_UNTRUSTED, CERTIFICATE_EXPIRED
 */
export function trustOwnCertificate({ certificate, authority }: OwnCertificate, trust: TrustMaterial, now: number): TrustMaterial {
  const extended = authority === undefined ? trust : { ...trust, certificateAuthorities: [authority, ...trust.certificateAuthorities] }
  try {
    verifyCertificate(certificate, extended, [now])
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    const advice = authority === undefined ? ' (--certificate-chain says who issued it)' : ''
    throw new VerificationError(cause.code, `the certificate of --certificate cannot be used: ${cause.message}${advice}`, { cause })
  }
  return extended
}

function authorityOf(leaf: Certificate, chain: readonly Certificate[]): TrustedCertificateAuthority {
  try {
    const authority = createCertificateAuthority(chain, oid.codeSigning)
    if (chain[0] !== leaf) findIssuerPaths(leaf, authority)
    return { uri: '', window: unbounded, authority, profile: 'own' }
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    const reason = `getting signer: unable to validate certificate chain: ${cause.message}`
    throw new VerificationError('CERTIFICATE_UNTRUSTED', reason, { cause })
  }
}

function readCertificates(context: CommandContext, file: string, what: string): Certificate[] {
  const contents = readInputFile(context.cwd, file, what, maxFileBytes)
  try {
    return parseCertificateFile(contents, what).map(parseCertificate)
  } catch (cause) {
    throw usage(`${what} ${file} cannot be used: ${messageOf(cause)}`, cause)
  }
}

function usage(message: string, cause?: unknown): UsageError {
  return new UsageError('USAGE', message, cause === undefined ? undefined : { cause })
}
