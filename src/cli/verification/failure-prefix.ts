/** cosign's words for the step of a bundle's verification that failed, which scripts and people look for. */
import type { ErrorCode } from '../../error.ts'
import { CountersignError } from '../../error.ts'

/** The error with the step in front of its message; errors that are not about a step stay as they are. */
export function withStep(error: unknown): unknown {
  if (!(error instanceof CountersignError)) return error
  const steps: Readonly<Partial<Record<ErrorCode, string>>> = {
    LOG_ENTRY_INVALID: 'failed to verify log inclusion',
    LOG_ENTRY_MISMATCH: 'failed to verify log inclusion',
    LOG_ENTRY_UNVERIFIED: 'failed to verify log inclusion',
    INCLUSION_PROOF_INVALID: 'failed to verify log inclusion',
    NOTE_INVALID: 'failed to verify log inclusion',
    CHECKPOINT_INVALID: 'failed to verify log inclusion',
    TIMESTAMP_INVALID: 'failed to verify timestamps',
    TIMESTAMP_UNVERIFIED: 'failed to verify timestamps',
    TIME_UNVERIFIED: 'failed to verify timestamps',
    CERTIFICATE_UNTRUSTED: 'failed to verify leaf certificate',
    CERTIFICATE_EXPIRED: 'failed to verify leaf certificate',
    SCT_INVALID: 'failed to verify signed certificate timestamp',
    SCT_UNVERIFIED: 'failed to verify signed certificate timestamp',
    SIGNATURE_INVALID: 'failed to verify signature: could not verify message',
    ARTIFACT_MISMATCH: 'failed to verify signature',
    IDENTITY_MISMATCH: 'failed to verify certificate identity',
  }
  const step = steps[error.code]
  return step === undefined ? error : new CountersignError(error.code, `${step}: ${error.message}`, { cause: error })
}
