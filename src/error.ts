/**
 * The error tree. Every failure a caller may branch on has a stable `code`; the message says what was expected and what
 * was found. Messages never hold secrets and never more than a short excerpt of untrusted input.
 */

/** What failed. Codes are stable: messages may be reworded, codes may not. */
export type ErrorCode =
  // Malformed input: nothing was checked yet.
  | 'ENCODING_INVALID'
  | 'DER_INVALID'
  | 'JSON_INVALID'
  | 'PEM_INVALID'
  | 'TOO_LARGE'
  | 'KEY_INVALID'
  | 'KEY_UNSUPPORTED'
  | 'CERTIFICATE_INVALID'
  | 'SCT_INVALID'
  | 'TIMESTAMP_INVALID'
  | 'NOTE_INVALID'
  | 'CHECKPOINT_INVALID'
  | 'TILE_INVALID'
  | 'BUNDLE_INVALID'
  | 'STATEMENT_INVALID'
  | 'LOG_ENTRY_INVALID'
  | 'TRUSTED_ROOT_INVALID'
  | 'SIGNING_CONFIG_INVALID'
  | 'POLICY_INVALID'
  | 'MANIFEST_INVALID'
  // Checks that failed: well-formed input that must not be trusted.
  | 'SIGNATURE_INVALID'
  | 'ARTIFACT_MISMATCH'
  | 'ARTIFACT_REQUIRED'
  | 'CERTIFICATE_UNTRUSTED'
  | 'CERTIFICATE_EXPIRED'
  | 'SCT_UNVERIFIED'
  | 'TIMESTAMP_UNVERIFIED'
  | 'TIME_UNVERIFIED'
  | 'LOG_ENTRY_MISMATCH'
  | 'LOG_ENTRY_UNVERIFIED'
  | 'INCLUSION_PROOF_INVALID'
  | 'CONSISTENCY_PROOF_INVALID'
  | 'IDENTITY_MISMATCH'
  | 'KEY_MISMATCH'
  | 'PREDICATE_TYPE_MISMATCH'
  | 'TUF_UNVERIFIED'
  // Requests to a service, and what it answers.
  | 'REQUEST_INVALID'
  | 'REQUEST_REFUSED'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'TOKEN_INVALID'
  | 'CSR_INVALID'
  | 'CLOCK_SUSPECT'
  | 'LOG_OVERLOADED'
  | 'LOG_FROZEN'
  | 'LOG_ROLLED_BACK'
  | 'LOG_CORRUPT'
  | 'TUF_ROLLED_BACK'
  | 'STORAGE_FAILED'
  | 'CONFIGURATION_INVALID'
  | 'SERVICE_REFUSED'
  | 'SIGN_IN_FAILED'
  // Keys at rest.
  | 'KEY_DECRYPTION_FAILED'
  // The outside world.
  | 'USAGE'
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'NETWORK_FAILED'
  | 'TRUST_ROOT_UNAVAILABLE'
  | 'CONTENT_MISMATCH'
  | 'ABORTED'

/** What errors of every copy of this file carry: the command line and the server's program are built apart, each with its own. */
const mark = Symbol.for('countersign.error')

/** Base of every error that Countersign throws on purpose. `instanceof` knows those of other copies of this class too. */
export class CountersignError extends Error {
  readonly code: ErrorCode
  readonly [mark] = true

  static override [Symbol.hasInstance](value: unknown): boolean {
    // Subclasses inherit this, and are about themselves.
    if (this !== CountersignError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return value instanceof Error && mark in value
  }

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
    this.name = 'CountersignError'
  }
}

/** The input is not what its format demands: nothing in it was trusted or checked. */
export class DecodingError extends CountersignError {
  override name = 'DecodingError'
}

/** The input is well-formed, and a check that trust depends on failed. */
export class VerificationError extends CountersignError {
  override name = 'VerificationError'
}

/** A command or function was called in a way that cannot be carried out. */
export class UsageError extends CountersignError {
  override name = 'UsageError'
}

/** A file, a server or another part of the outside world could not be used. */
export class TransportError extends CountersignError {
  override name = 'TransportError'
}

/** The message of anything that was thrown, for wrapping it in a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The code of an error of the operating system, or of Node and its libraries, such as `EACCES`; empty for any other. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Whether a file or a folder on the way to it is not there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}
