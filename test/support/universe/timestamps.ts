/** RFC 3161 tokens of any shape, right and wrong. */
import { createHash, randomBytes } from 'node:crypto'
import { concatBytes } from '../../../src/encoding/bytes.ts'
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
} from '../../../src/encoding/der-writer.ts'
import type { TestCertificate } from './certificates.ts'
import { certificateAlgorithm } from './certificates.ts'
import { signWith } from './keys.ts'

const digestOids = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1', sha384: '2.16.840.1.101.3.4.2.2', sha512: '2.16.840.1.101.3.4.2.3' } as const
export type TokenDigest = keyof typeof digestOids

export interface TimestampOptions {
  readonly genTime: number
  readonly imprint?: TokenDigest
  readonly status?: number
  /** Certificates to bring along; none by default. */
  readonly certificates?: readonly Uint8Array[]
  /** The certificate that the token names, where it is not the one that signs. */
  readonly names?: TestCertificate
  /** The issuer's certificate of the signer. */
  readonly issuerName: Uint8Array
  readonly wrongMessageDigest?: boolean
  readonly wrongCertificateHash?: boolean
  readonly withoutCertificateHash?: boolean
  readonly contentType?: string
  readonly nonce?: bigint
}

const signedData = '1.2.840.113549.1.7.2'
const tstInfo = '1.2.840.113549.1.9.16.1.4'

/** A TimeStampResp over the bytes. */
export function timestamp(stamped: Uint8Array, signer: TestCertificate, options: TimestampOptions): Uint8Array {
  const digestOf = (name: TokenDigest, bytes: Uint8Array): Uint8Array => createHash(name).update(bytes).digest()
  const algorithm = (name: TokenDigest): Uint8Array => derSequence(derOid(digestOids[name]), derNull())
  const imprint = options.imprint ?? 'sha256'
  const info = derSequence(
    derInteger(1),
    derOid('1.3.6.1.4.1.57264.2'),
    derSequence(algorithm(imprint), derOctetString(digestOf(imprint, stamped))),
    derInteger(randomBytes(12)),
    derGeneralizedTime(options.genTime),
    derSequence(derInteger(1)),
    ...(options.nonce === undefined ? [] : [derInteger(options.nonce)]),
  )
  const digest = usualDigest(signer)
  const named = options.names ?? signer
  const certHash = options.wrongCertificateHash === true ? randomBytes(32) : digestOf('sha256', named.der)
  const attribute = (oid: string, value: Uint8Array): Uint8Array => derSequence(derOid(oid), derSet(value))
  const attributes = derSet(
    attribute('1.2.840.113549.1.9.3', derOid(options.contentType ?? tstInfo)),
    attribute('1.2.840.113549.1.9.4', derOctetString(options.wrongMessageDigest === true ? randomBytes(32) : digestOf(digest, info))),
    ...(options.withoutCertificateHash === true
      ? []
      : [attribute('1.2.840.113549.1.9.16.2.47', derSequence(derSequence(derSequence(derOctetString(certHash)))))]),
  )
  const signerInfo = derSequence(
    derInteger(1),
    derSequence(options.issuerName, serialNumberOf(named.der)),
    algorithm(digest),
    concatBytes(Uint8Array.of(0xa0), attributes.subarray(1)),
    certificateAlgorithm(signer.key.kind),
    derOctetString(signWith(signer.key, attributes)),
  )
  const certificates = options.certificates ?? []
  const data = derSequence(
    derInteger(3),
    derSet(algorithm(digest)),
    derSequence(derOid(tstInfo), derExplicit(0, derOctetString(info))),
    ...(certificates.length === 0 ? [] : [derElement(0xa0, concatBytes(...certificates))]),
    derSet(signerInfo),
  )
  return derSequence(derSequence(derInteger(options.status ?? 0)), derSequence(derOid(signedData), derExplicit(0, data)))
}

function usualDigest(signer: TestCertificate): TokenDigest {
  return signer.key.kind === 'p384' ? 'sha384' : signer.key.kind === 'p521' ? 'sha512' : 'sha256'
}

/** The serial number INTEGER of a certificate made by `issue`, which stands after the version. */
function serialNumberOf(certificate: Uint8Array): Uint8Array {
  const tbs = contentOf(contentOf(certificate))
  const versionEnd = 2 + (tbs[1] ?? 0)
  return tbs.subarray(versionEnd, versionEnd + 2 + (tbs[versionEnd + 1] ?? 0))
}

function contentOf(element: Uint8Array): Uint8Array {
  const first = element[1] ?? 0
  return element.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f))
}
