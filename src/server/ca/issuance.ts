/** Certificates as Fulcio's specification shapes them: precertificate, log, certificate. */
import { fulcioRefusals } from '../../api/fulcio.ts'
import { digest } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { x509AlgorithmIdentifier } from '../../crypto/signature-algorithm.ts'
import type { Signer } from '../../crypto/signer.ts'
import { concatBytes, encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { derUtf8String } from '../../encoding/der-writer.ts'
import { CountersignError, VerificationError } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import {
  authorityKeyIdentifierExtension,
  encodeExtension,
  encodeName,
  encodeSigned,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  poisonExtension,
  subjectAlternativeNameExtension,
  subjectKeyIdentifierExtension,
  tbsEncoder,
} from '../../x509/certificate-writer.ts'
import type { CertificateTemplate } from '../../x509/certificate-writer.ts'
import * as oid from '../../x509/object-identifiers.ts'
import { precertificateSignedBytes, sctListExtension } from '../../x509/sct-writer.ts'
import type { SignedCertificateTimestamp } from '../../x509/sct.ts'
import type { SigstoreExtensions } from '../../x509/sigstore-extensions.ts'
import { sigstoreExtensionNames } from '../../x509/sigstore-extensions.ts'
import type { Clock } from '../clock.ts'
import { newSerialNumber } from '../serial-number.ts'
import type { GuardedSigner } from '../threads/guarded-signing.ts'
import { guardSigner } from '../threads/guarded-signing.ts'
import type { SignatureCheck } from '../threads/signature-check.ts'
import type { LogAnswer, PrecertificateLog } from './precertificate-log.ts'
import { addToLog } from './precertificate-log.ts'
import type { Principal } from './principal.ts'
import type { Possession } from './proof-of-possession.ts'
import { RefusalError, logFailure } from './refusal.ts'

export interface IssuanceOptions {
  /** The key that issues, in another thread perhaps. */
  readonly signer: Signer
  /** Its certificate first, the root last. */
  readonly chain: readonly Certificate[]
  readonly log: PrecertificateLog
  /** The key that SCTs have to verify with before they are embedded. */
  readonly logKey: PublicKey
  readonly clock: Clock
  /** Signs with the signer's key what depends on another signature; in this thread by default. */
  readonly signIfValid?: GuardedSigner
}

/**
 * Issues a certificate for a key that is held.
 * @returns DER
 * @throws RefusalError when it is not held
 */
export type Issue = (principal: Principal, possession: Possession) => Promise<Uint8Array>

const lifetimeMs = 10 * 60_000
const digitalSignature = 0
const lastRawExtension = 6
const emptyName = encodeName({})

/**
 * Makes the function that issues.
 * @throws CountersignError CONFIGURATION_INVALID when the chain does not begin with the certificate of the key, or that may not issue.
 *   The function throws RefusalError when the log fails, CountersignError CERTIFICATE_EXPIRED at the end of the chain's time
 */
export function createIssuance({ signer, chain, log, logKey, clock, signIfValid = guardSigner(signer) }: IssuanceOptions): Issue {
  const [issuer] = chain
  if (issuer === undefined || !equalBytes(issuer.spki, signer.publicKey.spki))
    throw misconfigured('does not begin with the certificate of its key')
  // Verifiers demand it of whoever issues (RFC 5280 section 6.1.4, k and n).
  if (issuer.basicConstraints?.ca !== true || issuer.keyUsage?.keyCertSign === false)
    throw misconfigured('begins with a certificate that may not issue others (basic constraints, key usage)')
  const above = chain.map(({ bytes }) => bytes)
  const algorithm = x509AlgorithmIdentifier(signer.algorithm)
  const issuerKeyHash = digest('sha256', issuer.spki)
  const logId = digest('sha256', logKey.spki)
  const fixed = {
    usage: [keyUsageExtension(digitalSignature), extendedKeyUsageExtension(false, oid.codeSigning)],
    authority: authorityKeyIdentifierExtension(issuer.subjectKeyIdentifier ?? keyIdentifier(signer.publicKey)),
    poison: poisonExtension(),
  }
  /** Signed when the key is proven to be held, and only then. */
  const signPrecertificate = async (tbs: Uint8Array, { proofs, complaint }: Possession): Promise<Uint8Array> => {
    for (const proof of proofs) {
      const signature = await signIfValid(proof, tbs)
      if (signature !== undefined) return encodeSigned(tbs, algorithm, signature)
    }
    throw new RefusalError(fulcioRefusals.proof, complaint)
  }
  /** Whether an SCT of our own log has verified: its key is the one that it should be. */
  let isLogProven = false
  /** Signed when the SCT in it is right, and only then. */
  const signCertificate = async (encode: EncodeTbs, { sct, signedBytes }: LogAnswer): Promise<Uint8Array> => {
    const expected = precertificateSignedBytes(sct, encode(), issuerKeyHash)
    if (!equalBytes(sct.logId, logId) || (signedBytes !== undefined && !equalBytes(signedBytes, expected))) throw badSct()
    const tbs = encode(sctListExtension(sct))
    const isProven = signedBytes !== undefined && isLogProven
    const signature = isProven ? await signer.sign(tbs) : await signIfValid(sctCheck(sct, logKey, expected), tbs)
    if (signature === undefined) throw badSct()
    isLogProven ||= signedBytes !== undefined
    return encodeSigned(tbs, algorithm, signature)
  }
  return async ({ name, extensions }, possession) => {
    const publicKey = possession.key
    const now = clock()
    if (chain.some(({ notBefore, notAfter }) => now < notBefore || now + lifetimeMs > notAfter)) {
      throw new CountersignError(
        'CERTIFICATE_EXPIRED',
        'the chain of the certificate authority is not valid for as long as a new certificate would be',
      )
    }
    const common = concatBytes(
      ...fixed.usage,
      subjectKeyIdentifierExtension(keyIdentifier(publicKey)),
      fixed.authority,
      subjectAlternativeNameExtension(name),
      ...sigstoreExtensionElements(extensions),
    )
    const template: CertificateTemplate = {
      serialNumber: newSerialNumber(),
      issuer: issuer.subject,
      subject: emptyName,
      notBeforeMs: now,
      notAfterMs: now + lifetimeMs,
      spki: publicKey.spki,
      extensions: [common],
    }
    const encode = tbsEncoder(template, algorithm)
    const precertificate = await signPrecertificate(encode(fixed.poison), possession)
    return signCertificate(encode, await addToLog(log, [precertificate, ...above]))
  }
}

/** The TBSCertificate with further extensions at its end. */
type EncodeTbs = (...further: readonly Uint8Array[]) => Uint8Array

function sctCheck(sct: SignedCertificateTimestamp, key: PublicKey, bytes: Uint8Array): SignatureCheck {
  const algorithm = sct.signatureKind === 'rsa' ? (`rsa-pkcs1-${sct.hashAlgorithm}` as const) : (`ecdsa-${sct.hashAlgorithm}` as const)
  return { key, algorithm, signature: sct.signature, over: { kind: 'data', bytes } }
}

function badSct(): RefusalError {
  return logFailure(new VerificationError('SCT_UNVERIFIED', 'the SCT that the log answered with does not verify'))
}

function misconfigured(reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', `the chain of the certificate authority ${reason}`)
}

/** In the order of their numbers: bare texts up to .6, DER from .8 on. */
function sigstoreExtensionElements(extensions: SigstoreExtensions): Uint8Array[] {
  return sigstoreExtensionNames.flatMap((name, index) => {
    const number = index + 1
    const value = name === undefined ? undefined : extensions[name]
    if (value === undefined || value === '') return []
    return [encodeExtension(`${oid.sigstore}.${number}`, false, number <= lastRawExtension ? encodeUtf8(value) : derUtf8String(value))]
  })
}
