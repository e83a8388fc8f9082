/** What the issuer keeps is sealed: a copy of the database gives neither its signing keys nor anyone's session or code. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { decodeBase64Url, encodeBase64Url } from '../../encoding/base64.ts'
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import type { JsonValue } from '../../encoding/json.ts'
import { parseJson } from '../../encoding/json.ts'
import { CountersignError } from '../../error.ts'

export interface Sealing {
  /** As `seal`, as JSON: what a store takes. */
  sealJson(value: unknown, place: string): string
  /** What `sealJson` was given. @throws as `open`; DecodingError JSON_INVALID */
  openJson(json: string, place: string): JsonValue
  /**
   * Encrypts and authenticates a text, AES-256-GCM with a random nonce.
   * @param place where it is kept; it opens nowhere else
   */
  seal(text: string, place: string): string
  /** @throws CountersignError KEY_DECRYPTION_FAILED for what was sealed with another secret or for another place, or was changed */
  open(sealed: string, place: string): string
  /** A name under which something secret can be kept and found without being told. */
  pseudonym(secret: string, purpose: string): string
  /** A token that only this server can make for a subject. */
  token(subject: string, purpose: string): string
  /** Whether a token is that of the subject, in constant time. */
  isToken(candidate: string, subject: string, purpose: string): boolean
}

const nonceLength = 12
const tagLength = 16
const secretLength = 32

/**
 * A sealing by one secret.
 * @param secret 32 bytes
 * @throws CountersignError CONFIGURATION_INVALID for another length
 */
export function createSealing(secret: Uint8Array): Sealing {
  if (secret.length !== secretLength) {
    throw new CountersignError('CONFIGURATION_INVALID', `the issuer's secret should be ${secretLength} bytes, found ${secret.length}`)
  }
  const sealingKey = deriveKey(secret, 'seal')
  const namingKey = deriveKey(secret, 'name')
  const tokenKey = deriveKey(secret, 'token')
  const token = (subject: string, purpose: string): string => mac(tokenKey, `${purpose}\0${subject}`)
  const seal = (text: string, place: string): string => {
    const nonce = randomBytes(nonceLength)
    const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: tagLength }).setAAD(encodeUtf8(place))
    const sealed = concatBytes(nonce, cipher.update(text, 'utf8'), cipher.final())
    return encodeBase64Url(concatBytes(sealed, cipher.getAuthTag()))
  }
  const open = (sealed: string, place: string): string => {
    try {
      return openWith(sealingKey, sealed, place)
    } catch (cause) {
      throw new CountersignError(
        'KEY_DECRYPTION_FAILED',
        `${place} of the issuer cannot be opened: it was sealed with another secret or changed; restore the issuer's secret file`,
        { cause },
      )
    }
  }
  return {
    seal,
    open,
    sealJson: (value, place) => JSON.stringify(seal(JSON.stringify(value), place)),
    openJson: (json, place) => {
      const sealed = parseJson(json, place)
      return parseJson(open(typeof sealed === 'string' ? sealed : '', place), place)
    },
    pseudonym: (name, purpose) => mac(namingKey, `${purpose}\0${name}`),
    token,
    isToken: (candidate, subject, purpose) => {
      const expected = encodeUtf8(token(subject, purpose))
      const found = encodeUtf8(candidate)
      return found.length === expected.length && timingSafeEqual(found, expected)
    },
  }
}

function openWith(key: Uint8Array, sealed: string, place: string): string {
  const bytes = decodeBase64Url(sealed, place)
  if (bytes.length < nonceLength + tagLength) throw new CountersignError('KEY_DECRYPTION_FAILED', 'too short')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceLength), { authTagLength: tagLength })
    .setAAD(encodeUtf8(place))
    .setAuthTag(bytes.subarray(-tagLength))
  const text = concatBytes(decipher.update(bytes.subarray(nonceLength, -tagLength)), decipher.final())
  return decodeUtf8(text, place)
}

function deriveKey(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), `countersign issuer ${purpose}`, 32))
}

function mac(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('base64url')
}
