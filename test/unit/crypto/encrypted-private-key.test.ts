import { scryptSync } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EncryptedPrivateKey } from '../../../src/crypto/encrypted-private-key.ts'
import {
  decryptPrivateKey,
  encodeEncryptedPrivateKeyPem,
  encryptPrivateKey,
  openSecret,
  parseEncryptedPrivateKeyPem,
  sealSecret,
} from '../../../src/crypto/encrypted-private-key.ts'
import { generatePrivateKey } from '../../../src/crypto/private-key.ts'
import { encodePublicKeyPem, isSameKey } from '../../../src/crypto/public-key.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { encodePem, parsePem } from '../../../src/encoding/pem.ts'
import { DecodingError } from '../../../src/error.ts'
import { failureOf, rejectionOf } from './failure.ts'

/** Made by cosign 3.1.3 for this test, with the password "correct horse"; it protects nothing. */
const fromCosign = {
  password: encodeUtf8('correct horse'),
  privateKey: `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJyY3ROSzZJWDRndlVKM0JiU09vT2UwMFhRK2FuS0hF
YkV6ZGpRb0lldkJzPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJaZVd6K3ZGSE9BczZKZjBjYmo0NVlIQnpodDNZak9ZMyJ9LCJj
aXBoZXJ0ZXh0IjoiTWpLb291bTdKRUZFWVNiRmI0Y0pDajl2RldNV3l5QkFNZDFo
TWdRYVlFVURnVUdRUVRkcEx6TExlUWRNTVJOZnc1dE5KemZ4TXlySzBrR25xZEhY
V3hBN0VPMHFtbVlVUk9vT3Y1WFh1bjB3L0NuREcwVWlWMG5NWS93RHZXK0YwWWdr
d3RTM1FLVEoyS285MmwvM2FNSmNmQ0lnZm42T0dLTktZbU9zQXZUZk9xMlpxL3dl
YVVpQnNGaXFYb2Zlb0RXajl1dnl3aTR4bkE9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`,
  publicKey: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBPZSt9ZYQvFC1HQlV0pO6Lg+YK4v
7Prx6zL+LrLmh0i+7tHddwKeAj3/7l0JhADTKKmYN4RKtp197H/N0x76SA==
-----END PUBLIC KEY-----
`,
} as const

const label = 'ENCRYPTED SIGSTORE PRIVATE KEY'
const good = {
  kdf: { name: 'scrypt', params: { N: 65536, r: 8, p: 1 }, salt: Buffer.alloc(32, 1).toString('base64') },
  cipher: { name: 'nacl/secretbox', nonce: Buffer.alloc(24, 2).toString('base64') },
  ciphertext: Buffer.alloc(40, 3).toString('base64'),
} as const

function fileOf(json: unknown, pemLabel = label): string {
  return encodePem(pemLabel, encodeUtf8(typeof json === 'string' ? json : JSON.stringify(json)))
}

describe('the file of an encrypted private key', () => {
  it('that cosign made decrypts with its password', async () => {
    const key = await decryptPrivateKey(parseEncryptedPrivateKeyPem(fromCosign.privateKey), fromCosign.password)
    expect(encodePublicKeyPem(key.publicKey)).toBe(fromCosign.publicKey)
  })

  it('has a box that opens with the key it was sealed with, and with no other', async () => {
    const [secret, key] = [Uint8Array.of(1, 2, 3), new Uint8Array(32).fill(7)]
    const sealed = await sealSecret(secret, key)
    expect(await openSecret(sealed, key)).toEqual(secret)
    expect(await rejectionOf(openSecret(sealed, new Uint8Array(32).fill(8)))).toBe(
      'VerificationError KEY_DECRYPTION_FAILED: decrypt: encrypted: decryption failed',
    )
    expect((await sealSecret(secret, key)).nonce).not.toEqual(sealed.nonce)
  })

  it('that cosign made is written again byte for byte', () => {
    expect(encodeEncryptedPrivateKeyPem(parseEncryptedPrivateKeyPem(fromCosign.privateKey))).toBe(fromCosign.privateKey)
  })

  it('comes back from what was encrypted, with an empty password too, with a new salt and nonce each time', async () => {
    const files: EncryptedPrivateKey[] = []
    for (const [kind, password] of [
      ['ecdsa-p256', 'päss wörd\n'],
      ['ed25519', ''],
    ] as const) {
      const key = generatePrivateKey(kind)
      const text = await encryptPrivateKey(key, encodeUtf8(password))
      files.push(parseEncryptedPrivateKeyPem(text))
      const decrypted = await decryptPrivateKey(parseEncryptedPrivateKeyPem(text), encodeUtf8(password))
      expect(isSameKey(decrypted.publicKey, key.publicKey)).toBe(true)
      expect(decrypted.encodePem()).toBe(key.encodePem())
    }
    expect(files[0]?.salt).not.toEqual(files[1]?.salt)
    expect(files[0]?.nonce).not.toEqual(files[1]?.nonce)
  })

  it('has its members in the order of cosign, without spaces', () => {
    const text = encodeEncryptedPrivateKeyPem({
      cost: 65_536,
      salt: new Uint8Array(32),
      nonce: new Uint8Array(24),
      ciphertext: new Uint8Array(17),
    })
    expect(text.startsWith(`-----BEGIN ${label}-----\n`)).toBe(true)
    const zeros = { salt: `${'A'.repeat(43)}=`, nonce: 'A'.repeat(32), ciphertext: `${'A'.repeat(23)}=` }
    expect(decodeUtf8(parsePem(text, 'the file')[0]?.der ?? new Uint8Array(0), 'the file')).toBe(
      `{"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":"${zeros.salt}"},"cipher":{"name":"nacl/secretbox","nonce":"${zeros.nonce}"},"ciphertext":"${zeros.ciphertext}"}`,
    )
  })

  it('has one of two labels, and each cost that cosign wrote', () => {
    for (const cost of [32_768, 65_536, 131_072]) {
      const file = { ...good, kdf: { ...good.kdf, params: { N: cost, r: 8, p: 1 } } }
      for (const each of [label, 'ENCRYPTED COSIGN PRIVATE KEY']) expect(parseEncryptedPrivateKeyPem(fileOf(file, each)).cost).toBe(cost)
    }
  })
})

describe('decryptPrivateKey', () => {
  const password = encodeUtf8('x')
  const salt = new Uint8Array(32).fill(1)
  const nonce = new Uint8Array(24).fill(2)
  const cost = 32_768
  const key = scryptSync(password, salt, 32, { N: cost, r: 8, p: 1, maxmem: 2 ** 27 })
  const seal = (plaintext: Uint8Array): EncryptedPrivateKey => ({
    cost,
    salt,
    nonce,
    ciphertext: xsalsa20poly1305(key, nonce).encrypt(plaintext),
  })

  it('refuses a wrong password, and every changed part of the file, in the same words', async () => {
    const sealed = seal(generatePrivateKey('ed25519').encodePkcs8())
    const { ciphertext } = sealed
    const flip = (bytes: Uint8Array, at: number): Uint8Array => Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte))
    const bent: readonly (readonly [EncryptedPrivateKey, Uint8Array])[] = [
      [sealed, encodeUtf8('x\n')],
      [{ ...sealed, salt: flip(salt, 0) }, password],
      [{ ...sealed, nonce: flip(nonce, 23) }, password],
      [{ ...sealed, ciphertext: flip(ciphertext, 0) }, password],
      [{ ...sealed, ciphertext: flip(ciphertext, ciphertext.length - 1) }, password],
      [{ ...sealed, ciphertext: ciphertext.subarray(0, 17) }, password],
    ]
    for (const [file, given] of bent) {
      expect(await rejectionOf(decryptPrivateKey(file, given))).toBe(
        'VerificationError KEY_DECRYPTION_FAILED: decrypt: encrypted: decryption failed',
      )
    }
  })

  it('refuses what was encrypted but is no private key', async () => {
    expect(await rejectionOf(decryptPrivateKey(seal(encodeUtf8('not a key')), password))).toBe(
      'DecodingError KEY_INVALID: the private key is not a valid PKCS#8 key',
    )
  })
})

describe('parseEncryptedPrivateKeyPem', () => {
  const withParams = (params: unknown): unknown => ({ ...good, kdf: { ...good.kdf, params } })
  const withKdf = (change: object): unknown => ({ ...good, kdf: { ...good.kdf, ...change } })
  const withCipher = (change: object): unknown => ({ ...good, cipher: { ...good.cipher, ...change } })

  it.each(['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'PUBLIC KEY', 'ENCRYPTED SIGSTORE PRIVATE KEY 2'])(
    'does not support the label %s',
    (each) => {
      expect(failureOf(() => parseEncryptedPrivateKeyPem(fileOf(good, each)))).toBe(
        `DecodingError KEY_UNSUPPORTED: unsupported pem type: ${each}`,
      )
    },
  )

  it.each([
    { N: 1, r: 8, p: 1 },
    { N: 16384, r: 8, p: 1 },
    { N: 65535, r: 8, p: 1 },
    { N: 65537, r: 8, p: 1 },
    { N: 262144, r: 8, p: 1 },
    { N: 2 ** 40, r: 8, p: 1 },
    { N: -65536, r: 8, p: 1 },
    { N: 65536, r: 16, p: 1 },
    { N: 65536, r: 8, p: 2 },
    { N: 65536, r: 0, p: 0 },
  ])('does not spend what the file asks for: %o', (params) => {
    expect(failureOf(() => parseEncryptedPrivateKeyPem(fileOf(withParams(params))))).toBe(
      `DecodingError KEY_UNSUPPORTED: unsupported scrypt parameters: expected N of 32768, 65536, 131072 with r=8 and p=1, found N=${params.N}, r=${params.r}, p=${params.p}`,
    )
  })

  it.each([
    [
      'another key derivation',
      withKdf({ name: 'argon2id' }),
      /^DecodingError KEY_UNSUPPORTED: .*kdf\.name should be scrypt, found "argon2id"$/,
    ],
    [
      'another cipher',
      withCipher({ name: 'aes-gcm' }),
      /^DecodingError KEY_UNSUPPORTED: .*cipher\.name should be nacl\/secretbox, found "aes-gcm"$/,
    ],
    ['no key derivation', { ...good, kdf: undefined }, /^DecodingError KEY_INVALID: .*kdf is missing$/],
    ['no cipher', { ...good, cipher: undefined }, /^DecodingError KEY_INVALID: .*cipher is missing$/],
    ['no ciphertext', { ...good, ciphertext: undefined }, /^DecodingError KEY_INVALID: .*ciphertext is missing$/],
    ['an empty ciphertext', { ...good, ciphertext: '' }, /^DecodingError KEY_INVALID: .*ciphertext is missing$/],
    [
      'a ciphertext of a tag only',
      { ...good, ciphertext: Buffer.alloc(16).toString('base64') },
      /^DecodingError KEY_INVALID: .*ciphertext should have 17 to 65536 bytes, found 16$/,
    ],
    ['no salt', withKdf({ salt: undefined }), /^DecodingError KEY_INVALID: .*salt is missing$/],
    ['a short salt', withKdf({ salt: Buffer.alloc(31).toString('base64') }), /salt should have 32 bytes, found 31$/],
    ['a long salt', withKdf({ salt: Buffer.alloc(33).toString('base64') }), /salt should have 32 bytes, found 33$/],
    ['a short nonce', withCipher({ nonce: Buffer.alloc(23).toString('base64') }), /nonce should have 24 bytes, found 23$/],
    ['a long nonce', withCipher({ nonce: Buffer.alloc(25).toString('base64') }), /nonce should have 24 bytes, found 25$/],
    ['a nonce that is not base64', withCipher({ nonce: '*' }), /^DecodingError KEY_INVALID: .*nonce is not standard base64/],
    ['an unknown member', { ...good, extra: 1 }, /^DecodingError KEY_INVALID: .* has an unknown field "extra"$/],
    [
      'a cost as a fraction',
      withParams({ N: 65536.5, r: 8, p: 1 }),
      /^DecodingError KEY_INVALID: .*N should be a 64-bit integer, found 65536\.5$/,
    ],
    ['no cost', withParams({ r: 8, p: 1 }), /^DecodingError KEY_INVALID: .*params\.N is missing$/],
    ['a list', [], /^DecodingError KEY_INVALID: the encrypted private key should be an object, found an array$/],
    ['a member twice', JSON.stringify(good).replace('{', '{"kdf":{},'), /^DecodingError JSON_INVALID: /],
    ['no JSON', 'x', /^DecodingError JSON_INVALID: /],
    ['something after the JSON', `${JSON.stringify(good)}x`, /^DecodingError JSON_INVALID: /],
  ])('refuses %s', (_, json, message) => {
    expect(failureOf(() => parseEncryptedPrivateKeyPem(fileOf(json)))).toMatch(message)
  })

  it('refuses what is no PEM text, several keys, and a file that is too long', () => {
    expect(failureOf(() => parseEncryptedPrivateKeyPem('x'))).toMatch(/^DecodingError PEM_INVALID: invalid pem block: /)
    expect(failureOf(() => parseEncryptedPrivateKeyPem(fileOf(good) + fileOf(good)))).toBe(
      'DecodingError PEM_INVALID: invalid pem block: expected one key, found 2 blocks',
    )
    expect(failureOf(() => parseEncryptedPrivateKeyPem(' '.repeat(64 * 1024 + 1)))).toBe(
      'DecodingError TOO_LARGE: the encrypted private key has 65537 characters, more than the limit of 65536',
    )
  })

  it('gives back every file it writes', () => {
    const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(
        fc.constantFrom(32_768, 65_536, 131_072),
        bytes(32),
        bytes(24),
        fc.uint8Array({ minLength: 17, maxLength: 300 }),
        (cost, salt, nonce, ciphertext) => {
          const parsed = parseEncryptedPrivateKeyPem(encodeEncryptedPrivateKeyPem({ cost, salt, nonce, ciphertext }))
          expect([parsed.cost, ...[parsed.salt, parsed.nonce, parsed.ciphertext].map((part) => Uint8Array.from(part))]).toEqual([
            cost,
            salt,
            nonce,
            ciphertext,
          ])
        },
      ),
    )
  })

  it('refuses a file with any character changed, or reads what its JSON then says', () => {
    const text = fileOf(good)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'a', '0', '+', '/', '=', '-', ' ', '\n', '*', '"'), (at, character) => {
        const bent = text.slice(0, at) + character + text.slice(at + 1)
        let parsed: EncryptedPrivateKey
        try {
          parsed = parseEncryptedPrivateKeyPem(bent)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodingError)
          return
        }
        const json: unknown = JSON.parse(decodeUtf8(parsePem(bent, 'the file')[0]?.der ?? new Uint8Array(0), 'the file'))
        expect(decodeUtf8(parsePem(encodeEncryptedPrivateKeyPem(parsed), 'the file')[0]?.der ?? new Uint8Array(0), 'the file')).toBe(
          JSON.stringify(json),
        )
      }),
      { numRuns: 300 },
    )
  })
})
