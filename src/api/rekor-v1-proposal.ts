/**
 * What a Rekor v1 log is asked to log: hashedrekord 0.0.1, dsse 0.0.1, intoto 0.0.1 and 0.0.2, rekord 0.0.1 with X.509 keys and
 * rfc3161 0.0.1, both ways. Keys and certificates are PEM; nothing is ever given by URL.
 */
import type { DigestAlgorithm } from '../crypto/digest.ts'
import { digestLength } from '../crypto/digest.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { asBuffer, decodeUtf8, encodeUtf8, excerpt } from '../encoding/bytes.ts'
import { decodeHex, encodeHex } from '../encoding/hex.ts'
import type { JsonValue } from '../encoding/json.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { messageOf } from '../error.ts'

export type ProposedEntry = ProposedHashedRekord | ProposedDsse | ProposedFirstIntoto | ProposedIntoto | ProposedRekord | ProposedTimestamp

/** A signature over the digest of an artifact. */
export interface ProposedHashedRekord {
  readonly kind: 'hashedrekord'
  readonly digest: { readonly algorithm: Exclude<DigestAlgorithm, 'sha224'>; readonly value: Uint8Array }
  readonly signature: Uint8Array
  /** PEM of the certificate (perhaps with its chain behind it) or public key. */
  readonly verifier: string
}

/** An envelope, as its JSON text, and a key for each of its signatures. */
export interface ProposedDsse {
  readonly kind: 'dsse'
  readonly envelope: string
  readonly verifiers: readonly string[]
}

/** An in-toto envelope, as its JSON text, and the key of all its signatures. The log keeps the key and two hashes. */
export interface ProposedFirstIntoto {
  readonly kind: 'intoto'
  readonly version: '0.0.1'
  readonly envelope: string
  readonly verifier: string
}

/** An in-toto envelope. The log keeps its signatures and the two hashes. */
export interface ProposedIntoto {
  readonly kind: 'intoto'
  readonly version: '0.0.2'
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly ProposedIntotoSignature[]
  /** SHA-256 of the envelope in a spelling that its client chose: the log takes it as it is. */
  readonly envelopeHash: Uint8Array
}

export interface ProposedIntotoSignature {
  readonly signature: Uint8Array
  readonly verifier: string
  /** Empty for none. */
  readonly keyId: string
}

/** A signature and the artifact itself. */
export interface ProposedRekord {
  readonly kind: 'rekord'
  readonly content: Uint8Array
  /** SHA-256 of the content, as the client states it. */
  readonly digest: Uint8Array | undefined
  readonly signature: Uint8Array
  readonly verifier: string
}

/** A timestamp of RFC 3161. */
export interface ProposedTimestamp {
  readonly kind: 'rfc3161'
  /** TimeStampResp, DER. */
  readonly response: Uint8Array
}

/** The versions of each kind that are supported. */
const supportedVersions: Readonly<Record<ProposedEntry['kind'], readonly string[]>> = {
  hashedrekord: ['0.0.1'],
  dsse: ['0.0.1'],
  intoto: ['0.0.1', '0.0.2'],
  rekord: ['0.0.1'],
  rfc3161: ['0.0.1'],
}

const maxSignatures = 16
const maxTimestampBytes = 10 * 1024

/**
 * Parses a proposed entry.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, REQUEST_INVALID; REQUEST_INVALID too for kinds that are not supported
 */
export function parseProposedEntry(body: Uint8Array, maxBytes: number): ProposedEntry {
  return readProposedEntry(parseJson(body, 'the proposed entry', { maxBytes, maxValues: 2_000 }), 'entry')
}

/** Whether a log can hold an entry of the kind and version that the JSON claims. */
export function isSupportedProposal(value: JsonValue): boolean {
  const entry = new JsonFields(value, 'entry', 'REQUEST_INVALID')
  const kind = entry.string('kind')
  return Object.entries(supportedVersions).some(([name, versions]) => name === kind && versions.includes(entry.string('apiVersion')))
}

/** Reads a proposed entry from JSON that is already parsed. @param path what it is called in messages */
export function readProposedEntry(value: JsonValue, path: string): ProposedEntry {
  const entry = new JsonFields(value, path, 'REQUEST_INVALID').only('apiVersion', 'kind', 'spec')
  const kind = entry.string('kind')
  const version = entry.string('apiVersion')
  const spec = entry.object('spec')
  switch (`${kind} ${version}`) {
    case 'hashedrekord 0.0.1':
      return readHashedRekord(spec)
    case 'dsse 0.0.1':
      return readDsse(spec)
    case 'intoto 0.0.1':
      return readFirstIntoto(spec)
    case 'intoto 0.0.2':
      return readIntoto(spec)
    case 'rekord 0.0.1':
      return readRekord(spec)
    case 'rfc3161 0.0.1':
      return readTimestamp(spec)
    default: {
      const supported = Object.entries(supportedVersions).map(([name, versions]) => `${name} ${versions.join(' and ')}`)
      throw entry.invalid(
        `entries of kind ${excerpt(kind, 30)} version ${excerpt(version, 30)} are not supported by this log, only ${supported.join(', ')}`,
      )
    }
  }
}

/** The JSON of a proposed entry. */
export function encodeProposedEntry(entry: ProposedEntry): string {
  return JSON.stringify(proposedEntryJson(entry))
}

/** The JSON value of a proposed entry, to stand in a larger request. */
export function proposedEntryJson(entry: ProposedEntry): object {
  return { apiVersion: entry.kind === 'intoto' ? entry.version : '0.0.1', kind: entry.kind, spec: encodeSpec(entry) }
}

function encodeSpec(entry: ProposedEntry): object {
  switch (entry.kind) {
    case 'hashedrekord':
      return {
        data: { hash: { algorithm: entry.digest.algorithm, value: encodeHex(entry.digest.value) } },
        signature: { content: encodeBase64(entry.signature), publicKey: { content: encodeText(entry.verifier) } },
      }
    case 'dsse':
      return { proposedContent: { envelope: entry.envelope, verifiers: entry.verifiers.map(encodeText) } }
    case 'intoto':
      if (entry.version === '0.0.1') return { content: { envelope: entry.envelope }, publicKey: encodeText(entry.verifier) }
      return {
        content: {
          envelope: {
            payload: encodeText(encodeBase64(entry.payload)),
            payloadType: entry.payloadType,
            signatures: entry.signatures.map(({ signature, verifier, keyId }) => ({
              ...(keyId === '' ? {} : { keyid: keyId }),
              publicKey: encodeText(verifier),
              sig: encodeText(encodeBase64(signature)),
            })),
          },
          hash: { algorithm: 'sha256', value: encodeHex(entry.envelopeHash) },
        },
      }
    case 'rekord':
      return {
        data: {
          content: encodeBase64(entry.content),
          ...(entry.digest === undefined ? {} : { hash: { algorithm: 'sha256', value: encodeHex(entry.digest) } }),
        },
        signature: { format: 'x509', content: encodeBase64(entry.signature), publicKey: { content: encodeText(entry.verifier) } },
      }
    case 'rfc3161':
      return { tsr: { content: encodeBase64(entry.response) } }
  }
}

function readHashedRekord(spec: JsonFields): ProposedHashedRekord {
  spec.only('data', 'signature')
  const signature = spec.object('signature').only('content', 'publicKey')
  return {
    kind: 'hashedrekord',
    digest: readDigest(spec.object('data').only('hash').object('hash'), ['sha256', 'sha384', 'sha512']),
    signature: signature.bytes('content'),
    verifier: text(signature.object('publicKey').only('content'), 'content'),
  }
}

function readDsse(spec: JsonFields): ProposedDsse {
  // What the log computes. Clients in Go send them as null.
  for (const name of ['envelopeHash', 'payloadHash', 'signatures']) {
    if (spec.has(name)) throw spec.invalid(`${spec.pathOf(name)} is the log's to compute, only proposedContent is taken`)
  }
  spec.only('proposedContent', 'envelopeHash', 'payloadHash', 'signatures')
  const content = spec.object('proposedContent').only('envelope', 'verifiers')
  const verifiers = content.array('verifiers', maxSignatures).map((value, index) => {
    if (typeof value !== 'string') throw content.invalid(`${content.pathOf('verifiers')}[${index}] should be a string`)
    const name = `verifiers[${index}]`
    return utf8(content, content.decodeBase64(value, name), name)
  })
  if (verifiers.length === 0) throw content.invalid(`${content.pathOf('verifiers')} is missing`)
  return { kind: 'dsse', envelope: content.string('envelope'), verifiers }
}

function readFirstIntoto(spec: JsonFields): ProposedFirstIntoto {
  const content = spec.only('content', 'publicKey').object('content').only('envelope', 'hash', 'payloadHash')
  // Not checked against the envelope, as in Rekor: the log computes its own.
  for (const name of ['hash', 'payloadHash']) if (content.has(name)) readDigest(content.object(name), ['sha256'])
  return { kind: 'intoto', version: '0.0.1', envelope: content.string('envelope'), verifier: text(spec, 'publicKey') }
}

function readIntoto(spec: JsonFields): ProposedIntoto {
  const content = spec.only('content').object('content').only('envelope', 'hash', 'payloadHash')
  const envelope = content.object('envelope').only('payload', 'payloadType', 'signatures')
  // Not checked against the payload: the log computes its own.
  if (content.has('payloadHash')) readDigest(content.object('payloadHash'), ['sha256'])
  const signatures = envelope.objects('signatures', maxSignatures).map((signature) => ({
    signature: twiceEncoded(signature.only('keyid', 'publicKey', 'sig'), 'sig'),
    verifier: text(signature, 'publicKey'),
    keyId: signature.optionalString('keyid') ?? '',
  }))
  if (signatures.length === 0) throw envelope.invalid(`${envelope.pathOf('signatures')} is missing`)
  return {
    kind: 'intoto',
    version: '0.0.2',
    payloadType: envelope.string('payloadType'),
    payload: twiceEncoded(envelope, 'payload'),
    signatures,
    envelopeHash: readDigest(content.object('hash'), ['sha256']).value,
  }
}

function readRekord(spec: JsonFields): ProposedRekord {
  spec.only('data', 'signature')
  const signature = spec.object('signature').only('format', 'content', 'publicKey')
  const format = signature.string('format')
  if (format !== 'x509') {
    throw signature.invalid(
      `rekord entries with signatures of format ${excerpt(format, 30)} are not supported by this log, only x509 (pgp, minisign and ssh are not)`,
    )
  }
  const data = spec.object('data').only('hash', 'content')
  const hash = data.optionalObject('hash')
  return {
    kind: 'rekord',
    content: data.bytes('content'),
    digest: hash === undefined ? undefined : readDigest(hash, ['sha256']).value,
    signature: signature.bytes('content'),
    verifier: text(signature.object('publicKey').only('content'), 'content'),
  }
}

function readTimestamp(spec: JsonFields): ProposedTimestamp {
  const tsr = spec.only('tsr').object('tsr').only('content')
  const response = tsr.bytes('content')
  if (response.length > maxTimestampBytes)
    throw tsr.invalid(`the timestamp is ${response.length} bytes long, more than the limit of ${maxTimestampBytes}`)
  return { kind: 'rfc3161', response }
}

function readDigest<Name extends 'sha256' | 'sha384' | 'sha512'>(
  hash: JsonFields,
  allowed: readonly Name[],
): { readonly algorithm: Name; readonly value: Uint8Array } {
  hash.only('algorithm', 'value')
  const name = hash.string('algorithm')
  const algorithm = allowed.find((candidate) => candidate === name)
  if (algorithm === undefined) throw hash.invalid(`${hash.pathOf('algorithm')} should be ${allowed.join(', ')}, found ${excerpt(name, 30)}`)
  let value: Uint8Array
  try {
    value = decodeHex(hash.string('value'), hash.pathOf('value'))
  } catch (cause) {
    throw hash.invalid(messageOf(cause), cause)
  }
  if (value.length !== digestLength(algorithm)) throw hash.invalid(`${hash.path} is a ${algorithm} digest of ${value.length} bytes`)
  return { algorithm, value }
}

/** What clients of in-toto entries encode as base64 once more, though it is base64 already. */
function twiceEncoded(fields: JsonFields, name: string): Uint8Array {
  return fields.decodeBase64(asBuffer(fields.bytes(name)).toString('latin1'), name)
}

function text(fields: JsonFields, name: string): string {
  return utf8(fields, fields.bytes(name), name)
}

function utf8(fields: JsonFields, bytes: Uint8Array, name: string): string {
  try {
    return decodeUtf8(bytes, fields.pathOf(name))
  } catch (cause) {
    throw fields.invalid(messageOf(cause), cause)
  }
}

function encodeText(value: string): string {
  return encodeBase64(encodeUtf8(value))
}
