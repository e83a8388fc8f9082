/**
 * RFC 3161 timestamps: TimeStampResp, the CMS SignedData in it (RFC 5652) and TSTInfo. Parsed here, trusted by no one
 * yet: `verify/` decides whose token it is.
 */
import { createHash } from 'node:crypto'
import type { DigestAlgorithm } from '../crypto/digest.ts'
import { digest } from '../crypto/digest.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { signatureAlgorithmFromOid, verifySignature } from '../crypto/signature.ts'
import { equalBytes, joinBytes } from '../encoding/bytes.ts'
import { DerReader, parseDerSequence } from '../encoding/der.ts'
import { contextTag } from '../encoding/der-tag.ts'
import * as tag from '../encoding/universal-tag.ts'
import { DecodingError, VerificationError } from '../error.ts'
import type { AlgorithmIdentifier, Certificate } from './certificate.ts'
import { parseAlgorithmIdentifier } from './certificate.ts'
import { certificateKey } from './certificate-key.ts'
import * as oid from './object-identifiers.ts'

/** A timestamp, parsed. */
export interface TimestampToken {
  /** When the authority says it saw the imprint, epoch milliseconds; what is finer is cut off. */
  readonly genTime: number
  /** The millisecond that it is not after: that of `genTime`, or the next one where something was cut off. */
  readonly latestTime: number
  readonly imprint: { readonly algorithm: DigestAlgorithm; readonly digest: Uint8Array }
  readonly policy: string
  readonly serialNumber: Uint8Array
  readonly nonce: Uint8Array | undefined
  /** The DER of TSTInfo, which the signed attributes bind. */
  readonly tstInfo: Uint8Array
  /** Certificates that came along, never trusted by themselves. */
  readonly certificates: readonly Uint8Array[]
  readonly signer: TimestampSigner
}

/** The one SignerInfo (RFC 5652 section 5.3). */
export interface TimestampSigner {
  readonly identifier:
    | { readonly kind: 'issuer-and-serial'; readonly issuer: Uint8Array; readonly serialNumber: Uint8Array }
    | { readonly kind: 'subject-key-identifier'; readonly keyIdentifier: Uint8Array }
  readonly digestAlgorithm: DigestAlgorithm
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  /** The signed attributes as the SET OF that is hashed. */
  readonly signedAttributes: Uint8Array
  readonly messageDigest: Uint8Array
  /** Hash of the signer's certificate in signingCertificate(V2) (RFC 5816), where the token has it. */
  readonly certificateHash: { readonly algorithm: 'sha1' | DigestAlgorithm; readonly value: Uint8Array } | undefined
}

const maxTokenBytes = 128 * 1024
const maxCertificates = 16
const digestOids: Readonly<Record<string, DigestAlgorithm>> = { [oid.sha256]: 'sha256', [oid.sha384]: 'sha384', [oid.sha512]: 'sha512' }

/**
 * Parses a TimeStampResp that was granted.
 * @throws DecodingError TIMESTAMP_INVALID, DER_INVALID or TOO_LARGE
 */
export function parseTimestampResponse(bytes: Uint8Array): TimestampToken {
  if (bytes.length > maxTokenBytes)
    throw new DecodingError('TOO_LARGE', `the timestamp is ${bytes.length} bytes long, more than the limit of ${maxTokenBytes}`)
  const response = parseDerSequence(bytes, 'the timestamp response')
  const status = response.sequence('status')
  const code = status.smallInteger('status')
  // RFC 3161 2.4.2: only granted and grantedWithMods come with a token.
  if (code !== 0 && code !== 1) throw invalid(`the timestamp authority refused the request (status ${code})`)
  if (status.peekTag() === tag.sequence) status.any('statusString')
  if (status.peekTag() === tag.bitString) status.any('failInfo')
  status.end()
  const token = parseContentInfo(response)
  response.end()
  return token
}

/**
 * Verifies that the certificate's key signed the token, that the token says so itself, and that the imprint is of these
 * bytes (RFC 3161 section 2.4.2, RFC 5652 section 5.4, RFC 5816). Whether the certificate is to be trusted is the caller's question.
 * @throws VerificationError TIMESTAMP_UNVERIFIED
 */
export function verifyTimestampSignature(token: TimestampToken, signer: Certificate, stamped: Uint8Array): void {
  const { imprint } = token
  if (!equalBytes(digest(imprint.algorithm, stamped), imprint.digest))
    throw unverified('the timestamp is of other bytes than this signature')
  verifyTokenSignature(token, signer)
}

/**
 * Verifies that the certificate's key signed the token, whatever its imprint is of (RFC 5652 section 5.4, RFC 5816).
 * @throws VerificationError TIMESTAMP_UNVERIFIED
 */
export function verifyTokenSignature(token: TimestampToken, signer: Certificate): void {
  if (!equalBytes(digest(token.signer.digestAlgorithm, token.tstInfo), token.signer.messageDigest)) {
    throw unverified('the messageDigest of the timestamp is not the digest of its content')
  }
  const { certificateHash } = token.signer
  if (certificateHash !== undefined && !equalBytes(certificateHashOf(signer, certificateHash.algorithm), certificateHash.value)) {
    throw unverified('the timestamp names another signing certificate than that of its authority')
  }
  const key = certificateKey(signer)
  if (!verifySignature(key, cmsSignatureAlgorithm(token.signer), token.signer.signedAttributes, token.signer.signature)) {
    throw unverified('the signature of the timestamp does not verify with the key of its authority')
  }
}

/** CMS may name just the kind of key and leave the digest to `digestAlgorithm` (RFC 5754 section 3.2). */
function cmsSignatureAlgorithm({ signatureAlgorithm, digestAlgorithm: used }: TimestampSigner): SignatureAlgorithm {
  if (signatureAlgorithm.oid === oid.rsaEncryption && used !== 'sha224') return `rsa-pkcs1-${used}`
  return signatureAlgorithmFromOid(signatureAlgorithm.oid, signatureAlgorithm.parameters)
}

/** The instants, epoch milliseconds, that must lie in a window for the token's time to lie in it: one, or two where something was cut off. */
export function instantsOf({ genTime, latestTime }: TimestampToken): readonly number[] {
  return genTime === latestTime ? [genTime] : [genTime, latestTime]
}

/** Whether the token says that this certificate's holder signed it. */
export function namesSigner(token: TimestampToken, certificate: Certificate): boolean {
  const { identifier } = token.signer
  if (identifier.kind === 'issuer-and-serial') {
    return equalBytes(identifier.issuer, certificate.issuer) && equalBytes(identifier.serialNumber, certificate.serialNumber)
  }
  return certificate.subjectKeyIdentifier !== undefined && equalBytes(identifier.keyIdentifier, certificate.subjectKeyIdentifier)
}

function certificateHashOf(certificate: Certificate, algorithm: 'sha1' | DigestAlgorithm): Uint8Array {
  // SHA-1 only picks the certificate here, as the first version of the attribute demands; the signature is what is trusted.
  return algorithm === 'sha1' ? createHash('sha1').update(certificate.bytes).digest() : digest(algorithm, certificate.bytes)
}

function parseContentInfo(response: DerReader): TimestampToken {
  const contentInfo = response.sequence('timeStampToken')
  demandOid(contentInfo.oid('contentType'), oid.signedData, 'the timestamp token')
  const wrapped = demand(contentInfo.context(0, 'content'), 'the content of the timestamp token')
  contentInfo.end()
  const signedData = wrapped.sequence('signedData')
  wrapped.end()
  const version = signedData.smallInteger('version')
  // RFC 5652 5.1 has it 3. Sigstore's timestamp authority wrote 1 until 2024, and nothing depends on it.
  if (version !== 3 && version !== 1) throw invalid(`the SignedData has version ${version}, expected 3`)
  signedData.set('digestAlgorithms')
  const content = signedData.sequence('encapContentInfo')
  demandOid(content.oid('eContentType'), oid.tstInfo, 'the content of the timestamp')
  const eContent = demand(content.context(0, 'eContent'), 'the eContent of the timestamp')
  content.end()
  const tstInfo = eContent.octetString('eContent')
  eContent.end()
  const certificates = parseCertificates(signedData)
  signedData.optional(contextTag(1, true), 'crls')
  const signerInfos = signedData.set('signerInfos')
  const signer = parseSignerInfo(signerInfos.sequence('signerInfo'))
  // RFC 3161 2.4.2: exactly one signer, the authority.
  if (!signerInfos.done) throw invalid('the timestamp has more than one signer')
  signedData.end()
  const { genTime, latestTime, imprint, policy, serialNumber, nonce } = parseTstInfo(tstInfo)
  return { genTime, latestTime, imprint, policy, serialNumber, nonce, tstInfo, certificates, signer }
}

function parseCertificates(signedData: DerReader): Uint8Array[] {
  const set = signedData.context(0, 'certificates')
  const certificates: Uint8Array[] = []
  if (set === undefined) return certificates
  while (!set.done) {
    if (certificates.length === maxCertificates) throw invalid(`the timestamp brings more than ${maxCertificates} certificates`)
    certificates.push(set.next(tag.sequence, 'a certificate').bytes)
  }
  return certificates
}

type TstInfo = Pick<TimestampToken, 'genTime' | 'latestTime' | 'imprint' | 'policy' | 'serialNumber' | 'nonce'>

/** RFC 3161 section 2.4.2. */
function parseTstInfo(bytes: Uint8Array): TstInfo {
  const info = parseDerSequence(bytes, 'TSTInfo')
  const version = info.smallInteger('version')
  if (version !== 1) throw invalid(`TSTInfo has version ${version}, expected 1`)
  const policy = info.oid('policy')
  const imprint = info.sequence('messageImprint')
  const algorithm = digestAlgorithm(imprint, 'hashAlgorithm')
  const hashed = imprint.octetString('hashedMessage')
  imprint.end()
  const serialNumber = info.integerBytes('serialNumber')
  const { from: genTime, to: latestTime } = info.generalizedTimeBounds('genTime')
  info.optional(tag.sequence, 'accuracy')
  if (info.peekTag() === tag.boolean) info.boolean('ordering')
  const nonce = info.peekTag() === tag.integer ? info.integerBytes('nonce') : undefined
  info.optional(contextTag(0, true), 'tsa')
  refuseCriticalExtensions(info.context(1, 'extensions'))
  info.end()
  return { genTime, latestTime, imprint: { algorithm, digest: hashed }, policy, serialNumber, nonce }
}

/** RFC 3161 2.4.2: extensions may say more about the time; one that is critical must be understood, and none is. */
function refuseCriticalExtensions(extensions: DerReader | undefined): void {
  if (extensions === undefined) return
  while (!extensions.done) {
    const extension = extensions.sequence('an extension')
    const type = extension.oid('extnID')
    if (extension.peekTag() === tag.boolean && extension.boolean('critical')) {
      throw invalid(`TSTInfo has the critical extension ${type}, which is not understood`)
    }
    extension.octetString('extnValue')
    extension.end()
  }
}

function parseSignerInfo(info: DerReader): TimestampSigner {
  const version = info.smallInteger('version')
  const identifier = parseSignerIdentifier(info, version)
  const signerDigest = digestAlgorithm(info, 'digestAlgorithm')
  const attributes = info.next(contextTag(0, true), 'signedAttrs')
  const signatureAlgorithm = parseAlgorithmIdentifier(info.sequence('signatureAlgorithm'))
  const signature = info.octetString('signature')
  info.optional(contextTag(1, true), 'unsignedAttrs')
  info.end()
  const { messageDigest, certificateHash } = parseSignedAttributes(attributes.content)
  return {
    identifier,
    digestAlgorithm: signerDigest,
    signatureAlgorithm,
    signature,
    // RFC 5652 5.4: hashed with the tag of a SET OF instead of the implicit [0].
    signedAttributes: joinBytes(Uint8Array.of(tag.set), attributes.bytes.subarray(1)),
    messageDigest,
    certificateHash,
  }
}

function parseSignerIdentifier(info: DerReader, version: number): TimestampSigner['identifier'] {
  const keyIdentifier = info.optional(contextTag(0, false), 'subjectKeyIdentifier')
  if (version !== (keyIdentifier === undefined ? 1 : 3))
    throw invalid(`the SignerInfo has version ${version}, which does not fit its identifier`)
  if (keyIdentifier !== undefined) return { kind: 'subject-key-identifier', keyIdentifier: keyIdentifier.content }
  const name = info.sequence('issuerAndSerialNumber')
  const issuer = name.next(tag.sequence, 'issuer').bytes
  const serialNumber = name.integerBytes('serialNumber')
  name.end()
  return { kind: 'issuer-and-serial', issuer, serialNumber }
}

function parseSignedAttributes(content: Uint8Array): Pick<TimestampSigner, 'messageDigest' | 'certificateHash'> {
  const attributes = new DerReader(content, 'the signed attributes', 4)
  const seen = new Set<string>()
  let contentType: string | undefined
  let messageDigest: Uint8Array | undefined
  let certificateHash: TimestampSigner['certificateHash']
  while (!attributes.done) {
    const attribute = attributes.sequence('an attribute')
    const type = attribute.oid('attrType')
    const values = attribute.set('attrValues')
    attribute.end()
    if (seen.has(type)) throw invalid(`the timestamp has the signed attribute ${type} twice`)
    seen.add(type)
    if (type === oid.contentTypeAttribute) contentType = values.oid('the content type')
    else if (type === oid.messageDigestAttribute) messageDigest = values.octetString('the message digest')
    else if (type === oid.signingCertificateV2Attribute)
      certificateHash = parseSigningCertificate(values.sequence('SigningCertificateV2'), 'sha256')
    else if (type === oid.signingCertificateAttribute)
      certificateHash ??= parseSigningCertificate(values.sequence('SigningCertificate'), 'sha1')
    else continue
    values.end()
  }
  if (contentType !== oid.tstInfo) throw invalid('the signed attributes do not say that the content is a timestamp')
  if (messageDigest === undefined) throw invalid('the signed attributes have no messageDigest')
  return { messageDigest, certificateHash }
}

/** The first ESSCertID(v2): the signer's own certificate (RFC 5035 section 4, RFC 2634 section 5.4). */
function parseSigningCertificate(attribute: DerReader, defaultAlgorithm: 'sha1' | 'sha256'): TimestampSigner['certificateHash'] {
  const ids = attribute.sequence('certs')
  const id = ids.sequence('ESSCertID')
  const isExplicit = defaultAlgorithm === 'sha256' && id.peekTag() === tag.sequence
  const algorithm = isExplicit ? digestAlgorithm(id, 'hashAlgorithm') : defaultAlgorithm
  return { algorithm, value: id.octetString('certHash') }
}

function digestAlgorithm(reader: DerReader, what: string): DigestAlgorithm {
  const identifier = parseAlgorithmIdentifier(reader.sequence(what))
  const algorithm = digestOids[identifier.oid]
  if (algorithm === undefined)
    throw invalid(`the timestamp uses the digest algorithm ${identifier.oid}, expected SHA-256, SHA-384 or SHA-512`)
  return algorithm
}

function demandOid(found: string, expected: string, what: string): void {
  if (found !== expected) throw invalid(`${what} has type ${found}, expected ${expected}`)
}

function demand<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw invalid(`${what} is missing`)
  return value
}

function invalid(message: string): DecodingError {
  return new DecodingError('TIMESTAMP_INVALID', message)
}

function unverified(message: string): VerificationError {
  return new VerificationError('TIMESTAMP_UNVERIFIED', message)
}
