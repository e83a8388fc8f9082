/** RFC 3161 tokens of any shape, right and wrong. */
import { randomBytes } from 'node:crypto'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import {
  derBoolean,
  derElement,
  derExplicit,
  derGeneralizedTime,
  derImplicit,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
} from '../../../src/encoding/der-writer.ts'
import type { TestCertificate } from './certificates.ts'
import { certificateAlgorithm, distinguishedName } from './certificates.ts'
import type { DigestName, TestKey } from './keys.ts'
import { digestOf, signWith, usualDigest } from './keys.ts'

const digestOids = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const
/** The digests of message imprints. */
export type TokenDigest = keyof typeof digestOids

/** A token and what is wrong with it. `genTime` is in milliseconds since 1970. */
export interface TimestampOptions {
  readonly genTime: number
  /** The text of the time, where it should have fractions or not be a time at all. */
  readonly genTimeText?: string
  readonly imprint?: TokenDigest
  /** The imprint itself, where the stamped bytes are not at hand. */
  readonly imprintDigest?: Uint8Array
  readonly status?: number
  /** Of the SignedData; 3 by default. */
  readonly version?: number
  /** Leaves the token out of the response, as a refusal does. */
  readonly withoutToken?: boolean
  /** Certificates to bring along; none by default. */
  readonly certificates?: readonly Uint8Array[]
  /** The certificate that the token names, where it is not the one that signs. */
  readonly names?: TestCertificate
  /** The Name, DER, of the issuer of the certificate that the token names. Its own by default. */
  readonly issuerName?: Uint8Array
  /** Signs with another key than the certificate's. */
  readonly key?: TestKey
  readonly wrongMessageDigest?: boolean
  readonly wrongCertificateHash?: boolean
  readonly withoutCertificateHash?: boolean
  readonly contentType?: string
  readonly policy?: string
  readonly serialNumber?: bigint
  /** Whole seconds; `none` leaves the accuracy out. */
  readonly accuracy?: number | 'none'
  readonly ordering?: boolean
  readonly nonce?: bigint
  /** Extensions of the token itself, each as `extension` makes it. */
  readonly extensions?: readonly Uint8Array[]
  /** Further signed attributes, DER. */
  readonly attributes?: readonly Uint8Array[]
}

const signedData = '1.2.840.113549.1.7.2'
const tstInfo = '1.2.840.113549.1.9.16.1.4'

/** A TimeStampResp over the bytes. */
export function timestamp(stamped: Uint8Array, signer: TestCertificate, options: TimestampOptions): Uint8Array {
  const status = derSequence(derInteger(options.status ?? 0))
  if (options.withoutToken === true) return derSequence(status)
  const info = tokenInfo(stamped, signer, options)
  const digest = usualDigest(signer.key)
  const certificates = options.certificates ?? []
  const data = derSequence(
    derInteger(options.version ?? 3),
    derSet(digestAlgorithm(digest)),
    derSequence(derOid(tstInfo), derExplicit(0, derOctetString(info))),
    ...(certificates.length === 0 ? [] : [derElement(0xa0, concatBytes(...certificates))]),
    derSet(signerInfo(info, signer, digest, options)),
  )
  return derSequence(status, derSequence(derOid(signedData), derExplicit(0, data)))
}

/** An attribute with one value. */
export function attribute(oid: string, value: Uint8Array): Uint8Array {
  return derSequence(derOid(oid), derSet(value))
}

/** TSTInfo (RFC 3161 section 2.4.2). */
function tokenInfo(stamped: Uint8Array, signer: TestCertificate, options: TimestampOptions): Uint8Array {
  const imprint = options.imprint ?? 'sha256'
  const { accuracy = 1, genTimeText, nonce } = options
  return derSequence(
    derInteger(1),
    derOid(options.policy ?? '1.3.6.1.4.1.57264.2'),
    derSequence(digestAlgorithm(imprint), derOctetString(options.imprintDigest ?? digestOf(imprint, stamped))),
    derInteger(options.serialNumber ?? randomBytes(20)),
    genTimeText === undefined ? derGeneralizedTime(options.genTime) : derElement(0x18, encodeUtf8(genTimeText)),
    ...(accuracy === 'none' ? [] : [derSequence(derInteger(accuracy))]),
    ...(options.ordering === true ? [derBoolean(true)] : []),
    ...(nonce === undefined ? [] : [derInteger(nonce)]),
    derExplicit(0, directoryName(distinguishedName(signer.name))),
    ...(options.extensions === undefined ? [] : [derImplicit(1, concatBytes(...options.extensions), true)]),
  )
}

/** SignerInfo (RFC 5652 section 5.3), with the attributes that RFC 3161 and RFC 5816 ask for. */
function signerInfo(info: Uint8Array, signer: TestCertificate, digest: DigestName, options: TimestampOptions): Uint8Array {
  const named = options.names ?? signer
  const issuer = options.issuerName ?? distinguishedName(named.issuerName)
  const certificateHash = options.wrongCertificateHash === true ? randomBytes(32) : digestOf('sha256', named.der)
  const certificateId = derSequence(derOctetString(certificateHash), derSequence(derSequence(directoryName(issuer)), named.serialNumber))
  const attributes = derSet(
    attribute('1.2.840.113549.1.9.3', derOid(options.contentType ?? tstInfo)),
    attribute('1.2.840.113549.1.9.5', derTime(options.genTime)),
    attribute('1.2.840.113549.1.9.4', derOctetString(options.wrongMessageDigest === true ? randomBytes(32) : digestOf(digest, info))),
    ...(options.withoutCertificateHash === true ? [] : [attribute('1.2.840.113549.1.9.16.2.47', derSequence(derSequence(certificateId)))]),
    ...(options.attributes ?? []),
  )
  return derSequence(
    derInteger(1),
    derSequence(issuer, named.serialNumber),
    digestAlgorithm(digest),
    // What is signed is the SET; what stands here is tagged [0] IMPLICIT (RFC 5652 section 5.4).
    concatBytes(Uint8Array.of(0xa0), attributes.subarray(1)),
    certificateAlgorithm(signer.key.kind),
    derOctetString(signWith(options.key ?? signer.key, attributes)),
  )
}

function digestAlgorithm(name: TokenDigest): Uint8Array {
  return derSequence(derOid(digestOids[name]), derNull())
}

function directoryName(name: Uint8Array): Uint8Array {
  return derExplicit(4, name)
}
