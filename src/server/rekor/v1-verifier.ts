/** What a Rekor v1 entry is verified with: a PEM certificate, a chain of them, or a public key, and how it stands in the body. */
import type { PublicKey } from '../../crypto/public-key.ts'
import { encodePublicKeyPem, parsePkcs1PublicKey, parsePublicKey } from '../../crypto/public-key.ts'
import { signatureAlgorithmFromOid } from '../../crypto/signature.ts'
import { equalBytes, excerpt } from '../../encoding/bytes.ts'
import { encodePem, parsePem } from '../../encoding/pem.ts'
import { CountersignError } from '../../error.ts'
import { certificateKey } from '../../x509/certificate-key.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'

export interface VerifierV1 {
  readonly key: PublicKey
  /** The PEM as the log writes it: labels, line lengths and text around the blocks are not the client's. */
  readonly pem: string
  /** That of the key, where it came in one; of a chain the first. */
  readonly certificate: Certificate | undefined
}

const maxChain = 10

/**
 * Reads a verifier.
 * @param text PEM: one public key, one certificate, or a chain with the signer's first, each issued by the next
 * @param checkSignature for the signatures of a chain: an entry with many chains has more of them than one thread should check
 * @throws DecodingError PEM_INVALID, KEY_INVALID, KEY_UNSUPPORTED, CERTIFICATE_INVALID …; CountersignError REQUEST_INVALID, LOG_OVERLOADED
 */
export async function parseVerifierV1(text: string, checkSignature: SignatureChecker): Promise<VerifierV1> {
  const blocks = parsePem(text, 'the public key')
  const [first, ...others] = blocks
  if (first === undefined || blocks.length > maxChain)
    throw invalid(`the public key has ${blocks.length} PEM blocks, at most ${maxChain} are taken`)
  if (others.length === 0 && first.label === 'PUBLIC KEY') return bareKey(parsePublicKey(first.der))
  if (others.length === 0 && first.label === 'RSA PUBLIC KEY') return bareKey(parsePkcs1PublicKey(first.der))
  const wrong = blocks.find(({ label }) => label !== 'CERTIFICATE')
  if (wrong !== undefined) throw invalid(`invalid public key: cannot handle type ${excerpt(wrong.label)}`)
  const certificate = parseCertificate(first.der)
  await checkChain([certificate, ...others.map(({ der }) => parseCertificate(der))], checkSignature)
  return { key: certificateKey(certificate), certificate, pem: blocks.map(({ der }) => encodePem('CERTIFICATE', der)).join('') }
}

function bareKey(key: PublicKey): VerifierV1 {
  return { key, certificate: undefined, pem: encodePublicKeyPem(key) }
}

/** The log vouches for no authority: only that the chain is one. Time does not count, since expired certificates are logged too. */
async function checkChain(chain: readonly Certificate[], checkSignature: SignatureChecker): Promise<void> {
  for (const [at, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[at + 1]
    if (issuer === undefined) return
    if (!(await isIssuedBy(certificate, issuer, checkSignature)))
      throw invalid('the certificates are not a chain: each should be issued by the next')
  }
}

async function isIssuedBy(certificate: Certificate, issuer: Certificate, checkSignature: SignatureChecker): Promise<boolean> {
  if (issuer.basicConstraints?.ca !== true || !equalBytes(certificate.issuer, issuer.subject)) return false
  const { oid, parameters } = certificate.signatureAlgorithm
  return checkSignature({
    key: certificateKey(issuer),
    algorithm: signatureAlgorithmFromOid(oid, parameters),
    signature: certificate.signature,
    over: { kind: 'data', bytes: certificate.tbs },
  })
}

function invalid(message: string): CountersignError {
  return new CountersignError('REQUEST_INVALID', message)
}
