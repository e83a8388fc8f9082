/**
 * The services of a universe on a port of this machine: certificate authority, both Rekors, timestamp authority, as small as
 * they can be. What each answers may be bent before it is signed, or replaced as a whole.
 */
import { createPublicKey, verify } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseTimestampRequest } from '../../src/api/timestamp.ts'
import { encodePem } from '../../src/encoding/pem.ts'
import { signingConfigMediaType } from '../../src/trust/signing-config.ts'
import type { TestCertificate } from './universe/certificates.ts'
import type { EntryParts } from './universe/entry-bodies.ts'
import { dsseBody, hashedrekordBody, hashedrekordBodyV2 } from './universe/entry-bodies.ts'
import type { TestKey } from './universe/keys.ts'
import { digestOf } from './universe/keys.ts'
import type { EntryJson, EntryOptions } from './universe/logs.ts'
import { logEntry } from './universe/logs.ts'
import type { Universe } from './universe/services.ts'
import type { SigningOptions } from './universe/sign.ts'
import { issueLeaf } from './universe/sign.ts'
import type { TimestampOptions } from './universe/timestamps.ts'
import { timestamp } from './universe/timestamps.ts'

/** An answer that is given instead of the right one. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** What a service does in a test; everything is right unless it says otherwise. */
export interface ServiceBends {
  /** By path: answers that are given, one for each request, before the service works as usual. */
  readonly answers?: Readonly<Record<string, (Answer | 'hang' | 'reset')[]>>
  /** Changes the certificate. */
  readonly certificate?: SigningOptions
  /** Issues the certificate for another key. */
  readonly certifiedKey?: TestKey
  readonly entry?: EntryOptions
  readonly bendBody?: (parts: EntryParts) => EntryParts
  readonly timestamp?: Partial<TimestampOptions & { over: Uint8Array; signer: TestCertificate; withoutNonce: boolean }>
}

export interface SigningServices {
  readonly url: string
  /** Requests so far, as `METHOD path`. */
  readonly requests: string[]
  /** Bodies of the requests so far, and their `Authorization`. */
  readonly received: { readonly path: string; readonly body: Buffer; readonly authorization: string }[]
  /** A signing config for these services. */
  signingConfig(log: 'v1' | 'v2' | 'none', bend?: (config: Record<string, unknown>) => void): string
  stop(): Promise<void>
}

export const paths = {
  certificate: '/api/v2/signingCert',
  rekorV1: '/api/v1/log/entries',
  rekorV2: '/api/v2/log/entries',
  timestamp: '/api/v1/timestamp',
} as const

/** Starts the services of a universe. */
export async function startServices(universe: Universe, bends: ServiceBends = {}): Promise<SigningServices> {
  const requests: string[] = []
  const received: { path: string; body: Buffer; authorization: string }[] = []
  const scripted = new Map(Object.entries(bends.answers ?? {}).map(([path, answers]) => [path, [...answers]]))
  const server = createServer((request, response) => {
    void serve(request, response)
  })
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await collect(request)
    const path = request.url ?? ''
    requests.push(`${request.method} ${path}`)
    received.push({ path, body, authorization: request.headers.authorization ?? '' })
    const answer = scripted.get(path)?.shift()
    if (answer === 'hang') return
    if (answer === 'reset') request.socket.destroy()
    else send(response, answer ?? answerTo(path, body, universe, bends))
  }
  const url = await listen(server)
  return {
    url,
    requests,
    received,
    signingConfig: (log, bend) => signingConfigFor(url, universe.time, log, bend),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** An identity token, unsigned: only what a client reads in it is right. */
export function identityToken(claims: Record<string, unknown>): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`
}

function answerTo(path: string, body: Buffer, universe: Universe, bends: ServiceBends): Answer {
  switch (path) {
    case paths.certificate:
      return certificate(JSON.parse(body.toString()) as CertificateRequest, universe, bends)
    case paths.rekorV1:
      return entryV1(JSON.parse(body.toString()) as ProposalV1, universe, bends)
    case paths.rekorV2:
      return entryV2(JSON.parse(body.toString()) as RequestV2, universe, bends)
    case paths.timestamp:
      return timestampFor(body, universe, bends)
    default:
      return { status: 404, body: '{"code":404,"message":"nothing is here"}' }
  }
}

interface CertificateRequest {
  readonly publicKeyRequest: { readonly publicKey: { readonly content: string }; readonly proofOfPossession: string }
}

/** Checks the proof of possession as Fulcio does: over the name that the caller of the test agreed on. */
export const principal = 'dev@universe.test'

function certificate({ publicKeyRequest }: CertificateRequest, universe: Universe, bends: ServiceBends): Answer {
  const publicKey = createPublicKey(publicKeyRequest.publicKey.content)
  const digest = publicKey.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256'
  const isProven = verify(digest, Buffer.from(principal), publicKey, Buffer.from(publicKeyRequest.proofOfPossession, 'base64'))
  if (!isProven)
    return { status: 400, body: '{"code":3,"message":"The signature supplied in the request could not be verified","details":[]}' }
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  const kind = publicKey.asymmetricKeyType === 'rsa' ? 'rsa' : digest === 'sha384' ? 'p384' : 'p256'
  const key = bends.certifiedKey ?? ({ kind, spki } as TestKey)
  const leaf = issueLeaf({ universe, key, subjects: [{ email: principal }], ...bends.certificate })
  const chain = [leaf, ...universe.chain].map(({ der }) => encodePem('CERTIFICATE', der).trimEnd())
  return { status: 200, body: JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates: chain } } }) }
}

interface ProposalV1 {
  readonly kind: string
  readonly spec: {
    readonly data?: { readonly hash: { readonly algorithm: 'sha256' | 'sha384' | 'sha512'; readonly value: string } }
    readonly signature?: { readonly content: string; readonly publicKey: { readonly content: string } }
    readonly proposedContent?: { readonly envelope: string; readonly verifiers: readonly string[] }
  }
}

function entryV1({ kind, spec }: ProposalV1, universe: Universe, bends: ServiceBends): Answer {
  const isEnvelope = kind === 'dsse'
  const envelope = isEnvelope
    ? (JSON.parse(spec.proposedContent?.envelope ?? '{}') as { payload: string; signatures: { sig: string }[] })
    : undefined
  const pem = Buffer.from(spec.signature?.publicKey.content ?? spec.proposedContent?.verifiers[0] ?? '', 'base64').toString()
  const parts: EntryParts = {
    digest:
      envelope === undefined
        ? Buffer.from(spec.data?.hash.value ?? '', 'hex')
        : digestOf('sha256', Buffer.from(envelope.payload, 'base64')),
    digestAlgorithm: spec.data?.hash.algorithm ?? 'sha256',
    signature: Buffer.from(spec.signature?.content ?? envelope?.signatures[0]?.sig ?? '', 'base64'),
    verifier: derOf(pem),
    verifierKind: pem.includes('CERTIFICATE') ? 'certificate' : 'public-key',
    keyDetails: '',
  }
  const body = (isEnvelope ? dsseBody : hashedrekordBody)(bends.bendBody?.(parts) ?? parts)
  const entry = logEntry(universe.rekor, body, { integratedTime: universe.time / 1000 + 60, ...bends.entry })
  const entryId = 'a'.repeat(80)
  return { status: 201, headers: { etag: entryId }, body: JSON.stringify({ [entryId]: logEntryAnswer(entry) }) }
}

/** LogEntryAnon: an entry as Rekor v1 answers it, below its ID. */
export function logEntryAnswer(entry: EntryJson): object {
  const hex = (text: string): string => Buffer.from(text, 'base64').toString('hex')
  const proof = entry.inclusionProof
  return {
    body: entry.canonicalizedBody,
    integratedTime: Number(entry.integratedTime),
    logID: hex(entry.logId.keyId),
    logIndex: Number(entry.logIndex),
    verification: {
      ...(proof === undefined
        ? {}
        : {
            inclusionProof: {
              checkpoint: proof.checkpoint?.envelope,
              hashes: proof.hashes.map(hex),
              logIndex: Number(proof.logIndex),
              rootHash: hex(proof.rootHash),
              treeSize: Number(proof.treeSize),
            },
          }),
      signedEntryTimestamp: entry.inclusionPromise?.signedEntryTimestamp,
    },
  }
}

interface RequestV2 {
  readonly hashedRekordRequestV002: {
    readonly digest: string
    readonly signature: {
      readonly content: string
      readonly verifier: {
        readonly x509Certificate?: { readonly rawBytes: string }
        readonly publicKey?: { readonly rawBytes: string }
        readonly keyDetails: string
      }
    }
  }
}

function entryV2({ hashedRekordRequestV002: { digest, signature } }: RequestV2, universe: Universe, bends: ServiceBends): Answer {
  const { x509Certificate, publicKey, keyDetails } = signature.verifier
  const bytes = Buffer.from(digest, 'base64')
  const parts: EntryParts = {
    digest: bytes,
    digestAlgorithm: bytes.length === 32 ? 'sha256' : bytes.length === 48 ? 'sha384' : 'sha512',
    signature: Buffer.from(signature.content, 'base64'),
    verifier: Buffer.from(x509Certificate?.rawBytes ?? publicKey?.rawBytes ?? '', 'base64'),
    verifierKind: x509Certificate === undefined ? 'public-key' : 'certificate',
    keyDetails,
  }
  const entry = logEntry(universe.tiles, hashedrekordBodyV2(bends.bendBody?.(parts) ?? parts), bends.entry)
  return { status: 201, body: JSON.stringify({ inclusionPromise: null, integratedTime: '0', ...entry }) }
}

function timestampFor(body: Buffer, universe: Universe, bends: ServiceBends): Answer {
  const { imprint, nonce } = parseTimestampRequest(body)
  const { over, signer, withoutNonce, ...options } = bends.timestamp ?? {}
  const response = timestamp(over ?? new Uint8Array(0), signer ?? universe.timestampLeaf, {
    genTime: universe.time + 60_000,
    ...(over === undefined ? { imprintDigest: imprint.digest } : {}),
    ...(nonce === undefined || withoutNonce === true ? {} : { nonce: BigInt(`0x${Buffer.from(nonce).toString('hex')}`) }),
    ...options,
  })
  return { status: 200, headers: { 'content-type': 'application/timestamp-reply' }, body: response }
}

function signingConfigFor(url: string, time: number, log: 'v1' | 'v2' | 'none', bend?: (config: Record<string, unknown>) => void): string {
  const service = (address: string, majorApiVersion: number): object => ({
    url: address,
    majorApiVersion,
    validFor: { start: new Date(time - 86_400_000).toISOString() },
    operator: 'universe.test',
  })
  const config: Record<string, unknown> = {
    mediaType: signingConfigMediaType,
    caUrls: [service(url, 1)],
    oidcUrls: [service(`${url}/oidc`, 1)],
    rekorTlogUrls: log === 'none' ? [] : [service(url, log === 'v1' ? 1 : 2)],
    tsaUrls: [service(`${url}${paths.timestamp}`, 1)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  }
  bend?.(config)
  return JSON.stringify(config)
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body)
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64')
}
