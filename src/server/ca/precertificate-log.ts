/** The certificate transparency log that an authority enters its precertificates in. */
import type { SignedCertificateTimestamp } from '../../x509/sct.ts'
import { logFailure } from './refusal.ts'

/** A certificate transparency log that takes precertificates: somebody else's, or that of this process. */
export type PrecertificateLog = ForeignLog | OwnLog

/** @param chain DER: the precertificate, its issuers, the root. Resolves when the entry is durable. */
type AddPreChain<Answer> = (chain: readonly Uint8Array[]) => Promise<Answer>

/** A log of somebody else's, whose SCTs are verified. */
export interface ForeignLog {
  readonly addPreChain: AddPreChain<SignedCertificateTimestamp>
}

/** A log that signs in this process, with `logKey`. */
export interface OwnLog {
  /** Answers with what the SCT signs too: comparing it takes the place of verifying, once an SCT has verified. */
  readonly addOwnPreChain: AddPreChain<SignedEntry>
}

/** An SCT of our own log, and what it signs. */
export interface SignedEntry {
  readonly sct: SignedCertificateTimestamp
  /** The bytes that were given to the log's signer. */
  readonly signedBytes: Uint8Array
}

/** What a log answered. */
export interface LogAnswer {
  readonly sct: SignedCertificateTimestamp
  /** Of our own log only. */
  readonly signedBytes: Uint8Array | undefined
}

/** Enters a precertificate, whose issuers follow it, DER. @throws RefusalError when the log fails, whatever it throws */
export async function addToLog(log: PrecertificateLog, chain: readonly Uint8Array[]): Promise<LogAnswer> {
  try {
    if ('addOwnPreChain' in log) return await log.addOwnPreChain(chain)
    return { sct: await log.addPreChain(chain), signedBytes: undefined }
  } catch (cause) {
    throw logFailure(cause)
  }
}
