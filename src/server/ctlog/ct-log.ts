/** The certificate transparency log: submissions and reads of RFC 6962, and the reads of static logs. */
import { Hono } from 'hono'
import { ctPath, encodeSctAnswer, maxSubmissionBytes, parseSubmission } from '../../api/certificate-transparency.ts'
import { digest } from '../../crypto/digest.ts'
import type { Signer } from '../../crypto/signer.ts'
import { CountersignError, DecodingError, VerificationError } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseMerkleTreeLeaf } from '../../x509/merkle-tree-leaf.ts'
import type { SignedCertificateTimestamp } from '../../x509/sct.ts'
import { readBody } from '../request/body.ts'
import type { Service } from '../service.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { NewEntry, TileLog } from '../tile-log/log.ts'
import { answerFailure, answerJson, answerText } from './answer.ts'
import { createChainVerifier } from './chain.ts'
import { checkLogKey } from './checkpoint-signer.ts'
import { createIssuerStore } from './issuer-store.ts'
import { rfc6962Reads } from './rfc6962-reads.ts'
import { staticReads } from './static-reads.ts'
import { certificateEntry, precertificateEntry } from './submission.ts'

export interface CtLogOptions {
  /** Opened with `ctCheckpointSigner` of the same key. */
  readonly log: TileLog
  /** ECDSA on P-256. */
  readonly signer: Signer
  /** Chains must end in one of these. */
  readonly acceptedRoots: readonly Certificate[]
  /** Keeps the issuers of logged certificates. */
  readonly documents: Pick<DocumentStore, 'get' | 'put'>
  /** The log's path on the origin, such as `/ct`: below it stand `/ct/v1/…`, `/checkpoint`, `/tile/…` and `/issuer/…`. */
  readonly prefix: string
  /** Whether SCTs name the index of their leaf, as static logs must; true by default. Some old clients know no extensions. */
  readonly leafIndexInSct?: boolean
}

export interface CtLog extends Service {
  /**
   * Logs a precertificate. Resolves when it is durably in the signed tree.
   * @param chain the precertificate first, its issuers after it, DER; an accepted root may be left out
   * @throws VerificationError CERTIFICATE_UNTRUSTED; DecodingError DER_INVALID, CERTIFICATE_INVALID, KEY_UNSUPPORTED, KEY_INVALID,
   *   TOO_LARGE; CountersignError LOG_FROZEN and whatever the log throws
   */
  addPreChain(chain: readonly Uint8Array[]): Promise<SignedCertificateTimestamp>
  /**
   * As `addPreChain`, for a precertificate that a certificate authority in this process has just signed: that signature is not verified
   * once more, everything else is. Never for chains that came from elsewhere.
   * @param chain its issuers are the same byte strings each time, and do not change
   */
  addOwnPreChain(chain: readonly Uint8Array[]): Promise<SignedEntry>
  /** As `addPreChain`, for a certificate. */
  addChain(chain: readonly Uint8Array[]): Promise<SignedCertificateTimestamp>
}

/** An SCT, and what it signs: the leaf of the tree. */
export interface SignedEntry {
  readonly sct: SignedCertificateTimestamp
  readonly signedBytes: Uint8Array
}

/** SCTs that are remembered, so that whoever asks twice gets the same signature. */
const maxRecentScts = 4096

/**
 * Makes the log.
 * @throws CountersignError CONFIGURATION_INVALID for a key that is not ECDSA on P-256
 */
export function createCtLog(options: CtLogOptions): CtLog {
  const { log, signer, acceptedRoots, documents, prefix, leafIndexInSct = true } = options
  checkLogKey(signer)
  const verifyChain = createChainVerifier(acceptedRoots)
  const issuers = createIssuerStore(documents)
  const signSct = createSctSigner(signer)
  const submit = async (chain: readonly Uint8Array[], entryOf: typeof precertificateEntry, isOurs = false): Promise<SignedEntry> => {
    if (log.state !== 'active') throw new CountersignError('LOG_FROZEN', `the log ${log.origin} is ${log.state} and takes no certificates`)
    const accepted = verifyChain(chain, { isOurs })
    const entry = entryOf(accepted, leafIndexInSct)
    // Whoever reads the entry must find them.
    await issuers.keep(accepted.path)
    return signSct(log, entry)
  }
  const addPreChain: CtLog['addPreChain'] = async (chain) => (await submit(chain, precertificateEntry)).sct
  const addOwnPreChain: CtLog['addOwnPreChain'] = (chain) => submit(chain, precertificateEntry, true)
  const addChain: CtLog['addChain'] = async (chain) => (await submit(chain, certificateEntry)).sct

  const routes = new Hono()
  for (const [name, add] of [
    ['add-chain', addChain],
    ['add-pre-chain', addPreChain],
  ] as const) {
    routes.post(`${prefix}${ctPath}/${name}`, (c) => answerSubmission(c.req.raw, add))
    routes.all(`${prefix}${ctPath}/${name}`, () => answerText(405, `${name} takes POST`, { allow: 'POST' }))
  }
  routes.route('/', rfc6962Reads({ log, key: signer.publicKey, acceptedRoots, issuers, prefix }))
  routes.route('/', staticReads({ log, issuers, prefix }))
  return { routes, addPreChain, addOwnPreChain, addChain }
}

async function answerSubmission(request: Request, add: CtLog['addChain']): Promise<Response> {
  try {
    return answerJson(encodeSctAnswer(await add(parseSubmission(await readBody(request, maxSubmissionBytes)))))
  } catch (error) {
    if (error instanceof DecodingError || error instanceof VerificationError) return answerRefusal(error)
    return answerFailure(error)
  }
}

/** The chain is not one, or not one that this log takes. */
function answerRefusal({ code, message }: CountersignError): Response {
  return answerText(code === 'TOO_LARGE' ? 413 : 400, message)
}

/** Logs entries and signs SCTs. ECDSA signs differently each time, so the signatures of recent SCTs are remembered. */
function createSctSigner(signer: Signer): (log: TileLog, entry: NewEntry) => Promise<SignedEntry> {
  const logId = digest('sha256', signer.publicKey.spki)
  const recent = new Map<bigint, Promise<SignedEntry>>()
  // What is in the tree is what is signed, also for an entry that was there before: its time and its extensions.
  const sign = async (leaf: Uint8Array): Promise<SignedEntry> => {
    const { timestamp, extensions } = parseMerkleTreeLeaf(leaf)
    const signature = await signer.sign(leaf)
    const sct = { logId, timestamp, extensions, hashAlgorithm: 'sha256', signatureKind: 'ecdsa', signature } as const
    return { sct, signedBytes: leaf }
  }
  return async (log, entry) => {
    const { index, leaf } = await log.add(entry)
    const known = recent.get(index)
    if (known !== undefined) return known
    const signed = sign(leaf)
    recent.set(index, signed)
    // One that failed is signed anew.
    signed.catch(() => recent.delete(index))
    const [oldest] = recent.keys()
    if (recent.size > maxRecentScts && oldest !== undefined) recent.delete(oldest)
    return signed
  }
}
