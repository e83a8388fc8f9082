/** Certificates of any shape, right and wrong, with SCTs that fit what is finally signed. */
import { randomBytes } from 'node:crypto'
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
import { encodePem } from '../../../src/encoding/pem.ts'
import type { KeyKind, TestKey } from './keys.ts'
import { digestOf, signWith } from './keys.ts'
import type { SctOptions } from './scts.ts'
import { embeddedSct, sctList } from './scts.ts'

export type { SctOptions } from './scts.ts'
export { detachedSct } from './scts.ts'

const sigstoreArc = '1.3.6.1.4.1.57264.1'

/** A certificate with what is needed to issue further ones. */
export interface TestCertificate {
  readonly der: Uint8Array
  readonly key: TestKey
  readonly name: string
  readonly issuerName: string
  /** INTEGER, DER. */
  readonly serialNumber: Uint8Array
  readonly subjectKeyIdentifier: Uint8Array
}

/** A GeneralName of the subject alternative name; `der` is one that is encoded already. */
export type SubjectName =
  | { readonly email: string }
  | { readonly uri: string }
  | { readonly username: string }
  | { readonly dns: string }
  | { readonly der: Uint8Array }

/** A certificate and what is wrong with it. Instants are milliseconds since 1970; without more, it is a code signing leaf. */
export interface CertificateOptions {
  readonly key: TestKey
  /** Common name of the subject; empty for none, as Fulcio's leaves have it. */
  readonly name?: string
  readonly notBefore: number
  readonly notAfter: number
  readonly ca?: boolean
  readonly pathLength?: number
  /** How basic constraints stand there; critical in a CA certificate and `none` in a leaf by default. */
  readonly basicConstraints?: 'critical' | 'not critical' | 'none'
  /** Named bits of the key usage; `none` leaves the extension out. */
  readonly keyUsage?: readonly number[] | 'none'
  readonly keyUsageCritical?: boolean
  /** `none` leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[] | 'none'
  readonly extendedKeyUsageCritical?: boolean
  readonly subjects?: readonly SubjectName[]
  readonly subjectsCritical?: boolean
  /** Values of Fulcio's extensions by number: texts in the encoding of their number, bytes as they are. */
  readonly sigstore?: Readonly<Record<number, string | Uint8Array>>
  /** Further extensions as they are. */
  readonly extensions?: readonly Uint8Array[]
  readonly scts?: readonly SctOptions[]
  readonly authorityKeyIdentifier?: Uint8Array
  /** Big-endian magnitude; 19 random bytes by default. */
  readonly serialNumber?: Uint8Array
  /** Names another issuer than the one that signs. */
  readonly issuerName?: string
  /** Signs with another key than the issuer's. */
  readonly signer?: TestKey
  /** The AlgorithmIdentifier outside the signed part, where it should differ from the one inside. */
  readonly outerAlgorithm?: Uint8Array
}

/** Extended key usage of signers. */
export const codeSigning = '1.3.6.1.5.5.7.3.3'
/** Extended key usage of timestamp authorities. */
export const timeStamping = '1.3.6.1.5.5.7.3.8'

/** Issues a certificate, by itself when there is no issuer. */
export function issue(options: CertificateOptions, issuer?: TestCertificate): TestCertificate {
  const issuerKey = issuer?.key ?? options.key
  const signer = options.signer ?? issuerKey
  const name = options.name ?? ''
  const issuerName = options.issuerName ?? issuer?.name ?? name
  const serialNumber = derInteger(options.serialNumber ?? concatBytes(Uint8Array.of(0x40), randomBytes(18)))
  const subjectKeyIdentifier = digestOf('sha1', options.key.spki)
  const extensions = [
    ...baseExtensions(options, subjectKeyIdentifier, options.authorityKeyIdentifier ?? issuer?.subjectKeyIdentifier),
    ...sigstoreExtensions(options.sigstore ?? {}),
    ...(options.extensions ?? []),
  ]
  const algorithm = certificateAlgorithm(signer.kind)
  const head = [
    derExplicit(0, derInteger(2)),
    serialNumber,
    algorithm,
    distinguishedName(issuerName),
    derSequence(derTime(options.notBefore), derTime(options.notAfter)),
    distinguishedName(name),
    options.key.spki,
  ]
  const tbsWith = (all: readonly Uint8Array[]): Uint8Array => derSequence(...head, derExplicit(3, derSequence(...all)))
  const withoutScts = tbsWith(extensions)
  const scts = (options.scts ?? []).map((sct) => embeddedSct(sct, issuerKey.spki, withoutScts))
  const tbs = scts.length === 0 ? withoutScts : tbsWith([...extensions, sctExtension(scts)])
  const der = derSequence(tbs, options.outerAlgorithm ?? algorithm, derBitString(signWith(signer, tbs)))
  return { der, key: options.key, name, issuerName, serialNumber, subjectKeyIdentifier }
}

/** One extension. */
export function extension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctetString(value))
}

/** The extension with these serialised SCTs. `issue` makes one by itself; this is for those that it would not make. */
export function sctExtension(scts: readonly Uint8Array[]): Uint8Array {
  return extension('1.3.6.1.4.1.11129.2.4.2', derOctetString(sctList(scts)))
}

/** One PEM block. */
export function pemOf(der: Uint8Array, label = 'CERTIFICATE'): string {
  return encodePem(label, der)
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

function baseExtensions(options: CertificateOptions, ski: Uint8Array, aki: Uint8Array | undefined): Uint8Array[] {
  const extensions: Uint8Array[] = []
  const isCa = options.ca === true
  const keyUsage = options.keyUsage ?? (isCa ? [5, 6] : [0])
  if (keyUsage !== 'none') extensions.push(extension('2.5.29.15', derNamedBits(...keyUsage), options.keyUsageCritical ?? true))
  const purposes = options.extendedKeyUsage ?? (isCa ? 'none' : [codeSigning])
  if (purposes !== 'none') {
    extensions.push(extension('2.5.29.37', derSequence(...purposes.map(derOid)), options.extendedKeyUsageCritical === true))
  }
  const basicConstraints = options.basicConstraints ?? (isCa ? 'critical' : 'none')
  if (basicConstraints !== 'none') {
    const length = options.pathLength === undefined ? [] : [derInteger(options.pathLength)]
    const value = derSequence(...(isCa ? [derBoolean(true)] : []), ...length)
    extensions.push(extension('2.5.29.19', value, basicConstraints === 'critical'))
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
  if ('der' in subject) return subject.der
  if ('email' in subject) return derImplicit(1, encodeUtf8(subject.email))
  if ('uri' in subject) return derImplicit(6, encodeUtf8(subject.uri))
  if ('dns' in subject) return derImplicit(2, encodeUtf8(subject.dns))
  return derElement(0xa0, concatBytes(derOid(`${sigstoreArc}.7`), derExplicit(0, derUtf8String(subject.username))))
}

/** The numbers up to 6 are bare texts, the later ones DER UTF8String. Integer keys come in ascending order, as Fulcio's do. */
function sigstoreExtensions(values: Readonly<Record<number, string | Uint8Array>>): Uint8Array[] {
  return Object.entries(values).map(([number, value]) => {
    const text = (content: string): Uint8Array => (Number(number) <= 6 ? encodeUtf8(content) : derUtf8String(content))
    return extension(`${sigstoreArc}.${number}`, typeof value === 'string' ? text(value) : value)
  })
}
