/** The terms that entries of transparency logs are found by: who signed, with which key, what. */
import { digest } from '../crypto/digest.ts'
import { parsePkcs1PublicKey } from '../crypto/public-key.ts'
import { asBuffer, encodeUtf8 } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { parseCertificate } from '../x509/certificate.ts'
import type { LogEntryVerifier } from './log-entry-body.ts'
import { parseLogEntryBody } from './log-entry-body.ts'
import { parseSupplement } from './log-entry-supplement.ts'

const maxTermBytes = 512
const timestampStart = '{"apiVersion":"0.0.1","kind":"rfc3161"'

/** The term of a digest; the digits count without case. */
export function digestTerm(algorithm: string, hexadecimal: string): string {
  return `${algorithm}:${hexadecimal.toLowerCase()}`
}

/** The term of a subject alternative name, of whatever kind: e-mail addresses and URIs compare without case. */
export function subjectTerm(name: string): string {
  const term = `subject:${name.toLowerCase()}`
  // A name that is too long for a term, or that PostgreSQL takes for no text, is found by its digest.
  const isTerm = encodeUtf8(term).length <= maxTermBytes && !term.includes('\0')
  return isTerm ? term : `subject-sha256:${encodeHex(digest('sha256', encodeUtf8(term)))}`
}

/** The term of a key, bare or in a certificate. @param spkiSha256 SHA-256 of its SubjectPublicKeyInfo */
export function keyTerm(spkiSha256: Uint8Array): string {
  return `key:${encodeHex(spkiSha256)}`
}

/** The term of one certificate. @param derSha256 SHA-256 of its DER */
export function certificateTerm(derSha256: Uint8Array): string {
  return `certificate:${encodeHex(derSha256)}`
}

/**
 * The terms of an entry, each once.
 * @param body the leaf of the log
 * @param supplement what the log keeps beside it, `LogEntrySupplement`
 * @throws DecodingError when either is malformed: then the entry has no terms
 */
export function termsOfEntry(body: Uint8Array, supplement: Uint8Array): string[] {
  const terms = new Set<string>()
  // What a log holds is canonical: the kind stands here and nowhere else.
  if (asBuffer(body.subarray(0, timestampStart.length)).toString('latin1') === timestampStart) {
    return [digestTerm('sha256', encodeHex(digest('sha256', timestampOf(body))))]
  }
  const entry = parseLogEntryBody(body)
  terms.add(digestTerm(entry.digest.algorithm, encodeHex(entry.digest.value)))
  for (const { verifier } of entry.signatures) addVerifier(terms, verifier)
  for (const text of parseSupplement(supplement).digests) if (encodeUtf8(text).length <= maxTermBytes) terms.add(text)
  return [...terms]
}

function addVerifier(terms: Set<string>, verifier: LogEntryVerifier): void {
  if (verifier.kind === 'public-key') {
    const spki = verifier.isPkcs1 === true ? parsePkcs1PublicKey(verifier.der).spki : verifier.der
    terms.add(keyTerm(digest('sha256', spki)))
    return
  }
  const certificate = parseCertificate(verifier.der)
  terms.add(certificateTerm(digest('sha256', certificate.bytes)))
  terms.add(keyTerm(digest('sha256', certificate.spki)))
  for (const name of certificate.subjectAlternativeNames) if (name.kind !== 'other') terms.add(subjectTerm(name.value))
}

function timestampOf(body: Uint8Array): Uint8Array {
  const entry = new JsonFields(parseJson(body, 'the log entry'), 'entry', 'LOG_ENTRY_INVALID')
  return entry.object('spec').object('tsr').bytes('content')
}
