/** From a request to a Rekor v2 log to the entry that it logs: everything is checked here, and the body written. */
import type { CreateEntryRequest, DsseRequest, EntryVerifier, HashedRekordRequest } from '../../api/rekor-v2.ts'
import { preAuthenticationEncoding } from '../../bundle/dsse.ts'
import { encodeDsseV002, encodeHashedRekordV002 } from '../../bundle/encode-log-entry-body.ts'
import { encodeSupplement, statementDigests } from '../../bundle/log-entry-supplement.ts'
import { digest, digestLength } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { digestOf } from '../../crypto/signature.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError } from '../../error.ts'
import { certificateKey } from '../../x509/certificate-key.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { allowedKeyDetails, digestSigningAlgorithm } from './algorithm-policy.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'

/** What decides about entries. */
export interface EntryRulesV2 {
  /** Names of PublicKeyDetails. */
  readonly keyDetails: readonly string[]
  /** What an envelope is logged as: `dsse` is for clients of before 2026 only, newer ones refuse it. */
  readonly envelopesAs: 'hashedrekord' | 'dsse'
  readonly checkSignature: SignatureChecker
}

/** An entry that may be logged. */
export interface CheckedEntry {
  readonly kind: string
  readonly version: string
  /** The canonical body: the leaf. */
  readonly body: Uint8Array
  readonly supplement: Uint8Array
}

const noBytes = new Uint8Array(0)

/**
 * Checks a request and makes its entry.
 * @throws DecodingError, CountersignError REQUEST_INVALID, SIGNATURE_INVALID; LOG_OVERLOADED
 */
export async function checkEntryV2(request: CreateEntryRequest, rules: EntryRulesV2): Promise<CheckedEntry> {
  return request.kind === 'hashedrekord' ? checkHashedRekord(request, rules) : checkEnvelope(request, rules)
}

async function checkHashedRekord(request: HashedRekordRequest, rules: EntryRulesV2): Promise<CheckedEntry> {
  const { key, algorithm, digestAlgorithm } = checkVerifier(request.verifier, rules)
  const expected = digestLength(digestAlgorithm)
  if (request.digest.length !== expected) {
    throw invalid(`digest length (${request.digest.length}) does not match expected size (${expected}) for algorithm ${digestAlgorithm}`)
  }
  const over = { kind: 'digest', bytes: request.digest } as const
  if (!(await rules.checkSignature({ key, algorithm, signature: request.signature, over }))) throw badSignature('the digest')
  return {
    kind: 'hashedrekord',
    version: '0.0.2',
    body: encodeHashedRekordV002({ algorithm: digestAlgorithm, value: request.digest }, request),
    supplement: noBytes,
  }
}

/** An envelope is what its pre-authentication encoding is: a signature over a digest (`servers.md` D2). */
async function checkEnvelope({ envelope, verifiers }: DsseRequest, rules: EntryRulesV2): Promise<CheckedEntry> {
  const encoded = preAuthenticationEncoding(envelope.payloadType, envelope.payload)
  const { signature, payload } = envelope
  for (const verifier of verifiers) {
    const { key, algorithm, digestAlgorithm } = checkVerifier(verifier, rules)
    if (!(await rules.checkSignature({ key, algorithm, signature, over: { kind: 'data', bytes: encoded } }))) continue
    const payloadSha256 = digest('sha256', payload)
    const digests = [`sha256:${encodeHex(payloadSha256)}`, ...statementDigests(envelope.payloadType, payload)]
    const supplement = encodeSupplement({ digests, attestation: undefined })
    if (rules.envelopesAs === 'dsse') {
      const body = encodeDsseV002({ algorithm: 'sha256', value: payloadSha256 }, [{ signature, verifier }])
      return { kind: 'dsse', version: '0.0.2', body, supplement }
    }
    const value = digest(digestAlgorithm, encoded)
    const body = encodeHashedRekordV002({ algorithm: digestAlgorithm, value }, { signature, verifier })
    return { kind: 'hashedrekord', version: '0.0.2', body, supplement }
  }
  throw badSignature('the envelope by any of its verifiers')
}

interface CheckedVerifier {
  readonly key: PublicKey
  readonly algorithm: SignatureAlgorithm
  readonly digestAlgorithm: 'sha256' | 'sha384' | 'sha512'
}

function checkVerifier(verifier: EntryVerifier, rules: EntryRulesV2): CheckedVerifier {
  const key = verifier.kind === 'certificate' ? certificateKey(parseCertificate(verifier.der)) : parsePublicKey(verifier.der)
  const algorithm = digestSigningAlgorithm(key)
  const digestAlgorithm = digestOf(algorithm)
  const name = allowedKeyDetails(key, algorithm, rules.keyDetails)
  // Verifiers recompute the body with the name that belongs to the key, so no other may stand in it.
  if (verifier.keyDetails !== name) throw invalid(`keyDetails of this key should be ${name}, found ${excerpt(verifier.keyDetails)}`)
  if (digestAlgorithm === undefined || digestAlgorithm === 'sha224') throw invalid(`${algorithm} signs no digest`)
  return { key, algorithm, digestAlgorithm }
}

function badSignature(what: string): CountersignError {
  return new CountersignError('SIGNATURE_INVALID', `verifying signature: it is not a signature over ${what} with the given key`)
}

function invalid(message: string): CountersignError {
  return new CountersignError('REQUEST_INVALID', message)
}
