/** Signature algorithms, and their names in protobuf-specs and in X.509. */
import type { DerReader } from '../encoding/der.ts'
import { parseDerSequence } from '../encoding/der.ts'
import { excerpt } from '../encoding/bytes.ts'
import { derNull, derOid, derSequence } from '../encoding/der-writer.ts'
import { DecodingError, UsageError } from '../error.ts'
import type { DigestAlgorithm } from './digest.ts'
import { digestLength } from './digest.ts'
import type { PublicKey } from './public-key.ts'
import { describeKey } from './public-key.ts'

/** How a key signs: with which digest, and for RSA with which padding. */
export type SignatureAlgorithm =
  | `ecdsa-${DigestAlgorithm}`
  | `rsa-pkcs1-${'sha256' | 'sha384' | 'sha512'}`
  | `rsa-pss-${'sha256' | 'sha384' | 'sha512'}`
  | 'ed25519'
  | 'ed25519ph'

/** The algorithm that the Sigstore algorithm registry gives a key. */
export function defaultSignatureAlgorithm(key: PublicKey): SignatureAlgorithm {
  switch (key.kind) {
    case 'ecdsa':
      return key.curve === 'P-256' ? 'ecdsa-sha256' : key.curve === 'P-384' ? 'ecdsa-sha384' : 'ecdsa-sha512'
    case 'rsa':
      return 'rsa-pkcs1-sha256'
    case 'ed25519':
      return 'ed25519'
  }
}

/** The digest that the algorithm signs; undefined for pure Ed25519, which signs the message. */
export function digestOf(algorithm: SignatureAlgorithm): DigestAlgorithm | undefined {
  switch (algorithm) {
    case 'ecdsa-sha224':
      return 'sha224'
    case 'ecdsa-sha256':
    case 'rsa-pkcs1-sha256':
    case 'rsa-pss-sha256':
      return 'sha256'
    case 'ecdsa-sha384':
    case 'rsa-pkcs1-sha384':
    case 'rsa-pss-sha384':
      return 'sha384'
    case 'ecdsa-sha512':
    case 'rsa-pkcs1-sha512':
    case 'rsa-pss-sha512':
    case 'ed25519ph':
      return 'sha512'
    case 'ed25519':
      return undefined
  }
}

/** The algorithms by which a key may sign such a digest; none where keys of its kind do not. */
export function signatureAlgorithmsOver(digest: DigestAlgorithm, { kind }: PublicKey): readonly SignatureAlgorithm[] {
  const all: readonly SignatureAlgorithm[] = [
    `ecdsa-${digest}`,
    ...(digest === 'sha224' ? [] : [`rsa-pkcs1-${digest}` as const, `rsa-pss-${digest}` as const]),
    ...(digest === 'sha512' ? ['ed25519ph' as const] : []),
  ]
  return all.filter((algorithm) => algorithm.startsWith(kind))
}

type KeyDetails = readonly [kind: PublicKey['kind'], constraint: string | number | undefined, algorithm: SignatureAlgorithm]

function readKeyDetails(name: string): KeyDetails | undefined {
  switch (name) {
    case 'PKIX_ECDSA_P256_SHA_256':
    case 'PKIX_ECDSA_P256_HMAC_SHA_256':
      return ['ecdsa', 'P-256', 'ecdsa-sha256']
    case 'PKIX_ECDSA_P384_SHA_384':
      return ['ecdsa', 'P-384', 'ecdsa-sha384']
    case 'PKIX_ECDSA_P384_SHA_256':
      return ['ecdsa', 'P-384', 'ecdsa-sha256']
    case 'PKIX_ECDSA_P521_SHA_512':
      return ['ecdsa', 'P-521', 'ecdsa-sha512']
    case 'PKIX_ECDSA_P521_SHA_256':
      return ['ecdsa', 'P-521', 'ecdsa-sha256']
    case 'PKIX_RSA_PKCS1V15_2048_SHA256':
      return ['rsa', 2048, 'rsa-pkcs1-sha256']
    case 'PKIX_RSA_PKCS1V15_3072_SHA256':
      return ['rsa', 3072, 'rsa-pkcs1-sha256']
    case 'PKIX_RSA_PKCS1V15_4096_SHA256':
      return ['rsa', 4096, 'rsa-pkcs1-sha256']
    case 'PKIX_RSA_PSS_2048_SHA256':
      return ['rsa', 2048, 'rsa-pss-sha256']
    case 'PKIX_RSA_PSS_3072_SHA256':
      return ['rsa', 3072, 'rsa-pss-sha256']
    case 'PKIX_RSA_PSS_4096_SHA256':
      return ['rsa', 4096, 'rsa-pss-sha256']
    case 'PKCS1_RSA_PKCS1V5':
    case 'PKIX_RSA_PKCS1V5':
      return ['rsa', undefined, 'rsa-pkcs1-sha256']
    case 'PKCS1_RSA_PSS':
    case 'PKIX_RSA_PSS':
      return ['rsa', undefined, 'rsa-pss-sha256']
    case 'PKIX_ED25519':
      return ['ed25519', undefined, 'ed25519']
    case 'PKIX_ED25519_PH':
      return ['ed25519', undefined, 'ed25519ph']
    default:
      return undefined
  }
}

/** The names that are written. Those of before the algorithm registry are read only. */
const writtenKeyDetails = [
  'PKIX_ECDSA_P256_SHA_256',
  'PKIX_ECDSA_P384_SHA_384',
  'PKIX_ECDSA_P384_SHA_256',
  'PKIX_ECDSA_P521_SHA_512',
  'PKIX_ECDSA_P521_SHA_256',
  'PKIX_RSA_PKCS1V15_2048_SHA256',
  'PKIX_RSA_PKCS1V15_3072_SHA256',
  'PKIX_RSA_PKCS1V15_4096_SHA256',
  'PKIX_RSA_PSS_2048_SHA256',
  'PKIX_RSA_PSS_3072_SHA256',
  'PKIX_RSA_PSS_4096_SHA256',
  'PKIX_ED25519',
  'PKIX_ED25519_PH',
]

/**
 * The algorithm of a protobuf PublicKeyDetails name, for a key that must fit it.
 * @throws DecodingError KEY_UNSUPPORTED for an unknown name, KEY_INVALID when the key is of another kind, curve or size
 */
export function signatureAlgorithmFromKeyDetails(name: string, key: PublicKey): SignatureAlgorithm {
  const details = readKeyDetails(name)
  if (details === undefined) throw new DecodingError('KEY_UNSUPPORTED', `keys of the kind ${excerpt(name)} are not supported`)
  const [kind, constraint, algorithm] = details
  const found = sizeOf(key)
  if (kind !== key.kind || (constraint !== undefined && constraint !== found)) {
    throw new DecodingError('KEY_INVALID', `the key should be of the kind ${name}, found ${key.kind} ${found ?? ''}`.trimEnd())
  }
  return algorithm
}

/**
 * The protobuf PublicKeyDetails name for a key and how it signs.
 * @throws UsageError USAGE where there is none, such as for RSA of 2560 bits
 */
export function keyDetailsOf(key: PublicKey, algorithm: SignatureAlgorithm = defaultSignatureAlgorithm(key)): string {
  for (const name of writtenKeyDetails) {
    const [kind, constraint, stated] = readKeyDetails(name) ?? []
    if (kind === key.kind && stated === algorithm && (constraint === undefined || constraint === sizeOf(key))) return name
  }
  throw new UsageError('USAGE', `there is no keyDetails name for ${describeKey(key)} with ${algorithm}`)
}

function sizeOf(key: PublicKey): string | number | undefined {
  if (key.kind === 'ecdsa') return key.curve
  return key.kind === 'rsa' ? key.modulusBits : undefined
}

const oids: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.10045.4.3.1': 'ecdsa-sha224',
  '1.2.840.10045.4.3.2': 'ecdsa-sha256',
  '1.2.840.10045.4.3.3': 'ecdsa-sha384',
  '1.2.840.10045.4.3.4': 'ecdsa-sha512',
  '1.2.840.113549.1.1.11': 'rsa-pkcs1-sha256',
  '1.2.840.113549.1.1.12': 'rsa-pkcs1-sha384',
  '1.2.840.113549.1.1.13': 'rsa-pkcs1-sha512',
  '1.3.101.112': 'ed25519',
}
/**
 * The AlgorithmIdentifier of X.509 and CMS, DER (RFC 5758 section 3.2, RFC 8410 section 3, RFC 4055 section 5).
 * @throws UsageError USAGE for RSASSA-PSS and Ed25519ph, with which no certificates are issued here
 */
export function x509AlgorithmIdentifier(algorithm: SignatureAlgorithm): Uint8Array {
  const [dotted] = Object.entries(oids).find(([, known]) => known === algorithm) ?? []
  if (dotted === undefined) throw new UsageError('USAGE', `certificates are not signed with ${algorithm}`)
  return algorithm.startsWith('rsa') ? derSequence(derOid(dotted), derNull()) : derSequence(derOid(dotted))
}

const rsassaPss = '1.2.840.113549.1.1.10'
const mgf1 = '1.2.840.113549.1.1.8'
/**
 * The algorithm of an X.509 or CMS AlgorithmIdentifier.
 * @param parameters the parameters as a whole element
 * @throws DecodingError KEY_UNSUPPORTED for unknown and weak algorithms, KEY_INVALID for wrong parameters
 */
export function signatureAlgorithmFromOid(oid: string, parameters?: Uint8Array): SignatureAlgorithm {
  if (oid === rsassaPss) return pssAlgorithm(parameters)
  const algorithm = Object.hasOwn(oids, oid) ? oids[oid] : undefined
  if (algorithm === undefined) throw new DecodingError('KEY_UNSUPPORTED', `signatures with the algorithm ${oid} are not supported`)
  // RFC 5758 3.2 and RFC 8410 3: no parameters; RFC 4055 5: NULL, which some leave out.
  const isNull = parameters?.length === 2 && parameters[0] === 0x05 && parameters[1] === 0x00
  if (parameters !== undefined && !(isNull && algorithm.startsWith('rsa'))) {
    throw new DecodingError('KEY_INVALID', `the signature algorithm ${oid} has parameters that it should not have`)
  }
  return algorithm
}

/** RSASSA-PSS-params (RFC 4055 section 3.1): the digest spelled out, MGF1 over the same, and a salt as long as it. */
function pssAlgorithm(parameters: Uint8Array | undefined): SignatureAlgorithm {
  const params = parseDerSequence(parameters ?? new Uint8Array(0), 'the parameters of RSASSA-PSS')
  const digest = readDigest(params.context(0, 'hashAlgorithm'))
  const mask = params.context(1, 'maskGenAlgorithm')
  const generator = mask?.sequence('maskGenAlgorithm')
  mask?.end()
  if (generator?.oid('the mask generator') !== mgf1 || readDigest(generator) !== digest) {
    throw new DecodingError('KEY_UNSUPPORTED', 'RSASSA-PSS is supported with MGF1 over its own digest only')
  }
  const salt = params.context(2, 'saltLength')
  const saltLength = salt?.smallInteger('saltLength') ?? defaultSaltLength
  salt?.end()
  // X.690 section 11.5: a trailerField, whose only value is its default, is left out in DER. What is left here is malformed.
  params.end()
  if (saltLength !== digestLength(digest)) {
    throw new DecodingError(
      'KEY_UNSUPPORTED',
      `RSASSA-PSS with ${digest} is supported with a salt of ${digestLength(digest)} bytes only, found ${saltLength}`,
    )
  }
  return `rsa-pss-${digest}`
}

/** RFC 4055 section 3.1: the salt is as long as a SHA-1 digest where nothing is said. */
const defaultSaltLength = 20

function readDigest(reader: DerReader | undefined): 'sha256' | 'sha384' | 'sha512' {
  const identifier = reader?.sequence('the digest algorithm')
  reader?.end()
  const oid = identifier?.oid('the digest algorithm') ?? ''
  // RFC 4055 section 2.1: NULL or absent.
  if (identifier?.done === false) identifier.null('the parameters of the digest algorithm')
  identifier?.end()
  const pssDigests: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512'>> = {
    '2.16.840.1.101.3.4.2.1': 'sha256',
    '2.16.840.1.101.3.4.2.2': 'sha384',
    '2.16.840.1.101.3.4.2.3': 'sha512',
  }
  const digest = Object.hasOwn(pssDigests, oid) ? pssDigests[oid] : undefined
  if (digest === undefined) throw new DecodingError('KEY_UNSUPPORTED', 'RSASSA-PSS is supported with SHA-256, SHA-384 and SHA-512 only')
  return digest
}
