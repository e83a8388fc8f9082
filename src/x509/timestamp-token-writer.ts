/**
 * Writes RFC 3161 timestamps as timestamp authorities of Sigstore shape them: TSTInfo in a CMS SignedData (RFC 5652) with
 * one ECDSA signature over four signed attributes. What is the same in every token is encoded once.
 */
import type { DigestAlgorithm } from '../crypto/digest.ts'
import { digest, digestLength } from '../crypto/digest.ts'
import type { LocalSigner } from '../crypto/signer.ts'
import { concatBytes, equalBytes } from '../encoding/bytes.ts'
import { contextTag } from '../encoding/der-tag.ts'
import * as tag from '../encoding/universal-tag.ts'
import {
  derElement,
  derExplicit,
  derGeneralizedTime,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
} from '../encoding/der-writer.ts'
import { UsageError } from '../error.ts'
import type { Certificate } from './certificate.ts'
import * as oid from './object-identifiers.ts'

/** The digests that a timestamp may be of. */
export type ImprintAlgorithm = Exclude<DigestAlgorithm, 'sha224'>

/** What a timestamp is to state (RFC 3161 section 2.4.2). */
export interface TimestampInfo {
  readonly imprint: { readonly algorithm: ImprintAlgorithm; readonly digest: Uint8Array }
  /** Epoch milliseconds; the token holds whole seconds. */
  readonly genTime: number
  /** The big-endian magnitude. */
  readonly serialNumber: Uint8Array
  /** The content of the INTEGER, as the request had it. */
  readonly nonce?: Uint8Array | undefined
}

/** Whose timestamps are written. */
export interface TokenAuthority {
  /** ECDSA. */
  readonly signer: LocalSigner
  /** The signer's certificate. */
  readonly certificate: Certificate
  /** Object identifier of the policy that tokens are issued under. */
  readonly policy: string
}

/**
 * Writes one token: a ContentInfo, DER.
 * @param certificates to bring along, DER; none when the request asks for none
 * @throws UsageError USAGE for a digest of another length than its algorithm's; whatever the signer throws
 */
export type TimestampTokenWriter = (info: TimestampInfo, certificates: readonly Uint8Array[]) => Uint8Array

const signingTimeAttribute = '1.2.840.113549.1.9.5'
const ecdsaWith: Readonly<Record<string, readonly [digest: DigestAlgorithm, algorithmOid: string]>> = {
  'ecdsa-sha256': ['sha256', '1.2.840.10045.4.3.2'],
  'ecdsa-sha384': ['sha384', '1.2.840.10045.4.3.3'],
  'ecdsa-sha512': ['sha512', '1.2.840.10045.4.3.4'],
}

const empty = new Uint8Array(0)
const versionOne = derInteger(1)
const versionThree = derInteger(3)
const oneSecond = derSequence(derInteger(1))
const signedDataType = derOid(oid.signedData)
const tstInfoType = derOid(oid.tstInfo)
const contentType = attribute(oid.contentTypeAttribute, tstInfoType)
const messageDigestType = derOid(oid.messageDigestAttribute)
const signingTimeType = derOid(signingTimeAttribute)
const imprintAlgorithms: Readonly<Record<ImprintAlgorithm, Uint8Array>> = {
  sha256: derSequence(derOid(oid.sha256), derNull()),
  sha384: derSequence(derOid(oid.sha384), derNull()),
  sha512: derSequence(derOid(oid.sha512), derNull()),
}

/**
 * Makes a writer of tokens with an accuracy of one second, `signingCertificateV2` (RFC 5816) and the name of the authority.
 * @throws UsageError USAGE when the key is not ECDSA, or not that of the certificate; DecodingError DER_INVALID for a policy
 *   that is no object identifier
 */
export function createTimestampTokenWriter({ signer, certificate, policy }: TokenAuthority): TimestampTokenWriter {
  const [digestAlgorithm, signatureOid] = ecdsaWith[signer.algorithm] ?? []
  if (digestAlgorithm === undefined || signatureOid === undefined)
    throw new UsageError('USAGE', `timestamps are signed with ECDSA, found a signer with ${signer.algorithm}`)
  if (!equalBytes(signer.publicKey.spki, certificate.spki))
    throw new UsageError('USAGE', "the timestamp authority's certificate is not of its signing key")
  // RFC 5754 section 2: digests in CMS have no parameters.
  const digestIdentifier = derSequence(derOid(digestOid(digestAlgorithm)))
  const signatureIdentifier = derSequence(derOid(signatureOid))
  const infoHead = concatBytes(versionOne, derOid(policy))
  const authorityName = derExplicit(0, directoryName(certificate.subject))
  const serialNumber = derElement(tag.integer, certificate.serialNumber)
  const signerHead = concatBytes(versionOne, derSequence(certificate.issuer, serialNumber), digestIdentifier)
  const signingCertificate = signingCertificateV2(certificate, serialNumber)
  const dataHead = concatBytes(versionThree, derSet(digestIdentifier))

  return (info, certificates) => {
    const tstInfo = encodeTstInfo(info, infoHead, authorityName)
    const attributes = derSet(
      contentType,
      derSequence(signingTimeType, derSet(derTime(info.genTime))),
      derSequence(messageDigestType, derSet(derOctetString(digest(digestAlgorithm, tstInfo)))),
      signingCertificate,
    )
    const signerInfo = derSequence(
      signerHead,
      // RFC 5652 section 5.4: signed with the tag of a SET OF, sent as the implicit [0].
      Uint8Array.of(contextTag(0, true)),
      attributes.subarray(1),
      signatureIdentifier,
      derOctetString(signer.sign(attributes)),
    )
    const signedData = derSequence(
      dataHead,
      derSequence(tstInfoType, derExplicit(0, derOctetString(tstInfo))),
      certificates.length === 0 ? empty : derExplicit(0, ...certificates),
      derSet(signerInfo),
    )
    return derSequence(signedDataType, derExplicit(0, signedData))
  }
}

/** RFC 3161 section 2.4.2. `ordering` is its default, false, and so left out. */
function encodeTstInfo({ imprint, genTime, serialNumber, nonce }: TimestampInfo, head: Uint8Array, authorityName: Uint8Array): Uint8Array {
  if (imprint.digest.length !== digestLength(imprint.algorithm)) {
    throw new UsageError(
      'USAGE',
      `a ${imprint.algorithm} digest has ${digestLength(imprint.algorithm)} bytes, found ${imprint.digest.length}`,
    )
  }
  return derSequence(
    head,
    derSequence(imprintAlgorithms[imprint.algorithm], derOctetString(imprint.digest)),
    derInteger(serialNumber),
    derGeneralizedTime(Math.floor(genTime / 1000) * 1000),
    oneSecond,
    nonce === undefined ? empty : derElement(tag.integer, nonce),
    authorityName,
  )
}

/** RFC 5035 section 3: ESSCertIDv2 with its default digest, SHA-256, which DER leaves out. */
function signingCertificateV2(certificate: Certificate, serialNumber: Uint8Array): Uint8Array {
  const issuerSerial = derSequence(derSequence(directoryName(certificate.issuer)), serialNumber)
  const id = derSequence(derOctetString(digest('sha256', certificate.bytes)), issuerSerial)
  return attribute(oid.signingCertificateV2Attribute, derSequence(derSequence(id)))
}

function attribute(type: string, value: Uint8Array): Uint8Array {
  return derSequence(derOid(type), derSet(value))
}

/** GeneralName with a Name. */
function directoryName(name: Uint8Array): Uint8Array {
  return derExplicit(4, name)
}

function digestOid(algorithm: DigestAlgorithm): string {
  return algorithm === 'sha384' ? oid.sha384 : algorithm === 'sha512' ? oid.sha512 : oid.sha256
}
