/** What an authority's key and certificates must be for every client of Sigstore to take its timestamps. */
import type { LocalSigner } from '../../crypto/signer.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { CountersignError, messageOf } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import * as oid from '../../x509/object-identifiers.ts'
import { createCertificateAuthority } from '../../x509/authority.ts'
import { verifyPath } from '../../x509/path.ts'

const maxChainLength = 8

/**
 * Checks the chain against what clients demand: ECDSA on P-256 or P-384, a leaf for time stamping alone, and a path to a root.
 * @param chain the signer's certificate first, the root last
 * @returns the leaf
 * @throws CountersignError CONFIGURATION_INVALID
 */
export function checkAuthorityChain(signer: LocalSigner, chain: readonly Certificate[]): Certificate {
  const [leaf, ...issuers] = chain
  // sigstore-python takes no chain of one certificate.
  if (leaf === undefined || issuers.length === 0 || chain.length > maxChainLength)
    throw invalid(`has ${chain.length} certificates, expected 2 to ${maxChainLength}: its own first, the root last`)
  const { publicKey } = signer
  // sigstore-js verifies timestamps with ECDSA keys only.
  if (publicKey.kind !== 'ecdsa' || publicKey.curve === 'P-521') throw invalid('does not end in an ECDSA key on P-256 or P-384')
  if (!equalBytes(publicKey.spki, leaf.spki)) throw invalid('begins with a certificate that is not of the signing key')
  checkLeaf(leaf)
  try {
    // Valid at its own beginning: whether it still is decides each timestamp's own time.
    verifyPath(leaf, createCertificateAuthority(issuers, oid.timeStamping), [leaf.notBefore])
  } catch (cause) {
    throw invalid(`is not a path to its root: ${messageOf(cause)}`, cause)
  }
  return leaf
}

/** RFC 3161 section 2.3: the extended key usage is critical and has this one purpose. */
function checkLeaf(leaf: Certificate): void {
  const purposes = leaf.extendedKeyUsage ?? []
  const isCritical = leaf.extensions.some((extension) => extension.oid === oid.extendedKeyUsage && extension.critical)
  if (purposes.length !== 1 || purposes[0] !== oid.timeStamping || !isCritical)
    throw invalid('begins with a certificate whose extended key usage is not timeStamping, alone and critical')
  if (leaf.basicConstraints?.ca === true) throw invalid('begins with the certificate of a certificate authority')
  if (leaf.keyUsage?.digitalSignature !== true) throw invalid('begins with a certificate that is not for digital signatures (key usage)')
}

function invalid(reason: string, cause?: unknown): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', `the certificate chain of the timestamp authority ${reason}`, { cause })
}
