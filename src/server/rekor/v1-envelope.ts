/** DSSE envelopes with one or more signatures, as Rekor v1 takes them: every signature must be verified by one of the keys. */
import { preAuthenticationEncoding } from '../../bundle/dsse.ts'
import { maxEntrySignatures } from '../../bundle/log-entry-body.ts'
import type { EntrySignatureV1 } from '../../bundle/encode-log-entry-body.ts'
import { defaultSignatureAlgorithm } from '../../crypto/signature.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { CountersignError } from '../../error.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'
import type { VerifierV1 } from './v1-verifier.ts'

export interface EnvelopeV1 {
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly Uint8Array[]
}

/** A signature and the key that it says it is by. */
export interface SignedByV1 {
  readonly signature: Uint8Array
  readonly verifier: VerifierV1
}

/** Each signature may have to be tried with each key, so their product is what costs. */
const maxTries = 32

/**
 * Parses the JSON text of an envelope. Fields that DSSE does not have are ignored: they are in nothing that is logged.
 * @throws DecodingError JSON_INVALID, REQUEST_INVALID, TOO_LARGE
 */
export function parseEnvelopeV1(text: string, maxBytes: number): EnvelopeV1 {
  const envelope = new JsonFields(parseJson(text, 'the envelope', { maxBytes, maxValues: 2_000 }), 'envelope', 'REQUEST_INVALID')
  // What nobody can read of the log any more would be in no search either.
  const signatures = envelope.objects('signatures', maxEntrySignatures).map((signature) => signature.bytes('sig'))
  if (signatures.length === 0) throw envelope.invalid('DSSE envelope must contain 1 or more signatures')
  return { payloadType: envelope.string('payloadType'), payload: envelope.bytes('payload'), signatures }
}

/**
 * Verifies every signature of an envelope.
 * @returns each signature once, with the first of the verifiers that it is by
 * @throws CountersignError REQUEST_INVALID, SIGNATURE_INVALID
 */
export async function verifyEnvelopeV1(
  envelope: EnvelopeV1,
  verifiers: readonly VerifierV1[],
  checkSignature: SignatureChecker,
): Promise<EntrySignatureV1[]> {
  const unique = [...new Map(envelope.signatures.map((signature) => [encodeBase64(signature), signature])).values()]
  if (unique.length * verifiers.length > maxTries) {
    throw new CountersignError(
      'REQUEST_INVALID',
      `${unique.length} signatures and ${verifiers.length} verifiers are too many for one entry (at most ${maxTries} pairs)`,
    )
  }
  const bytes = preAuthenticationEncoding(envelope.payloadType, envelope.payload)
  const verified: EntrySignatureV1[] = []
  for (const signature of unique) {
    const verifier = await verifierOf(signature, bytes, verifiers, checkSignature)
    if (verifier === undefined) throw unverified()
    verified.push({ signature, verifierPem: verifier.pem })
  }
  return verified
}

/**
 * Verifies signatures that each name their own key: one beside another key than its own would be logged as that key's.
 * @throws CountersignError SIGNATURE_INVALID
 */
export async function verifyPairsV1(
  { payloadType, payload }: Pick<EnvelopeV1, 'payloadType' | 'payload'>,
  pairs: readonly SignedByV1[],
  checkSignature: SignatureChecker,
): Promise<void> {
  const bytes = preAuthenticationEncoding(payloadType, payload)
  for (const { signature, verifier } of pairs)
    if (!(await isSignatureOver(bytes, signature, verifier.key, checkSignature))) throw unverified()
}

/** Rekor's words. */
function unverified(): CountersignError {
  return new CountersignError('SIGNATURE_INVALID', 'could not verify envelope: all signatures must have a key that verifies it')
}

/** How the key may have signed a message: with its own digest, or with SHA-256, as cosign before 3.1 always did. */
export function messageAlgorithms(key: PublicKey): readonly SignatureAlgorithm[] {
  const usual = defaultSignatureAlgorithm(key)
  return key.kind === 'ecdsa' && usual !== 'ecdsa-sha256' ? [usual, 'ecdsa-sha256'] : [usual]
}

/** Whether the key signed the message, in one of the ways it may. */
export async function isSignatureOver(
  data: Uint8Array,
  signature: Uint8Array,
  key: PublicKey,
  checkSignature: SignatureChecker,
): Promise<boolean> {
  for (const algorithm of messageAlgorithms(key)) {
    if (await checkSignature({ key, algorithm, signature, over: { kind: 'data', bytes: data } })) return true
  }
  return false
}

async function verifierOf(
  signature: Uint8Array,
  bytes: Uint8Array,
  verifiers: readonly VerifierV1[],
  checkSignature: SignatureChecker,
): Promise<VerifierV1 | undefined> {
  for (const verifier of verifiers) if (await isSignatureOver(bytes, signature, verifier.key, checkSignature)) return verifier
  return undefined
}
