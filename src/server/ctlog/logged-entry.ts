/** Entries that stand in the CT log, checked again: a leaf has to come out of the chain that was submitted for it. */
import { digest } from '../../crypto/digest.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError } from '../../error.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { parseMerkleTreeLeaf } from '../../x509/merkle-tree-leaf.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { LoggedEntry } from '../tile-log/log.ts'
import type { ChainVerifier } from './chain.ts'
import { createChainVerifier } from './chain.ts'
import { parseExtra } from './extra.ts'
import { createIssuerStore } from './issuer-store.ts'
import { certificateEntry, leafIndexExtension, precertificateEntry } from './submission.ts'

/**
 * Checks an entry: the leaf names its own time and place, its issuers are stored, and unless `depth` is `form`, the chain verifies up to
 * the root that was accepted then and gives exactly this leaf, which is what its SCT signs.
 * @throws DecodingError, VerificationError CERTIFICATE_UNTRUSTED, CountersignError LOG_CORRUPT
 */
export type LoggedCertificateCheck = (entry: LoggedEntry, depth: 'form' | 'signatures') => Promise<void>

/** Makes the check. @param documents where the issuers of logged certificates are */
export function createLoggedCertificateCheck(documents: Pick<DocumentStore, 'get' | 'put'>): LoggedCertificateCheck {
  const issuerStore = createIssuerStore(documents)
  const verifiers = new Map<string, ChainVerifier>()
  const verifierFor = (root: Uint8Array): ChainVerifier => {
    const name = encodeHex(digest('sha256', root))
    const verifier = verifiers.get(name) ?? createChainVerifier([parseCertificate(root)])
    verifiers.set(name, verifier)
    return verifier
  }
  return async ({ leaf, extra, index, timestampMs }, depth) => {
    const { timestamp, entry, extensions } = parseMerkleTreeLeaf(leaf)
    if (timestamp !== timestampMs) throw corrupt(`the leaf has the time ${timestamp}, the log ${timestampMs}`)
    const hasIndex = extensions.length > 0
    if (hasIndex && !equalBytes(extensions, leafIndexExtension(index))) throw corrupt('the leaf names another index than its own')
    const { precertificate, fingerprints } = parseExtra(extra, entry.kind)
    const issuers = await Promise.all(
      fingerprints.map(async (fingerprint) => {
        const der = await issuerStore.get(fingerprint)
        if (equalBytes(digest('sha256', der), fingerprint)) return der
        throw corrupt(`the stored issuer ${encodeHex(fingerprint)} is another certificate`)
      }),
    )
    const root = issuers.at(-1)
    if (root === undefined) throw corrupt('no issuer is kept beside the leaf')
    if (depth === 'form') return
    const submitted = entry.kind === 'certificate' ? entry.der : (precertificate ?? new Uint8Array(0))
    const chain = verifierFor(root)([submitted, ...issuers])
    const again = (entry.kind === 'certificate' ? certificateEntry : precertificateEntry)(chain, hasIndex).leaf
    if (!equalBytes(leaf, typeof again === 'function' ? again({ index, timestampMs }) : again))
      throw corrupt('the leaf is not that of the certificate that was submitted')
  }
}

function corrupt(message: string): CountersignError {
  return new CountersignError('LOG_CORRUPT', message)
}
