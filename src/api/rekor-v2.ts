/**
 * Rekor v2 (rekor-tiles), `POST /api/v2/log/entries`: the request and the answer, both ways. Protobuf JSON: an unknown member
 * is an error, 64-bit integers are strings, bytes are standard base64.
 */
import { parseEnvelopeFields } from '../bundle/dsse.ts'
import { readLogEntry } from '../bundle/log-entry.ts'
import type { DsseEnvelope, LogEntry } from '../bundle/signed-entity.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'

/** Where entries are added, below the log's base URL. */
export const rekorV2EntriesPath = '/api/v2/log/entries'
/** Where the newest checkpoint is read. */
export const rekorV2CheckpointPath = '/api/v2/checkpoint'
/** Requests are not larger: the limit of gRPC, which the log is behind elsewhere. */
export const maxRekorV2RequestBytes = 4 * 1024 * 1024

/** What a log is asked to log: a signature over a digest, or an envelope. */
export type CreateEntryRequest = HashedRekordRequest | DsseRequest

/** A signature over the digest of an artifact, or of the pre-authentication encoding of an envelope. */
export interface HashedRekordRequest {
  readonly kind: 'hashedrekord'
  /** Of the digest algorithm that the key details name. */
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  readonly verifier: EntryVerifier
}

/** An envelope, as clients sent it until 2026; a log may write a hashedrekord for it. */
export interface DsseRequest {
  readonly kind: 'dsse'
  readonly envelope: DsseEnvelope
  readonly verifiers: readonly EntryVerifier[]
}

/** What the log verifies a signature with. */
export interface EntryVerifier {
  readonly kind: 'certificate' | 'public-key'
  /** DER of the certificate, or the key's SubjectPublicKeyInfo. */
  readonly der: Uint8Array
  /** PublicKeyDetails, such as `PKIX_ECDSA_P256_SHA_256` (see `keyDetailsOf`). */
  readonly keyDetails: string
}

const maxVerifiers = 16

/**
 * Parses a request to add an entry.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, REQUEST_INVALID
 */
export function parseCreateEntryRequest(body: Uint8Array): CreateEntryRequest {
  const json = parseJson(body, 'the request', { maxBytes: maxRekorV2RequestBytes, maxValues: 256 })
  const request = new JsonFields(json, 'request', 'REQUEST_INVALID').only('hashedRekordRequestV002', 'dsseRequestV002')
  const hashedRekord = request.optionalObject('hashedRekordRequestV002')
  const dsse = request.optionalObject('dsseRequestV002')
  if (hashedRekord !== undefined && dsse !== undefined) {
    throw request.invalid('the request has both hashedRekordRequestV002 and dsseRequestV002, exactly one was expected')
  }
  if (hashedRekord !== undefined) return readHashedRekord(hashedRekord)
  if (dsse !== undefined) return readDsse(dsse)
  throw request.invalid('invalid type, must be hashedrekord')
}

/** The JSON of a request to add an entry. */
export function encodeCreateEntryRequest(request: CreateEntryRequest): string {
  if (request.kind === 'hashedrekord') {
    return JSON.stringify({
      hashedRekordRequestV002: {
        digest: encodeBase64(request.digest),
        signature: { content: encodeBase64(request.signature), verifier: encodeVerifier(request.verifier) },
      },
    })
  }
  const { payload, payloadType, signature, keyId } = request.envelope
  return JSON.stringify({
    dsseRequestV002: {
      envelope: {
        payload: encodeBase64(payload),
        payloadType,
        signatures: [{ sig: encodeBase64(signature), ...(keyId === '' ? {} : { keyid: keyId }) }],
      },
      verifiers: request.verifiers.map(encodeVerifier),
    },
  })
}

/**
 * Parses a TransparencyLogEntry, the answer with status 201. Nothing in it is verified yet.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, LOG_ENTRY_INVALID
 */
export function parseTransparencyLogEntry(body: Uint8Array): LogEntry {
  return readLogEntry(new JsonFields(parseJson(body, "the log's answer"), 'entry', 'LOG_ENTRY_INVALID'))
}

/** A TransparencyLogEntry as the log answers it: with every field, also those that are empty. */
export function encodeTransparencyLogEntry(entry: LogEntry): string {
  const proof = entry.inclusionProof
  return JSON.stringify({
    logIndex: String(entry.logIndex),
    logId: { keyId: encodeBase64(entry.logId) },
    kindVersion: { kind: entry.kind, version: entry.version },
    integratedTime: String(entry.integratedTime),
    inclusionPromise: entry.signedEntryTimestamp === undefined ? null : { signedEntryTimestamp: encodeBase64(entry.signedEntryTimestamp) },
    inclusionProof:
      proof === undefined
        ? null
        : {
            logIndex: String(proof.logIndex),
            rootHash: encodeBase64(proof.rootHash),
            treeSize: String(proof.treeSize),
            hashes: proof.hashes.map(encodeBase64),
            checkpoint: proof.checkpoint === undefined ? null : { envelope: proof.checkpoint },
          },
    canonicalizedBody: encodeBase64(entry.body),
  })
}

function readHashedRekord(request: JsonFields): HashedRekordRequest {
  request.only('digest', 'signature')
  const signature = request.object('signature').only('content', 'verifier')
  return {
    kind: 'hashedrekord',
    digest: request.bytes('digest'),
    signature: signature.bytes('content'),
    verifier: readVerifier(signature.object('verifier')),
  }
}

function readDsse(request: JsonFields): DsseRequest {
  request.only('envelope', 'verifiers')
  const envelope = parseEnvelopeFields(request.object('envelope'))
  const verifiers = request.objects('verifiers', maxVerifiers).map(readVerifier)
  if (verifiers.length === 0) throw request.invalid(`${request.pathOf('verifiers')} is missing`)
  return { kind: 'dsse', envelope, verifiers }
}

function readVerifier(verifier: JsonFields): EntryVerifier {
  verifier.only('keyDetails', 'x509Certificate', 'publicKey')
  const certificate = verifier.optionalObject('x509Certificate')?.only('rawBytes')
  const publicKey = verifier.optionalObject('publicKey')?.only('rawBytes')
  const keyDetails = verifier.string('keyDetails')
  if (certificate !== undefined && publicKey === undefined) return { kind: 'certificate', der: certificate.bytes('rawBytes'), keyDetails }
  if (publicKey !== undefined && certificate === undefined) return { kind: 'public-key', der: publicKey.bytes('rawBytes'), keyDetails }
  throw verifier.invalid(`${verifier.path} should have exactly one of x509Certificate and publicKey`)
}

function encodeVerifier({ kind, der, keyDetails }: EntryVerifier): object {
  return { [kind === 'certificate' ? 'x509Certificate' : 'publicKey']: { rawBytes: encodeBase64(der) }, keyDetails }
}
