/**
 * Passwords as scrypt hashes (RFC 7914): `$scrypt$ln=15,r=8,p=3$salt$hash`, base64url without padding, so that the parameters can
 * grow while old hashes go on to work.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { ScryptOptions } from 'node:crypto'
import { decodeBase64Url, encodeBase64Url } from '../../encoding/base64.ts'
import { CountersignError, UsageError } from '../../error.ts'

export interface ScryptParameters {
  /** The cost is 2 to the power of this. */
  readonly logCost: number
  readonly blockSize: number
  readonly parallelization: number
}

/** OWASP's for 32 MiB: about a fifth of a second. */
export const defaultScryptParameters: ScryptParameters = { logCost: 15, blockSize: 8, parallelization: 3 }

const saltLength = 16
const hashLength = 32
const minPasswordLength = 8
const maxPasswordLength = 1_000
const pattern = /^\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/

/**
 * Hashes a new password.
 * @throws UsageError USAGE when it has fewer than 8 or more than 1,000 characters
 */
export async function hashPassword(password: string, parameters = defaultScryptParameters): Promise<string> {
  if (password.length < minPasswordLength) throw new UsageError('USAGE', `a password needs at least ${minPasswordLength} characters`)
  if (password.length > maxPasswordLength) throw new UsageError('USAGE', `a password may have ${maxPasswordLength} characters at most`)
  const salt = randomBytes(saltLength)
  const hash = await derive(password, salt, parameters)
  const { logCost, blockSize, parallelization } = parameters
  return `$scrypt$ln=${logCost},r=${blockSize},p=${parallelization}$${encodeBase64Url(salt)}$${encodeBase64Url(hash)}`
}

/**
 * Whether a password is the one that was hashed; compared in constant time.
 * @throws CountersignError KEY_INVALID for a hash of another form
 */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const match = pattern.exec(hash)
  const [, logCost, blockSize, parallelization, salt = '', expected = ''] = match ?? []
  const parameters = { logCost: Number(logCost), blockSize: Number(blockSize), parallelization: Number(parallelization) }
  if (match === null || parameters.logCost > 20 || parameters.blockSize > 16 || parameters.parallelization > 16) {
    throw new CountersignError('KEY_INVALID', 'a password hash is not of the form $scrypt$ln=…,r=…,p=…$salt$hash')
  }
  // Longer than any password that was ever hashed: no reason to hash it.
  const candidate = password.length > maxPasswordLength ? '' : password
  const found = await derive(candidate, decodeBase64Url(salt, 'a salt'), parameters)
  return timingSafeEqual(found, decodeBase64Url(expected, 'a hash'))
}

/** A random password, such as `init` prints once: 20 characters that are told apart easily, about 99 bits. */
export function randomPassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
  const characters = Array.from(randomBytes(20), (byte) => alphabet[byte % alphabet.length] ?? '')
  return characters.join('').replaceAll(/(.{5})(?=.)/g, '$1-')
}

// Each hashing takes a core and 32 MiB. More at a time than this would leave nothing for signing.
const maxAtATime = 2
const maxWaiting = 50
let running = 0
const waiting: (() => void)[] = []

async function derive(password: string, salt: Uint8Array, parameters: ScryptParameters): Promise<Uint8Array> {
  if (running >= maxAtATime) {
    if (waiting.length >= maxWaiting) throw new CountersignError('REQUEST_REFUSED', 'too many sign-ins at once, try again in a moment')
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running++
  try {
    return await callScrypt(password, salt, parameters)
  } finally {
    // The place goes to the one that waited longest.
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

function callScrypt(password: string, salt: Uint8Array, { logCost, blockSize, parallelization }: ScryptParameters): Promise<Uint8Array> {
  const cost = 2 ** logCost
  const options: ScryptOptions = { cost, blockSize, parallelization, maxmem: 128 * blockSize * (cost + parallelization + 4) }
  // The same characters typed on another keyboard may be other code points.
  const normalized = password.normalize('NFC')
  return new Promise((resolve, reject) => {
    scrypt(normalized, salt, hashLength, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
