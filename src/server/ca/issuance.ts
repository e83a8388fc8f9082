/** Certificates as Fulcio's specification shapes them: precertificate, log, certificate. */
import { digest } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { x509AlgorithmIdentifier } from '../../crypto/signature-algorithm.ts'
import type { Signer } from '../../crypto/signer.ts'
import { concatBytes, encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { derBitString, derSequence, derUtf8String } from '../../encoding/der-writer.ts'
import { CountersignError, VerificationError } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import {
  authorityKeyIdentifierExtension,
  encodeExtension,
  encodeName,
  encodeTbsCertificate,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  poisonExtension,
  subjectAlternativeNameExtension,
  subjectKeyIdentifierExtension,
} from '../../x509/certificate-writer.ts'
import type { CertificateTemplate } from '../../x509/certificate-writer.ts'
import { oid } from '../../x509/object-identifiers.ts'
import { precertificateSignedBytes, sctListExtension } from '../../x509/sct-writer.ts'
import type { SignedCertificateTimestamp } from '../../x509/sct.ts'
import type { SigstoreExtensionName, SigstoreExtensions } from '../../x509/sigstore-extensions.ts'
import { sigstoreExtensionNumbers } from '../../x509/sigstore-extensions.ts'
import type { Clock } from '../clock.ts'
import { newSerialNumber } from '../serial-number.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'
import { checkSignature as checkHere } from '../threads/signature-check.ts'
import type { Principal } from './principal.ts'
import { logFailure } from './refusal.ts'

/** A certificate transparency log that takes precertificates. */
export interface PrecertificateLog {
  /** @param chain DER: the precertificate, its issuers, the root. Resolves when the entry is durable. */
  addPreChain(chain: readonly Uint8Array[]): Promise<SignedCertificateTimestamp>
}

export interface IssuanceOptions {
  /** The key that issues. */
  readonly signer: Signer
  /** Its certificate first, the root last. */
  readonly chain: readonly Certificate[]
  readonly log: PrecertificateLog
  /** The key that SCTs have to verify with before they are embedded. */
  readonly logKey: PublicKey
  readonly clock: Clock
  /** Checks signatures; in this thread by default. */
  readonly checkSignature?: SignatureChecker
}

/** Issues a certificate for a key. @returns DER, the leaf first, the root last */
export type Issue = (principal: Principal, publicKey: PublicKey) => Promise<readonly Uint8Array[]>

const lifetimeMs = 10 * 60_000
const digitalSignature = 0
const lastRawExtension = 6
const emptyName = encodeName({})

/**
 * Makes the function that issues.
 * @throws CountersignError CONFIGURATION_INVALID when the chain does not begin with the certificate of the key, or that may not issue.
 *   The function throws RefusalError when the log fails, CountersignError CERTIFICATE_EXPIRED at the end of the chain's time
 */
export function createIssuance({ signer, chain, log, logKey, clock, checkSignature = checkHere }: IssuanceOptions): Issue {
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
  const sign = async (tbs: Uint8Array): Promise<Uint8Array> => derSequence(tbs, algorithm, derBitString(await signer.sign(tbs)))
  const checkSct = async (sct: SignedCertificateTimestamp, tbs: Uint8Array): Promise<void> => {
    const signed = precertificateSignedBytes(sct, tbs, issuerKeyHash)
    const algorithm = sct.signatureKind === 'rsa' ? (`rsa-pkcs1-${sct.hashAlgorithm}` as const) : (`ecdsa-${sct.hashAlgorithm}` as const)
    const check = { key: logKey, algorithm, signature: sct.signature, over: { kind: 'data', bytes: signed } } as const
    if (equalBytes(sct.logId, logId) && (await checkSignature(check))) return
    throw new VerificationError('SCT_UNVERIFIED', 'the SCT that the log answered with does not verify')
  }

  const addToLog = async (submitted: readonly Uint8Array[], tbs: Uint8Array): Promise<SignedCertificateTimestamp> => {
    try {
      const sct = await log.addPreChain(submitted)
      await checkSct(sct, tbs)
      return sct
    } catch (cause) {
      throw logFailure(cause)
    }
  }

  return async ({ name, extensions }, publicKey) => {
    const now = clock()
    if (chain.some(({ notBefore, notAfter }) => now < notBefore || now + lifetimeMs > notAfter)) {
      throw new CountersignError(
        'CERTIFICATE_EXPIRED',
        'the chain of the certificate authority is not valid for as long as a new certificate would be',
      )
    }
    const template: CertificateTemplate = {
      serialNumber: newSerialNumber(),
      issuer: issuer.subject,
      subject: emptyName,
      notBeforeMs: now,
      notAfterMs: now + lifetimeMs,
      spki: publicKey.spki,
      extensions: [],
    }
    const common = concatBytes(
      ...fixed.usage,
      subjectKeyIdentifierExtension(keyIdentifier(publicKey)),
      fixed.authority,
      subjectAlternativeNameExtension(name),
      ...sigstoreExtensionElements(extensions),
    )
    const encode = (...further: readonly Uint8Array[]): Uint8Array =>
      encodeTbsCertificate({ ...template, extensions: [common, ...further] }, algorithm)
    const precertificate = await sign(encode(fixed.poison))
    const sct = await addToLog([precertificate, ...above], encode())
    return [await sign(encode(sctListExtension(sct))), ...above]
  }
}

function misconfigured(reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', `the chain of the certificate authority ${reason}`)
}

const inOrder = Object.entries(sigstoreExtensionNumbers).toSorted(([, a], [, b]) => a - b) as readonly [SigstoreExtensionName, number][]

/** In the order of their numbers: bare texts up to .6, DER from .8 on. */
function sigstoreExtensionElements(extensions: SigstoreExtensions): Uint8Array[] {
  return inOrder.flatMap(([name, number]) => {
    const value = extensions[name]
    if (value === undefined || value === '') return []
    return [encodeExtension(`${oid.sigstore}.${number}`, false, number <= lastRawExtension ? encodeUtf8(value) : derUtf8String(value))]
  })
}
