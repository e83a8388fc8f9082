/** Which requests a timestamp authority grants, and in which words of Sigstore's own authority it refuses the others. */
import type { TimestampRequest } from '../../api/timestamp.ts'
import { digestLength } from '../../crypto/digest.ts'
import { CountersignError } from '../../error.ts'
import type { ImprintAlgorithm, TimestampTokenWriter } from '../../x509/timestamp-token-writer.ts'

/** The messages of answers that are not timestamps: clients show them, and some look for them. */
export const refusal = {
  failed: 'Error generating timestamp response',
  tooLarge: 'timestamp request is too large',
  weakDigest: 'Weak hash algorithm in timestamp request',
  digestLength: 'Message digest has incorrect length for specified algorithm',
  policy: 'unaccepted policy: requested TSA policy is not supported by the TSA',
  extension: 'unaccepted extension: requested extensions are not supported by the TSA',
} as const

/** What is to be granted. */
export interface AcceptedRequest {
  readonly imprint: { readonly algorithm: ImprintAlgorithm; readonly digest: Uint8Array }
  readonly write: TimestampTokenWriter
}

/**
 * Decides about a well-formed request.
 * @param writers by the object identifiers of the policies that a request may name
 * @throws CountersignError REQUEST_REFUSED with the message for the client
 */
export function acceptRequest(
  { imprint, policy, extensions }: TimestampRequest,
  writers: ReadonlyMap<string, TimestampTokenWriter>,
  defaultPolicy: string,
): AcceptedRequest {
  const { algorithm, digest } = imprint
  if (algorithm === 'sha1') throw refused(refusal.weakDigest)
  if (digest.length !== digestLength(algorithm)) throw refused(refusal.digestLength)
  const write = writers.get(policy ?? defaultPolicy)
  if (write === undefined) throw refused(refusal.policy)
  // RFC 3161 section 2.4.1: an extension that is not recognised, critical or not, is a reason to refuse.
  if (extensions !== undefined && extensions.length > 0) throw refused(refusal.extension)
  return { imprint: { algorithm, digest }, write }
}

function refused(message: string): CountersignError {
  return new CountersignError('REQUEST_REFUSED', message)
}
