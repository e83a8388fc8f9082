/** Signed timestamps over the signature (client specification 4.2.1). */
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { digest } from '../crypto/digest.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { VerificationError } from '../error.ts'
import { formatWindow, isWithin } from '../trust/time-window.ts'
import type { TrustedTimestampAuthority, TrustMaterial } from '../trust/trust-material.ts'
import type { Certificate } from '../x509/certificate.ts'
import { parseCertificate } from '../x509/certificate.ts'
import * as oid from '../x509/object-identifiers.ts'
import { checkValidAt, findIssuerPaths, verifyKnownLeafPath, verifyPath } from '../x509/path.ts'
import type { TimestampToken } from '../x509/timestamp-token.ts'
import { instantsOf, namesSigner, parseTimestampResponse, verifyTimestampSignature } from '../x509/timestamp-token.ts'
import type { VerifiedTime } from './evidence.ts'

/** Times that timestamp authorities vouch for, and the operators that they are of. */
export interface VerifiedTimestamps {
  readonly times: readonly VerifiedTime[]
  /** Epoch milliseconds that must lie in a window for these times to lie in it. */
  readonly instants: readonly number[]
  readonly operators: ReadonlySet<string>
}

/**
 * Verifies the timestamps of a signature. A token of an authority that the trusted root does not have does not count;
 * a token of one that it has must verify, or the bundle is refused.
 * @throws VerificationError TIMESTAMP_UNVERIFIED, CERTIFICATE_EXPIRED; DecodingError for a malformed token
 */
export function verifyTimestamps(
  tokens: readonly Uint8Array[],
  content: SignedEntity['content'],
  trust: TrustMaterial,
  notes: string[],
): VerifiedTimestamps {
  const times: VerifiedTime[] = []
  const instants: number[] = []
  const operators = new Set<string>()
  for (const [index, bytes] of tokens.entries()) {
    if (tokens.slice(0, index).some((earlier) => equalBytes(earlier, bytes))) {
      throw new VerificationError('TIMESTAMP_UNVERIFIED', 'the bundle has the same timestamp twice')
    }
    const token = parseTimestampResponse(bytes)
    const authority = findAuthority(token, stampedBytes(token, content), trust.timestampAuthorities, notes)
    if (authority === undefined) continue
    operators.add(authority.operator)
    instants.push(...instantsOf(token))
    times.push({ time: new Date(token.genTime), source: 'timestamp-authority', authority: authority.uri })
  }
  return { times, instants, operators }
}

/** The raw bytes of the signature; of an envelope that was a file of its own, the file, where the token is of that. */
function stampedBytes({ imprint }: TimestampToken, content: SignedEntity['content']): Uint8Array {
  const file = content.kind === 'dsse-envelope' ? content.encoded : undefined
  return file !== undefined && equalBytes(digest(imprint.algorithm, file), imprint.digest) ? file : content.signature
}

/**
 * The authority that signed the token, valid at the time that the token states (hybrid model). Several may have a signer that the token
 * could mean: certificates that are renewed keep their key, and its identifier.
 */
function findAuthority(
  token: TimestampToken,
  stamped: Uint8Array,
  authorities: readonly TrustedTimestampAuthority[],
  notes: string[],
): TrustedTimestampAuthority | undefined {
  let failure: VerificationError | undefined
  for (const authority of authorities) {
    const signer = signerOf(token, authority)
    if (signer === undefined) continue
    try {
      checkSigner(signer, authority, instantsOf(token))
      verifyTimestampSignature(token, signer, stamped)
      return authority
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      failure = error
    }
  }
  if (failure !== undefined) throw failure
  notes.push('a timestamp of an authority that the trusted root does not have was not counted')
  return undefined
}

/** The certificate from the trusted root, or one that came with the token and that this authority issued. */
function signerOf(token: TimestampToken, authority: TrustedTimestampAuthority): Certificate | undefined {
  if (authority.leaf !== undefined) return namesSigner(token, authority.leaf) ? authority.leaf : undefined
  for (const der of token.certificates) {
    const certificate = parseCertificate(der)
    if (!namesSigner(token, certificate)) continue
    try {
      findIssuerPaths(certificate, authority.authority)
      return certificate
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
    }
  }
  return undefined
}

function checkSigner(signer: Certificate, authority: TrustedTimestampAuthority, instants: readonly number[]): void {
  const outside = instants.find((instant) => !isWithin(authority.window, instant))
  if (outside !== undefined) {
    throw unverified(
      `the timestamp is of ${new Date(outside).toISOString()}, its authority is trusted from ${formatWindow(authority.window)}`,
    )
  }
  const purposes = signer.extendedKeyUsage ?? []
  // RFC 3161 2.3: critical, and for no other purpose.
  if (purposes.length !== 1 || purposes[0] !== oid.timeStamping || !isCritical(signer, oid.extendedKeyUsage)) {
    throw unverified('the certificate of the timestamp authority is not for time stamping alone (critical extended key usage)')
  }
  if (signer.basicConstraints?.ca === true) throw unverified('the certificate that signed the timestamp is that of a certificate authority')
  // RFC 5280 4.2.1.12: digital signature, content commitment or both; qualified authorities have the second alone.
  if (signer.keyUsage !== undefined && !signer.keyUsage.digitalSignature && !signer.keyUsage.contentCommitment)
    throw unverified('the certificate of the timestamp authority is not for signatures (key usage)')
  if (signer === authority.authority.anchor) for (const instant of instants) checkValidAt(signer, instant)
  else if (signer === authority.leaf) verifyKnownLeafPath(signer, authority.authority, instants)
  else verifyPath(signer, authority.authority, instants)
}

function isCritical(certificate: Certificate, extensionOid: string): boolean {
  return certificate.extensions.some((extension) => extension.oid === extensionOid && extension.critical)
}

function unverified(message: string): VerificationError {
  return new VerificationError('TIMESTAMP_UNVERIFIED', message)
}
