/** From a proposed entry to what a Rekor v1 log logs: everything is checked here, and the canonical body written. */
import type {
  ProposedDsse,
  ProposedEntry,
  ProposedFirstIntoto,
  ProposedHashedRekord,
  ProposedIntoto,
  ProposedRekord,
  ProposedTimestamp,
} from '../../api/rekor-v1-proposal.ts'
import {
  encodeDsseV001,
  encodeHashedRekordV001,
  encodeIntotoV001,
  encodeIntotoV002,
  encodeRekordV001,
  encodeTimestampV001,
} from '../../bundle/encode-log-entry-body.ts'
import { encodeSupplement, statementDigests } from '../../bundle/log-entry-supplement.ts'
import { digest } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError } from '../../error.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { namesSigner, parseTimestampResponse, verifyTokenSignature } from '../../x509/timestamp-token.ts'
import { allowedKeyDetails } from './algorithm-policy.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'
import type { SignedByV1 } from './v1-envelope.ts'
import { isSignatureOver, parseEnvelopeV1, verifyEnvelopeV1, verifyPairsV1 } from './v1-envelope.ts'
import type { VerifierV1 } from './v1-verifier.ts'
import { parseVerifierV1 } from './v1-verifier.ts'

/** What decides about entries. */
export interface EntryRulesV1 {
  /** Names of PublicKeyDetails that hashedrekords may be signed with, the only kind that Rekor v1 has such a rule for. */
  readonly keyDetails: readonly string[]
  /** Payloads of in-toto entries up to this size are kept beside the entry; 0 for none. */
  readonly maxAttestationBytes: number
  readonly maxRequestBytes: number
  readonly checkSignature: SignatureChecker
}

/** An entry that may be logged. */
export interface CheckedEntryV1 {
  /** The canonical body: the leaf. */
  readonly body: Uint8Array
  readonly supplement: Uint8Array
}

const noBytes = new Uint8Array(0)

/**
 * Checks a proposed entry and makes what is logged of it.
 * @throws DecodingError, VerificationError, CountersignError REQUEST_INVALID, SIGNATURE_INVALID; LOG_OVERLOADED
 */
export async function checkEntryV1(entry: ProposedEntry, rules: EntryRulesV1): Promise<CheckedEntryV1> {
  switch (entry.kind) {
    case 'hashedrekord':
      return checkHashedRekord(entry, rules)
    case 'dsse':
      return checkDsse(entry, rules)
    case 'intoto':
      return entry.version === '0.0.1' ? checkFirstIntoto(entry, rules) : checkIntoto(entry, rules)
    case 'rekord':
      return checkRekord(entry, rules)
    case 'rfc3161':
      return checkTimestamp(entry)
  }
}

async function checkHashedRekord(entry: ProposedHashedRekord, rules: EntryRulesV1): Promise<CheckedEntryV1> {
  const { key, pem } = await parseVerifierV1(entry.verifier, rules.checkSignature)
  const { algorithm: digestAlgorithm, value } = entry.digest
  const algorithm: SignatureAlgorithm =
    key.kind === 'ecdsa' ? `ecdsa-${digestAlgorithm}` : key.kind === 'rsa' ? `rsa-pkcs1-${digestAlgorithm}` : 'ed25519ph'
  if (algorithm === 'ed25519ph' && digestAlgorithm !== 'sha512')
    throw invalid(`an Ed25519 key signs hashedrekords as Ed25519ph, over sha512, found ${digestAlgorithm}`)
  allowedKeyDetails(key, algorithm, rules.keyDetails)
  const { signature } = entry
  if (!(await rules.checkSignature({ key, algorithm, signature, over: { kind: 'digest', bytes: value } })))
    throw badSignature(key, 'the hash')
  return { body: encodeHashedRekordV001(entry.digest, { signature, verifierPem: pem }), supplement: noBytes }
}

async function checkDsse(entry: ProposedDsse, rules: EntryRulesV1): Promise<CheckedEntryV1> {
  const envelope = parseEnvelopeV1(entry.envelope, rules.maxRequestBytes)
  const signatures = await verifyEnvelopeV1(envelope, await verifiersOf(entry.verifiers, rules), rules.checkSignature)
  const envelopeSha256 = digest('sha256', encodeUtf8(entry.envelope))
  const digests = [`sha256:${encodeHex(envelopeSha256)}`, ...statementDigests(envelope.payloadType, envelope.payload)]
  return {
    body: encodeDsseV001(envelopeSha256, digest('sha256', envelope.payload), signatures),
    supplement: encodeSupplement({ digests, attestation: undefined }),
  }
}

/** As cosign 1 logs attestations: the entry has no signature, only the hash of the text that has it. */
async function checkFirstIntoto(entry: ProposedFirstIntoto, rules: EntryRulesV1): Promise<CheckedEntryV1> {
  const envelope = parseEnvelopeV1(entry.envelope, rules.maxRequestBytes)
  const verifier = await parseVerifierV1(entry.verifier, rules.checkSignature)
  await verifyEnvelopeV1(envelope, [verifier], rules.checkSignature)
  const payloadSha256 = digest('sha256', envelope.payload)
  const digests = [`sha256:${encodeHex(payloadSha256)}`, ...statementDigests(envelope.payloadType, envelope.payload)]
  return {
    body: encodeIntotoV001(digest('sha256', encodeUtf8(entry.envelope)), payloadSha256, verifier.pem),
    supplement: encodeSupplement({ digests, attestation: keptAttestation(envelope.payload, rules) }),
  }
}

async function checkIntoto(entry: ProposedIntoto, rules: EntryRulesV1): Promise<CheckedEntryV1> {
  const { payloadType, payload, signatures } = entry
  const pairs: SignedByV1[] = []
  for (const { signature, verifier } of signatures)
    pairs.push({ signature, verifier: await parseVerifierV1(verifier, rules.checkSignature) })
  await verifyPairsV1(entry, pairs, rules.checkSignature)
  const body = encodeIntotoV002({
    payloadType,
    // Of this kind alone the log keeps keys and order as they came.
    signatures: signatures.map(({ signature, verifier, keyId }) => ({ signature, verifierPem: verifier, keyId })),
    envelopeSha256: entry.envelopeHash,
    payloadSha256: digest('sha256', payload),
  })
  return {
    body,
    supplement: encodeSupplement({ digests: statementDigests(payloadType, payload), attestation: keptAttestation(payload, rules) }),
  }
}

function keptAttestation(payload: Uint8Array, { maxAttestationBytes }: EntryRulesV1): Uint8Array | undefined {
  return payload.length <= maxAttestationBytes ? payload : undefined
}

/** One after another: what is wrong with one ends the work on all. */
async function verifiersOf(texts: readonly string[], { checkSignature }: EntryRulesV1): Promise<VerifierV1[]> {
  const verifiers: VerifierV1[] = []
  for (const text of texts) verifiers.push(await parseVerifierV1(text, checkSignature))
  return verifiers
}

async function checkRekord(entry: ProposedRekord, rules: EntryRulesV1): Promise<CheckedEntryV1> {
  const { key, pem } = await parseVerifierV1(entry.verifier, rules.checkSignature)
  const { content, signature } = entry
  const contentSha256 = digest('sha256', content)
  if (entry.digest !== undefined && !equalBytes(entry.digest, contentSha256))
    throw invalid(`SHA mismatch: ${encodeHex(contentSha256)} != ${encodeHex(entry.digest)}`)
  if (!(await isSignatureOver(content, signature, key, rules.checkSignature))) throw badSignature(key, 'the content')
  return { body: encodeRekordV001(contentSha256, { signature, verifierPem: pem }), supplement: noBytes }
}

/** A token must bring the certificate that signed it: the log knows no authority, only whether the token is whole. */
function checkTimestamp({ response }: ProposedTimestamp): CheckedEntryV1 {
  const token = parseTimestampResponse(response)
  const signer = token.certificates.map((der) => parseCertificate(der)).find((certificate) => namesSigner(token, certificate))
  if (signer === undefined) throw invalid('the timestamp has no certificate of its signer (ask the authority for it with certReq)')
  verifyTokenSignature(token, signer)
  return { body: encodeTimestampV001(response), supplement: noBytes }
}

/** Rekor's words, which scripts of cosign's users look for in what it repeats of them. */
function badSignature({ kind }: PublicKey, what: string): CountersignError {
  const said = kind === 'ecdsa' ? 'invalid signature when validating ASN.1 encoded signature' : 'invalid signature'
  return new CountersignError('SIGNATURE_INVALID', `verifying signature: ${said}: it is not over ${what} with the given key`)
}

function invalid(message: string): CountersignError {
  return new CountersignError('REQUEST_INVALID', message)
}
