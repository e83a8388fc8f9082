/** X.509 v3 certificates (RFC 5280 section 4), parsed strictly. */
import { concatBytes, equalBytes, totalLength } from '../encoding/bytes.ts'
import { DerReader, parseDerSequence } from '../encoding/der.ts'
import { contextTag } from '../encoding/der-tag.ts'
import * as tag from '../encoding/universal-tag.ts'
import { derHeader } from '../encoding/der-writer.ts'
import { parsePem } from '../encoding/pem.ts'
import { DecodingError } from '../error.ts'
import type { BasicConstraints, Extension, KeyUsage } from './extension.ts'
import {
  parseAuthorityKeyIdentifier,
  parseBasicConstraints,
  parseExtendedKeyUsage,
  parseKeyUsage,
  parseSubjectKeyIdentifier,
} from './extension.ts'
import type { GeneralName } from './general-name.ts'
import { parseGeneralNames } from './general-name.ts'
import type { NameConstraints } from './name-constraints.ts'
import { parseNameConstraints } from './name-constraints.ts'
import * as oid from './object-identifiers.ts'
import type { SigstoreExtensionName, SigstoreExtensions } from './sigstore-extensions.ts'
import { parseSigstoreExtension, sigstoreExtensionName } from './sigstore-extensions.ts'

/** An AlgorithmIdentifier: the parameters as a whole element, if there are any. */
export interface AlgorithmIdentifier {
  readonly oid: string
  readonly parameters: Uint8Array | undefined
}

/** A certificate. Byte strings are views of the received DER; instants are epoch milliseconds. */
export interface Certificate {
  /** The whole certificate as received. */
  readonly bytes: Uint8Array
  /** The signed part as received. */
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  /** The content of the serial number INTEGER. */
  readonly serialNumber: Uint8Array
  /** Issuer and subject as whole Name elements: names are compared as bytes. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo as received. */
  readonly spki: Uint8Array
  readonly extensions: readonly Extension[]
  readonly basicConstraints: BasicConstraints | undefined
  readonly keyUsage: KeyUsage | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly subjectKeyIdentifier: Uint8Array | undefined
  readonly authorityKeyIdentifier: Uint8Array | undefined
  readonly subjectAlternativeNames: readonly GeneralName[]
  readonly subjectAlternativeNameCritical: boolean
  /** For whom a certificate authority, and those below it, may issue. */
  readonly nameConstraints: NameConstraints | undefined
  readonly sigstore: SigstoreExtensions
  /** The value of the embedded SCT list extension. */
  readonly embeddedScts: Uint8Array | undefined
  /** Critical extensions that nothing here understands: a path with one of them must be refused (RFC 5280 4.2). */
  readonly unknownCritical: readonly string[]
  /** The elements of the signed part that stand before its extensions. */
  readonly tbsHead: Uint8Array
}

const maxCertificateBytes = 64 * 1024
const maxExtensions = 64

/**
 * Parses one DER certificate.
 * @throws DecodingError DER_INVALID, CERTIFICATE_INVALID or TOO_LARGE
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > maxCertificateBytes) {
    throw new DecodingError('TOO_LARGE', `the certificate is ${der.length} bytes long, more than the limit of ${maxCertificateBytes}`)
  }
  const outer = parseDerSequence(der, 'the certificate')
  const tbs = outer.next(tag.sequence, 'tbsCertificate')
  const outerAlgorithm = outer.next(tag.sequence, 'signatureAlgorithm')
  const signature = outer.bitString('signatureValue')
  outer.end()

  const reader = new DerReader(tbs.content, 'the certificate', 1)
  const version = reader.context(0, 'version')
  if (version?.smallInteger('version') !== 2) throw invalid('the certificate is not of version 3')
  version.end()
  const serialNumber = reader.integerBytes('serialNumber')
  if ((serialNumber[0] ?? 0) >= 0x80 || serialNumber.length > 21) throw invalid('the serial number is negative or longer than 20 bytes')
  const innerAlgorithm = reader.whole(tag.sequence, 'signature')
  // RFC 5280 4.1.1.2: both must be the same, since only the inner one is signed.
  if (!equalBytes(innerAlgorithm, outerAlgorithm.bytes)) throw invalid('the two signature algorithms of the certificate differ')
  const issuer = reader.whole(tag.sequence, 'issuer')
  const validity = reader.sequence('validity')
  const notBefore = validity.certificateTime('notBefore')
  const notAfter = validity.certificateTime('notAfter')
  validity.end()
  const subject = reader.whole(tag.sequence, 'subject')
  const spki = reader.whole(tag.sequence, 'subjectPublicKeyInfo')
  const headLength = spki.byteOffset + spki.length - tbs.content.byteOffset
  const wrapped = reader.context(3, 'extensions')
  reader.end()
  const extensions = wrapped === undefined ? [] : parseExtensions(wrapped)
  const signatureAlgorithm = parseAlgorithmIdentifier(new DerReader(outerAlgorithm.content, 'the signature algorithm'))
  const read = interpret(extensions)

  // Written out: spread members cost each certificate a hidden class of its own.
  return {
    bytes: der,
    tbs: tbs.bytes,
    signatureAlgorithm,
    signature,
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    spki,
    extensions,
    tbsHead: tbs.content.subarray(0, headLength),
    basicConstraints: read.basicConstraints,
    keyUsage: read.keyUsage,
    extendedKeyUsage: read.extendedKeyUsage,
    subjectKeyIdentifier: read.subjectKeyIdentifier,
    authorityKeyIdentifier: read.authorityKeyIdentifier,
    subjectAlternativeNames: read.subjectAlternativeNames,
    subjectAlternativeNameCritical: read.subjectAlternativeNameCritical,
    nameConstraints: read.nameConstraints,
    sigstore: read.sigstore,
    embeddedScts: read.embeddedScts,
    unknownCritical: read.unknownCritical,
  }
}

/**
 * Parses the CERTIFICATE blocks of a PEM text, in their order.
 * @param what names the text in error messages
 * @throws DecodingError PEM_INVALID, CERTIFICATE_INVALID, DER_INVALID
 */
export function parseCertificatePem(text: string, what: string): Certificate[] {
  return parsePem(text, what).map((block) => {
    if (block.label !== 'CERTIFICATE') {
      throw new DecodingError('CERTIFICATE_INVALID', `${what} holds a ${block.label} where a CERTIFICATE was expected`)
    }
    return parseCertificate(block.der)
  })
}

/** Reads an AlgorithmIdentifier's two fields. */
export function parseAlgorithmIdentifier(reader: DerReader): AlgorithmIdentifier {
  const algorithm = reader.oid('the algorithm')
  const parameters = reader.done ? undefined : reader.any('the parameters').bytes
  reader.end()
  return { oid: algorithm, parameters }
}

/** The signed part without one extension, which is what a precertificate's SCT covers (RFC 6962 section 3.2). */
export function tbsWithoutExtension(certificate: Certificate, extensionOid: string): Uint8Array {
  return concatBytes(...tbsPartsWithoutExtension(certificate, extensionOid))
}

/** What stands one after another in the signed part without one extension. */
export function tbsPartsWithoutExtension({ tbs, tbsHead, extensions }: Certificate, extensionOid: string): Uint8Array[] {
  const position = extensions.findIndex(({ oid: found }) => found === extensionOid)
  // Every extension is a view of the signed part, which ends with the last one.
  const offsetOf = (extension: Extension | undefined): number =>
    extension === undefined ? tbs.length : extension.bytes.byteOffset - tbs.byteOffset
  const first = offsetOf(extensions[0])
  if (position === -1) return tbsParts(tbsHead, [tbs.subarray(first)])
  return tbsParts(tbsHead, [tbs.subarray(first, offsetOf(extensions[position])), tbs.subarray(offsetOf(extensions[position + 1]))])
}

/** A TBSCertificate, DER, of the elements in front of its extensions and of those. */
export function joinTbs(head: Uint8Array, extensions: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...tbsParts(head, extensions))
}

function tbsParts(head: Uint8Array, extensions: readonly Uint8Array[]): Uint8Array[] {
  const length = totalLength(extensions)
  const list = derHeader(tag.sequence, length)
  const wrapper = derHeader(contextTag(3, true), list.length + length)
  return [derHeader(tag.sequence, head.length + wrapper.length + list.length + length), head, wrapper, list, ...extensions]
}

/** Whether the issuer and the subject are one name. */
export function isSelfIssued(certificate: Certificate): boolean {
  return equalBytes(certificate.issuer, certificate.subject)
}

function parseExtensions(wrapped: DerReader): Extension[] {
  const list = wrapped.sequence('the extensions')
  wrapped.end()
  const extensions: Extension[] = []
  const seen = new Set<string>()
  while (!list.done) {
    if (extensions.length === maxExtensions) throw invalid(`the certificate has more than ${maxExtensions} extensions`)
    const fields = list.sequence('an extension')
    const extensionOid = fields.oid('extnID')
    const critical = fields.peekTag() === tag.boolean && fields.boolean('critical')
    if (!critical && fields.peekTag() !== tag.octetString)
      throw invalid(`the extension ${extensionOid} spells out critical FALSE, which DER leaves out`)
    const value = fields.octetString('extnValue')
    fields.end()
    if (seen.has(extensionOid)) throw invalid(`the certificate has the extension ${extensionOid} twice`)
    seen.add(extensionOid)
    extensions.push({ oid: extensionOid, critical, value, bytes: list.last() })
  }
  if (extensions.length === 0) throw invalid('the list of extensions is empty')
  return extensions
}

type Interpreted = Pick<
  Certificate,
  | 'basicConstraints'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
  | 'subjectAlternativeNames'
  | 'subjectAlternativeNameCritical'
  | 'nameConstraints'
  | 'sigstore'
  | 'embeddedScts'
  | 'unknownCritical'
>

function interpret(extensions: readonly Extension[]): Interpreted {
  let basicConstraints: BasicConstraints | undefined
  let keyUsage: KeyUsage | undefined
  let extendedKeyUsage: readonly string[] | undefined
  let subjectKeyIdentifier: Uint8Array | undefined
  let authorityKeyIdentifier: Uint8Array | undefined
  let subjectAlternativeNames: readonly GeneralName[] = []
  let subjectAlternativeNameCritical = false
  let nameConstraints: NameConstraints | undefined
  let embeddedScts: Uint8Array | undefined
  const sigstore: [SigstoreExtensionName, string][] = []
  const unknownCritical: string[] = []
  for (const extension of extensions) {
    const { value } = extension
    switch (extension.oid) {
      case oid.basicConstraints:
        basicConstraints = parseBasicConstraints(value)
        break
      case oid.keyUsage:
        keyUsage = parseKeyUsage(value)
        break
      case oid.extendedKeyUsage:
        extendedKeyUsage = parseExtendedKeyUsage(value)
        break
      case oid.subjectKeyIdentifier:
        subjectKeyIdentifier = parseSubjectKeyIdentifier(value)
        break
      case oid.authorityKeyIdentifier:
        authorityKeyIdentifier = parseAuthorityKeyIdentifier(value)
        break
      case oid.subjectAlternativeName:
        subjectAlternativeNames = parseGeneralNames(value)
        subjectAlternativeNameCritical = extension.critical
        break
      case oid.nameConstraints:
        nameConstraints = parseNameConstraints(value)
        break
      case oid.certificatePolicies:
        // Any policy will do, which is what RFC 5280 section 6.1.1 (c) starts from where nobody asks for one.
        break
      case oid.embeddedScts:
        embeddedScts = value
        break
      default: {
        const name = sigstoreExtensionName(extension.oid)
        if (name !== undefined) sigstore.push([name, parseSigstoreExtension(name, value)])
        else if (extension.critical) unknownCritical.push(extension.oid)
      }
    }
  }
  return {
    basicConstraints,
    keyUsage,
    extendedKeyUsage,
    subjectKeyIdentifier,
    authorityKeyIdentifier,
    subjectAlternativeNames,
    subjectAlternativeNameCritical,
    nameConstraints,
    // Members added one by one would make it a dictionary from some twenty on.
    sigstore: Object.fromEntries(sigstore),
    embeddedScts,
    unknownCritical,
  }
}

function invalid(message: string): DecodingError {
  return new DecodingError('CERTIFICATE_INVALID', message)
}
