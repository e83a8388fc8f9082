/** Certificates of any shape, right and wrong, with SCTs that fit what is finally signed. */
import { createHash, randomBytes } from 'node:crypto'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import {
  derBitString,
  derBoolean,
  derElement,
  derExplicit,
  derImplicit,
  derInteger,
  derNamedBits,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
} from '../../../src/encoding/der-writer.ts'
import { tlsOpaque, tlsUint } from '../../../src/encoding/tls.ts'
import type { KeyKind, TestKey } from './keys.ts'
import { signWith } from './keys.ts'

const sigstoreArc = '1.3.6.1.4.1.57264.1'

/** A certificate with what is needed to issue further ones. */
export interface TestCertificate {
  readonly der: Uint8Array
  readonly key: TestKey
  readonly name: string
  readonly subjectKeyIdentifier: Uint8Array
}

export type SubjectName = { readonly email: string } | { readonly uri: string } | { readonly username: string } | { readonly dns: string }

export interface SctOptions {
  readonly log: TestKey
  readonly time: number
  readonly extensions?: Uint8Array
  /** Signs with another key than the log's, whose ID the SCT still carries. */
  readonly signer?: TestKey
  /** Claims another issuer than the one that signed. */
  readonly issuerSpki?: Uint8Array
}

export interface CertificateOptions {
  readonly key: TestKey
  /** Common name of the subject; empty for none, as Fulcio's leaves have it. */
  readonly name?: string
  readonly notBefore: number
  readonly notAfter: number
  readonly ca?: boolean
  readonly pathLength?: number
  /** Named bits of the key usage; `none` leaves the extension out. */
  readonly keyUsage?: readonly number[] | 'none'
  /** `none` leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[] | 'none'
  readonly extendedKeyUsageCritical?: boolean
  readonly subjects?: readonly SubjectName[]
  readonly subjectsCritical?: boolean
  /** Values of Fulcio's extensions by number. */
  readonly sigstore?: Readonly<Record<number, string>>
  /** Further extensions as they are. */
  readonly extensions?: readonly Uint8Array[]
  readonly scts?: readonly SctOptions[]
  readonly authorityKeyIdentifier?: Uint8Array
}

export const codeSigning = '1.3.6.1.5.5.7.3.3'
export const timeStamping = '1.3.6.1.5.5.7.3.8'

/** Issues a certificate, by itself when there is no issuer. */
export function issue(options: CertificateOptions, issuer?: TestCertificate): TestCertificate {
  const signer = issuer?.key ?? options.key
  const subjectKeyIdentifier = createHash('sha1').update(options.key.spki).digest()
  const extensions = [
    ...baseExtensions(options, subjectKeyIdentifier, options.authorityKeyIdentifier ?? issuer?.subjectKeyIdentifier),
    ...sigstoreExtensions(options.sigstore ?? {}),
    ...(options.extensions ?? []),
  ]
  const algorithm = certificateAlgorithm(signer.kind)
  const head = [
    derExplicit(0, derInteger(2)),
    derInteger(concatBytes(Uint8Array.of(0x40), randomBytes(18))),
    algorithm,
    distinguishedName(issuer?.name ?? options.name ?? ''),
    derSequence(derTime(options.notBefore), derTime(options.notAfter)),
    distinguishedName(options.name ?? ''),
    options.key.spki,
  ]
  const tbsWith = (all: readonly Uint8Array[]): Uint8Array => derSequence(...head, derExplicit(3, derSequence(...all)))
  const scts = (options.scts ?? []).map((sct) => serialiseSct(sct, sct.issuerSpki ?? signer.spki, tbsWith(extensions)))
  const tbs = tbsWith(scts.length === 0 ? extensions : [...extensions, sctExtension(scts)])
  const der = derSequence(tbs, algorithm, derBitString(signWith(signer, tbs)))
  return { der, key: options.key, name: options.name ?? '', subjectKeyIdentifier }
}

/** One extension. */
export function extension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctetString(value))
}

export function pemOf(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines = Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** A Name with organisation and common name; the empty Name for the empty text. */
export function distinguishedName(name: string): Uint8Array {
  if (name === '') return derSequence()
  const attribute = (oid: string, text: string): Uint8Array => derSet(derSequence(derOid(oid), derUtf8String(text)))
  return derSequence(attribute('2.5.4.10', 'universe.test'), attribute('2.5.4.3', name))
}

/** AlgorithmIdentifier of a certificate signature. */
export function certificateAlgorithm(kind: KeyKind): Uint8Array {
  const oids: Readonly<Record<KeyKind, string>> = {
    p256: '1.2.840.10045.4.3.2',
    p384: '1.2.840.10045.4.3.3',
    p521: '1.2.840.10045.4.3.4',
    rsa: '1.2.840.113549.1.1.11',
    ed25519: '1.3.101.112',
  }
  return kind === 'rsa' ? derSequence(derOid(oids[kind]), derNull()) : derSequence(derOid(oids[kind]))
}

/** A detached SCT over a whole certificate. */
export function detachedSct(sct: SctOptions, certificate: Uint8Array): Uint8Array {
  return finishSct(sct, concatBytes(tlsUint(0, 2), tlsOpaque(certificate, 3)))
}

function serialiseSct(sct: SctOptions, issuerSpki: Uint8Array, tbs: Uint8Array): Uint8Array {
  return finishSct(sct, concatBytes(tlsUint(1, 2), createHash('sha256').update(issuerSpki).digest(), tlsOpaque(tbs, 3)))
}

function finishSct(sct: SctOptions, entry: Uint8Array): Uint8Array {
  const extensions = tlsOpaque(sct.extensions ?? new Uint8Array(0), 2)
  const signed = concatBytes(Uint8Array.of(0, 0), tlsUint(sct.time, 8), entry, extensions)
  const signature = signWith(sct.signer ?? sct.log, signed, 'sha256')
  const algorithm = Uint8Array.of(4, sct.log.kind === 'rsa' ? 1 : 3)
  const logId = createHash('sha256').update(sct.log.spki).digest()
  return concatBytes(Uint8Array.of(0), logId, tlsUint(sct.time, 8), extensions, algorithm, tlsOpaque(signature, 2))
}

function sctExtension(scts: readonly Uint8Array[]): Uint8Array {
  const list = tlsOpaque(concatBytes(...scts.map((sct) => tlsOpaque(sct, 2))), 2)
  return extension('1.3.6.1.4.1.11129.2.4.2', derOctetString(list))
}

function baseExtensions(options: CertificateOptions, ski: Uint8Array, aki: Uint8Array | undefined): Uint8Array[] {
  const extensions: Uint8Array[] = []
  const keyUsage = options.keyUsage ?? (options.ca === true ? [5, 6] : [0])
  if (keyUsage !== 'none') extensions.push(extension('2.5.29.15', derNamedBits(...keyUsage), true))
  const purposes = options.extendedKeyUsage ?? (options.ca === true ? 'none' : [codeSigning])
  if (purposes !== 'none') {
    extensions.push(extension('2.5.29.37', derSequence(...purposes.map(derOid)), options.extendedKeyUsageCritical === true))
  }
  if (options.ca === true) {
    const length = options.pathLength === undefined ? [] : [derInteger(options.pathLength)]
    extensions.push(extension('2.5.29.19', derSequence(derBoolean(true), ...length), true))
  }
  extensions.push(extension('2.5.29.14', derOctetString(ski)))
  if (aki !== undefined) extensions.push(extension('2.5.29.35', derSequence(derImplicit(0, aki))))
  const subjects = options.subjects ?? []
  if (subjects.length > 0) {
    const critical = options.subjectsCritical ?? (options.name ?? '') === ''
    extensions.push(extension('2.5.29.17', derSequence(...subjects.map(generalName)), critical))
  }
  return extensions
}

function generalName(subject: SubjectName): Uint8Array {
  if ('email' in subject) return derImplicit(1, encodeUtf8(subject.email))
  if ('uri' in subject) return derImplicit(6, encodeUtf8(subject.uri))
  if ('dns' in subject) return derImplicit(2, encodeUtf8(subject.dns))
  return derElement(0xa0, concatBytes(derOid(`${sigstoreArc}.7`), derExplicit(0, derUtf8String(subject.username))))
}

function sigstoreExtensions(values: Readonly<Record<number, string>>): Uint8Array[] {
  return Object.entries(values).map(([number, text]) =>
    extension(`${sigstoreArc}.${number}`, Number(number) <= 6 ? encodeUtf8(text) : derUtf8String(text)),
  )
}
