/** Private keys that live in memory: making them, reading and writing them unencrypted, and signing with them. */
import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { asBuffer } from '../encoding/bytes.ts'
import { parseDerSequence } from '../encoding/der.ts'
import * as tag from '../encoding/universal-tag.ts'
import { encodePem } from '../encoding/pem.ts'
import { DecodingError } from '../error.ts'
import { readSingleBlock } from './key-pem.ts'
import type { PublicKey } from './public-key.ts'
import { parsePublicKey } from './public-key.ts'
import type { SignatureAlgorithm } from './signature-algorithm.ts'
import { defaultSignatureAlgorithm } from './signature-algorithm.ts'
import { verifySignature } from './signature.ts'
import type { LocalSigner } from './signer.ts'
import { createNativeSigner } from './signer.ts'

export type { LocalSigner, SignatureState, Signer } from './signer.ts'

/** The kinds of keys that can be made. */
export type KeyKind = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'ed25519'

/** A private key. Printing or serialising it shows the public key only. */
export class PrivateKey {
  readonly publicKey: PublicKey
  readonly #native: KeyObject

  /** @throws DecodingError KEY_INVALID, KEY_UNSUPPORTED when it is not a key that `parsePublicKey` takes */
  constructor(native: KeyObject) {
    this.publicKey = parsePublicKey(createPublicKey(native).export({ type: 'spki', format: 'der' }))
    this.#native = native
  }

  /**
   * A signer for this key.
   * @param algorithm that of `defaultSignatureAlgorithm` unless given
   * @throws UsageError USAGE when the algorithm is not for such a key
   */
  createSigner(algorithm: SignatureAlgorithm = defaultSignatureAlgorithm(this.publicKey)): LocalSigner {
    return createNativeSigner(this.#native, this.publicKey, algorithm)
  }

  /** The key in the clear: PKCS#8 (RFC 5208), DER. */
  encodePkcs8(): Uint8Array {
    return this.#native.export({ type: 'pkcs8', format: 'der' })
  }

  /** The key in the clear as a PEM block labelled `PRIVATE KEY`. */
  encodePem(): string {
    return encodePem('PRIVATE KEY', this.encodePkcs8())
  }
}

/** Makes a new key. It exists in memory only. */
export function generatePrivateKey(kind: KeyKind): PrivateKey {
  return new PrivateKey(generate(kind))
}

/** A signer with a new key that nobody else has or will have. */
export function generateSigner(kind: KeyKind): LocalSigner {
  return generatePrivateKey(kind).createSigner()
}

/**
 * Reads a PKCS#8 private key (RFC 5208), DER, of a kind that `parsePublicKey` takes. The key must verify its own
 * signature, so one whose halves do not belong together is refused.
 * @throws DecodingError KEY_INVALID, KEY_UNSUPPORTED
 */
export function parsePrivateKey(pkcs8: Uint8Array): PrivateKey {
  return importPrivateKey(pkcs8, pkcs8Format)
}

/**
 * Reads a text with one PEM block: `PRIVATE KEY` (PKCS#8), `EC PRIVATE KEY` (SEC 1, with or without openssl's
 * `EC PARAMETERS` in front) or `RSA PRIVATE KEY` (PKCS#1). Encrypted keys are not read here.
 * @throws DecodingError PEM_INVALID (`invalid pem block`), KEY_UNSUPPORTED (`unsupported private key`), KEY_INVALID
 *   (`error parsing …`)
 */
export function parsePrivateKeyPem(text: string): PrivateKey {
  const { label, der } = readSingleBlock(text, 'EC PARAMETERS')
  const format = formats.get(label)
  if (format === undefined) throw unsupported(`expected ${[...formats.keys()].join(', ')}, found ${label.slice(0, 60)}${hintFor(label)}`)
  try {
    return importPrivateKey(der, format)
  } catch (cause) {
    if (!(cause instanceof DecodingError) || cause.code !== 'KEY_INVALID') throw cause
    throw new DecodingError('KEY_INVALID', `error parsing ${format.name} private key: ${cause.message}`, { cause })
  }
}

interface KeyFormat {
  readonly type: 'pkcs8' | 'sec1' | 'pkcs1'
  /** What cosign's errors call it. */
  readonly name: string
  readonly standard: string
  /** The tag of what follows the version. OpenSSL goes by the content, whichever format it is asked for. */
  readonly secondTag: number
}

const pkcs8Format: KeyFormat = { type: 'pkcs8', name: 'pkcs #8', standard: 'PKCS#8', secondTag: tag.sequence }

const formats: ReadonlyMap<string, KeyFormat> = new Map([
  ['PRIVATE KEY', pkcs8Format],
  ['EC PRIVATE KEY', { type: 'sec1', name: 'ecdsa', standard: 'SEC 1', secondTag: tag.octetString }],
  ['RSA PRIVATE KEY', { type: 'pkcs1', name: 'rsa', standard: 'PKCS#1', secondTag: tag.integer }],
])

/** RSA of 4096 bits takes 2.4 KB; attributes may follow. */
const maxBytes = 16 * 1024

function importPrivateKey(der: Uint8Array, { type, standard, secondTag }: KeyFormat): PrivateKey {
  if (der.length > maxBytes) throw invalid(`it is ${der.length} bytes long, more than the limit of ${maxBytes}`)
  let native: KeyObject
  try {
    const reader = parseDerSequence(der, 'the private key')
    reader.smallInteger('the version')
    reader.next(secondTag, 'what follows the version')
    native = withBothCoordinates(createPrivateKey({ key: asBuffer(der), format: 'der', type }))
  } catch {
    // Without a cause: the errors of readers may quote what they read, and it is a secret.
    throw new DecodingError('KEY_INVALID', `the private key is not a valid ${standard} key`)
  }
  const key = new PrivateKey(native)
  if (!signsForItself(key)) throw invalid('its private part does not belong to its public part')
  return key
}

/** SubjectPublicKeyInfo of P-256 with its point compressed has 59 bytes, of P-521 90, and the shortest that is not, of P-256, 91. */
const shortestUncompressed = 91

/** A key file may hold the compressed point (SEC 1 section 2.3.3), and OpenSSL keeps what it was given: public keys are written in one form. */
function withBothCoordinates(native: KeyObject): KeyObject {
  if (native.asymmetricKeyType !== 'ec') return native
  if (createPublicKey(native).export({ type: 'spki', format: 'der' }).length >= shortestUncompressed) return native
  try {
    return createPrivateKey({ key: native.export({ format: 'jwk' }), format: 'jwk' })
  } catch {
    // A curve that JSON Web Keys do not have, nor we: it is refused by name.
    return native
  }
}

const probe = Uint8Array.of(0)

function signsForItself(key: PrivateKey): boolean {
  try {
    const signer = key.createSigner()
    return verifySignature(key.publicKey, signer.algorithm, probe, signer.sign(probe))
  } catch {
    // OpenSSL refuses to sign with some broken keys, such as one whose scalar is zero.
    return false
  }
}

function hintFor(label: string): string {
  if (label === 'PUBLIC KEY' || label === 'RSA PUBLIC KEY') return ' (this is the public key)'
  return label.startsWith('ENCRYPTED') ? ' (the key is encrypted)' : ''
}

function generate(kind: KeyKind): KeyObject {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey
  const size = kind.slice(kind.indexOf('-') + 1)
  if (kind.startsWith('rsa-')) return generateKeyPairSync('rsa', { modulusLength: Number(size) }).privateKey
  return generateKeyPairSync('ec', { namedCurve: size.replace('p', 'P-') }).privateKey
}

function invalid(reason: string): DecodingError {
  return new DecodingError('KEY_INVALID', `the private key is not valid: ${reason}`)
}

function unsupported(reason: string): DecodingError {
  return new DecodingError('KEY_UNSUPPORTED', `unsupported private key: ${reason}`)
}
