/**
 * cosign's encrypted private key file: PEM around JSON, in which PKCS#8 is sealed with NaCl's secretbox (XSalsa20-Poly1305)
 * under a key that scrypt (RFC 7914) makes of the password.
 */
import { randomBytes } from 'node:crypto'
import type { Cipher } from '@noble/ciphers/utils.js'
import { encodeBase64 } from '../encoding/base64.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { encodePem } from '../encoding/pem.ts'
import { DecodingError, VerificationError } from '../error.ts'
import { readSingleBlock } from './key-pem.ts'
import type { PrivateKey } from './private-key.ts'
import { parsePrivateKey } from './private-key.ts'
import { scryptAside } from './scrypt.ts'
import type { KeyDerivation, ScryptSettings } from './scrypt.ts'

/** A box of NaCl's. */
export interface SealedSecret {
  readonly nonce: Uint8Array
  /** As NaCl has it: 16 bytes of Poly1305 tag, then the encrypted secret. */
  readonly ciphertext: Uint8Array
}

/** What the file holds: PKCS#8 in a box. Nothing in it was authenticated yet. */
export interface EncryptedPrivateKey extends SealedSecret, ScryptSettings {}

const label = 'ENCRYPTED SIGSTORE PRIVATE KEY'
/** What the label was before 2022. */
const oldLabel = 'ENCRYPTED COSIGN PRIVATE KEY'

/** New files have the middle one; the first is that of cosign 1 and 2. */
const acceptedCosts: readonly number[] = [32_768, 65_536, 131_072]
const cost = 65_536
const blockSize = 8
const parallelization = 1

const saltBytes = 32
const nonceBytes = 24
const tagBytes = 16
const maxFileBytes = 64 * 1024

/**
 * Reads an encrypted private key file without decrypting it, so that a caller asks for a password only where one is needed.
 * @throws DecodingError PEM_INVALID (`invalid pem block`), KEY_UNSUPPORTED (`unsupported pem type: …`, `unsupported scrypt
 *   parameters`), JSON_INVALID, KEY_INVALID, TOO_LARGE
 */
export function parseEncryptedPrivateKeyPem(text: string): EncryptedPrivateKey {
  if (text.length > maxFileBytes) {
    throw new DecodingError('TOO_LARGE', `the encrypted private key has ${text.length} characters, more than the limit of ${maxFileBytes}`)
  }
  const block = readSingleBlock(text)
  if (block.label !== label && block.label !== oldLabel) {
    throw new DecodingError('KEY_UNSUPPORTED', `unsupported pem type: ${block.label.slice(0, 60)}`)
  }
  const what = 'the encrypted private key'
  const file = new JsonFields(parseJson(block.der, what), what, 'KEY_INVALID').only('kdf', 'cipher', 'ciphertext')
  const kdf = file.object('kdf').only('name', 'params', 'salt')
  demandName(kdf, 'scrypt')
  const cipher = file.object('cipher').only('name', 'nonce')
  demandName(cipher, 'nacl/secretbox')
  return {
    cost: readCost(kdf.object('params').only('N', 'r', 'p')),
    salt: readSized(kdf, 'salt', saltBytes, saltBytes),
    nonce: readSized(cipher, 'nonce', nonceBytes, nonceBytes),
    ciphertext: readSized(file, 'ciphertext', tagBytes + 1, maxFileBytes),
  }
}

/**
 * A password for several files. What scrypt makes of it is kept for each salt, and files that are written with it have one salt, so that
 * all of them together cost what one does: whoever guesses passwords needs one file only, and their nonces differ.
 */
export class SharedPassword {
  readonly #password: Uint8Array
  readonly #keys = new Map<string, Promise<Uint8Array>>()
  /** That of files that are written. */
  readonly salt: Uint8Array = randomBytes(saltBytes)

  /** @param password the bytes as typed; may be empty */
  constructor(password: Uint8Array) {
    this.#password = password
  }

  /** The key that scrypt makes with this cost and salt. It is a copy, for the caller to wipe. */
  async keyFor(wanted: ScryptSettings): Promise<Uint8Array> {
    const name = `${wanted.cost} ${encodeBase64(wanted.salt)}`
    const key = this.#keys.get(name) ?? scryptAside(this.#password, wanted)
    this.#keys.set(name, key)
    return Uint8Array.from(await key)
  }

  /** Wipes what is kept. It can be used again, at the price of the first time. */
  async forget(): Promise<void> {
    const keys = [...this.#keys.values()]
    this.#keys.clear()
    for (const key of await Promise.allSettled(keys)) if (key.status === 'fulfilled') key.value.fill(0)
  }
}

/** A password: the bytes as typed, which may be none. */
export type Password = Uint8Array | SharedPassword

/**
 * Decrypts a private key. Takes a fifth of a second and 64 MB of memory at the usual cost.
 * @param derive how a password of one file becomes a key
 * @throws VerificationError KEY_DECRYPTION_FAILED (`decrypt: encrypted: decryption failed`) for a wrong password or a damaged file
 * @throws DecodingError KEY_INVALID, KEY_UNSUPPORTED when what was encrypted is not a PKCS#8 key of a supported kind
 */
export async function decryptPrivateKey(
  encrypted: EncryptedPrivateKey,
  password: Password,
  derive: KeyDerivation = scryptAside,
): Promise<PrivateKey> {
  const pkcs8 = await decryptSecret(encrypted, password, derive)
  try {
    return parsePrivateKey(pkcs8)
  } finally {
    pkcs8.fill(0)
  }
}

/** As `decryptPrivateKey`, for what `encryptSecret` was given. @throws VerificationError KEY_DECRYPTION_FAILED */
export async function decryptSecret(
  encrypted: EncryptedPrivateKey,
  password: Password,
  derive: KeyDerivation = scryptAside,
): Promise<Uint8Array> {
  const [key] = await Promise.all([keyOf(password, encrypted, derive), loadCipher()])
  try {
    return await openSecret(encrypted, key)
  } finally {
    key.fill(0)
  }
}

/** What is in the box, for whoever has the key that the password stands for. @throws VerificationError KEY_DECRYPTION_FAILED */
export async function openSecret({ nonce, ciphertext }: SealedSecret, key: Uint8Array): Promise<Uint8Array> {
  const seal = await loadCipher()
  try {
    return seal(key, nonce).decrypt(ciphertext)
  } catch (cause) {
    throw new VerificationError('KEY_DECRYPTION_FAILED', 'decrypt: encrypted: decryption failed', { cause })
  }
}

/** Puts a secret into a box that `openSecret` opens with the same key of 32 bytes. */
export async function sealSecret(secret: Uint8Array, key: Uint8Array): Promise<SealedSecret> {
  const nonce = randomBytes(nonceBytes)
  const seal = await loadCipher()
  return { nonce, ciphertext: seal(key, nonce).encrypt(secret) }
}

/**
 * Encrypts a private key as cosign does today.
 * @returns PEM, labelled `ENCRYPTED SIGSTORE PRIVATE KEY`
 */
export async function encryptPrivateKey(privateKey: PrivateKey, password: Password, derive: KeyDerivation = scryptAside): Promise<string> {
  const pkcs8 = privateKey.encodePkcs8()
  try {
    return await encryptSecret(pkcs8, password, derive)
  } finally {
    pkcs8.fill(0)
  }
}

/** As `encryptPrivateKey`, for a secret that is no private key: the file is of the same form. */
export async function encryptSecret(secret: Uint8Array, password: Password, derive: KeyDerivation = scryptAside): Promise<string> {
  const salt = password instanceof SharedPassword ? password.salt : randomBytes(saltBytes)
  const [key] = await Promise.all([keyOf(password, { cost, salt }, derive), loadCipher()])
  const sealed = await sealSecret(secret, key)
  key.fill(0)
  return encodeEncryptedPrivateKeyPem({ cost, salt, ...sealed })
}

/** The file: one byte string for what it holds, with its members in cosign's order. */
export function encodeEncryptedPrivateKeyPem(encrypted: EncryptedPrivateKey): string {
  const json = JSON.stringify({
    kdf: { name: 'scrypt', params: { N: encrypted.cost, r: blockSize, p: parallelization }, salt: encodeBase64(encrypted.salt) },
    cipher: { name: 'nacl/secretbox', nonce: encodeBase64(encrypted.nonce) },
    ciphertext: encodeBase64(encrypted.ciphertext),
  })
  return encodePem(label, encodeUtf8(json))
}

function demandName(fields: JsonFields, expected: string): void {
  const found = fields.string('name')
  if (found !== expected) {
    throw new DecodingError(
      'KEY_UNSUPPORTED',
      `${fields.pathOf('name')} should be ${expected}, found ${JSON.stringify(found.slice(0, 60))}`,
    )
  }
}

/** The file says how much memory to spend on it: only what cosign itself writes is believed. */
function readCost(params: JsonFields): number {
  const [n, r, p] = [params.int64('N'), params.int64('r'), params.int64('p')]
  const accepted = acceptedCosts.find((candidate) => BigInt(candidate) === n)
  if (accepted === undefined || r !== BigInt(blockSize) || p !== BigInt(parallelization)) {
    throw new DecodingError(
      'KEY_UNSUPPORTED',
      `unsupported scrypt parameters: expected N of ${acceptedCosts.join(', ')} with r=${blockSize} and p=${parallelization}, found N=${n}, r=${r}, p=${p}`,
    )
  }
  return accepted
}

function readSized(fields: JsonFields, name: string, least: number, most: number): Uint8Array {
  const bytes = fields.bytes(name)
  if (bytes.length < least || bytes.length > most) {
    const expected = least === most ? `${least}` : `${least} to ${most}`
    throw fields.invalid(`${fields.pathOf(name)} should have ${expected} bytes, found ${bytes.length}`)
  }
  return bytes
}

async function loadCipher(): Promise<(key: Uint8Array, nonce: Uint8Array) => Cipher> {
  return (await import('@noble/ciphers/salsa.js')).xsalsa20poly1305
}

function keyOf(password: Password, wanted: ScryptSettings, derive: KeyDerivation): Promise<Uint8Array> {
  return password instanceof SharedPassword ? password.keyFor(wanted) : derive(password, wanted)
}
