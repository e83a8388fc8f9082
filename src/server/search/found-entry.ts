/** A logged entry as the search answers it. */
import type { FoundEntry, FoundSigner, RekorApi } from '../../api/search.ts'
import type { LogEntryBody, LogEntryVerifier } from '../../bundle/log-entry-body.ts'
import { parseLogEntryBody, parseLogEntryKind } from '../../bundle/log-entry-body.ts'
import { digest } from '../../crypto/digest.ts'
import { parsePkcs1PublicKey } from '../../crypto/public-key.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { encodePem } from '../../encoding/pem.ts'
import { DecodingError } from '../../error.ts'
import { leafHash } from '../../merkle/hash.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { issuerOf } from '../../x509/sigstore-extensions.ts'
import type { LoggedLeaf, LogInclusion, TileLog } from '../tile-log/log.ts'

/** A log that is searched. */
export interface SearchedLog {
  readonly log: TileLog
  readonly api: RekorApi
  /** The index that is shown of its first entry: of a Rekor v1 shard, how many entries are in those before it; otherwise 0. */
  readonly firstIndex: bigint
}

/** Describes an entry. What of its body cannot be read is left out: the body itself and its proof are always there. */
export function describeFound(searched: SearchedLog, logged: LoggedLeaf, { head, hashes }: LogInclusion): FoundEntry {
  const { log, api, firstIndex } = searched
  const body = readBody(logged.leaf)
  return {
    log: log.id,
    api,
    origin: log.origin,
    index: String(firstIndex + logged.index),
    leafHash: encodeHex(leafHash(logged.leaf)),
    loggedAt: new Date(logged.timestampMs).toISOString(),
    ...body,
    body: encodeBase64(logged.leaf),
    inclusionProof: {
      leafIndex: String(logged.index),
      treeSize: String(head.size),
      rootHash: encodeHex(head.rootHash),
      hashes: hashes.map(encodeHex),
      checkpoint: head.checkpoint,
    },
  }
}

function readBody(leaf: Uint8Array): Pick<FoundEntry, 'kind' | 'version' | 'digest' | 'signers'> {
  const kind = attempt(() => parseLogEntryKind(leaf)) ?? { kind: '', version: '' }
  const body = attempt((): LogEntryBody => parseLogEntryBody(leaf))
  return {
    ...kind,
    digest: body === undefined ? null : { algorithm: body.digest.algorithm, value: encodeHex(body.digest.value) },
    signers: body?.signatures.map(({ verifier }) => describeSigner(verifier)) ?? [],
  }
}

function describeSigner(verifier: LogEntryVerifier): FoundSigner {
  if (verifier.kind === 'public-key') {
    const spki = verifier.isPkcs1 === true ? attempt(() => parsePkcs1PublicKey(verifier.der).spki) : verifier.der
    return {
      kind: 'public-key',
      keyHash: spki === undefined ? null : sha256(spki),
      pem: encodePem(verifier.isPkcs1 === true ? 'RSA PUBLIC KEY' : 'PUBLIC KEY', verifier.der),
      subjects: [],
      issuer: null,
      notBefore: null,
      notAfter: null,
    }
  }
  const certificate = attempt(() => parseCertificate(verifier.der))
  return { kind: 'certificate', pem: encodePem('CERTIFICATE', verifier.der), ...describeCertificate(certificate) }
}

function describeCertificate(certificate: Certificate | undefined): Omit<FoundSigner, 'kind' | 'pem'> {
  if (certificate === undefined) return { keyHash: null, subjects: [], issuer: null, notBefore: null, notAfter: null }
  return {
    keyHash: sha256(certificate.spki),
    subjects: certificate.subjectAlternativeNames.map(({ kind, value }) => ({ kind, value })),
    issuer: issuerOf(certificate.sigstore) ?? null,
    notBefore: new Date(certificate.notBefore).toISOString(),
    notAfter: new Date(certificate.notAfter).toISOString(),
  }
}

function sha256(bytes: Uint8Array): string {
  return encodeHex(digest('sha256', bytes))
}

/** What is malformed is shown as such, by its absence. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof DecodingError) return undefined
    throw error
  }
}
