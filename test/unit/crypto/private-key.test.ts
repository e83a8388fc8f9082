import { inspect } from 'node:util'
import { constants, createECDH, createPrivateKey, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { generatePrivateKey, generateSigner, parsePrivateKey, parsePrivateKeyPem } from '../../../src/crypto/private-key.ts'
import { encodePublicKeyPem, isSameKey } from '../../../src/crypto/public-key.ts'
import { loadEd25519ph, verifySignature } from '../../../src/crypto/signature.ts'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import {
  derBitString,
  derElement,
  derExplicit,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
} from '../../../src/encoding/der-writer.ts'
import { encodeBase64 } from '../../../src/encoding/base64.ts'
import { encodePem, parsePem } from '../../../src/encoding/pem.ts'
import { failureOf } from './failure.ts'

const message = encodeUtf8('what is signed')
const kinds = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'] as const satisfies readonly KeyKind[]
const keys = new Map(kinds.map((kind) => [kind, generatePrivateKey(kind)]))

function keyOf(kind: (typeof kinds)[number]): ReturnType<typeof generatePrivateKey> {
  const key = keys.get(kind)
  if (key === undefined) throw new Error(`no key of kind ${kind}`)
  return key
}

beforeAll(loadEd25519ph)

describe.each(kinds)('a private key of kind %s', (kind) => {
  const key = keyOf(kind)
  const signer = key.createSigner()

  it('signs what its public key verifies', () => {
    expect(verifySignature(signer.publicKey, signer.algorithm, message, signer.sign(message))).toBe(true)
    expect(verifySignature(signer.publicKey, signer.algorithm, encodeUtf8('other'), signer.sign(message))).toBe(false)
  })

  it('comes back from PKCS#8, as bytes and as PEM, which OpenSSL reads too', () => {
    for (const again of [parsePrivateKey(key.encodePkcs8()), parsePrivateKeyPem(key.encodePem())]) {
      expect(isSameKey(again.publicKey, key.publicKey)).toBe(true)
      expect(verifySignature(key.publicKey, signer.algorithm, message, again.createSigner().sign(message))).toBe(true)
    }
    expect(createPublicKey(key.encodePem()).export({ type: 'spki', format: 'pem' })).toBe(encodePublicKeyPem(key.publicKey))
  })

  it('shows its public part only, however it is printed', () => {
    const secret = encodeBase64(key.encodePkcs8()).slice(-40)
    const body = Buffer.from(key.encodePkcs8()).toString('hex').slice(-40)
    for (const printed of [inspect(key, { depth: 9, showHidden: true }), JSON.stringify(key), inspect(key.createSigner(), { depth: 9 })]) {
      expect(printed).not.toContain(secret)
      expect(printed).not.toContain(body)
    }
    expect(Object.keys(key)).toEqual(['publicKey'])
  })

  it('is refused cut short, with something after it, or as another type', () => {
    const pkcs8 = key.encodePkcs8()
    const expected = 'DecodingError KEY_INVALID: the private key is not a valid PKCS#8 key'
    for (const length of [0, 1, 2, 10, Math.floor(pkcs8.length / 2), pkcs8.length - 1])
      expect(failureOf(() => parsePrivateKey(pkcs8.subarray(0, length)))).toBe(expected)
    expect(failureOf(() => parsePrivateKey(concatBytes(pkcs8, Uint8Array.of(0))))).toBe(expected)
    expect(failureOf(() => parsePrivateKey(key.publicKey.spki))).toBe(expected)
  })

  it('with a bit flipped is refused, or still is a key that verifies what it signs', () => {
    const pkcs8 = key.encodePkcs8()
    fc.assert(
      fc.property(fc.nat(pkcs8.length - 1), fc.nat(7), (at, bit) => {
        const bent = Uint8Array.from(pkcs8)
        bent[at] = (bent[at] ?? 0) ^ (1 << bit)
        let again: ReturnType<typeof parsePrivateKey>
        try {
          again = parsePrivateKey(bent)
        } catch {
          expect(failureOf(() => parsePrivateKey(bent))).toMatch(/^DecodingError KEY_(?:INVALID|UNSUPPORTED): /)
          return
        }
        const other = again.createSigner()
        expect(verifySignature(again.publicKey, other.algorithm, message, other.sign(message))).toBe(true)
      }),
      { numRuns: 25 },
    )
  })

  it('signs pieces like the whole, where the algorithm allows pieces', () => {
    if (signer.start === undefined) {
      expect(kind).toBe('ed25519')
      return
    }
    const state = signer.start()
    const chunk = Uint8Array.from(message)
    state.update(chunk.subarray(0, 4))
    state.update(chunk.subarray(4))
    chunk.fill(0)
    expect(verifySignature(signer.publicKey, signer.algorithm, message, state.finish())).toBe(true)
  })

  it('refuses to sign with an algorithm for other keys', () => {
    const wrong = kind === 'ed25519' ? 'ecdsa-sha256' : 'ed25519'
    expect(failureOf(() => key.createSigner(wrong))).toMatch(
      new RegExp(`^UsageError USAGE: an? (?:ECDSA|RSA|Ed25519) key.* cannot sign with ${wrong}$`),
    )
  })
})

describe('a file with the compressed point of its key', () => {
  it.each(['P-256', 'P-384', 'P-521'])('on %s, as openssl writes it when told to, is the key with both coordinates', (namedCurve) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve })
    const { d = '' } = privateKey.export({ format: 'jwk' })
    const curve = createECDH({ 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' }[namedCurve] ?? '')
    curve.setPrivateKey(Buffer.from(d, 'base64url'))
    const compressed = new Uint8Array(curve.getPublicKey(null, 'compressed'))
    const whole = privateKey.export({ type: 'sec1', format: 'der' })
    const curveName = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(0, 40)
    const oid = curveName.subarray(curveName.indexOf(Buffer.from('06', 'hex'), 16))
    const sec1 = derSequence(
      derInteger(1n),
      derOctetString(Buffer.from(d, 'base64url')),
      derExplicit(0, Uint8Array.from(oid.subarray(0, 2 + (oid[1] ?? 0)))),
      derExplicit(1, derBitString(compressed)),
    )
    expect(sec1.length).toBeLessThan(whole.length)
    const key = parsePrivateKeyPem(encodePem('EC PRIVATE KEY', sec1))
    expect(encodePublicKeyPem(key.publicKey)).toBe(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))
    expect(encodePublicKeyPem(parsePrivateKey(key.encodePkcs8()).publicKey)).toBe(encodePublicKeyPem(key.publicKey))
    expect(verifySignature(key.publicKey, key.createSigner().algorithm, message, key.createSigner().sign(message))).toBe(true)
  })
})

describe('generateSigner', () => {
  it('makes a new key each time, of the kind asked for, that signs with the default algorithm', () => {
    expect(isSameKey(generateSigner('ecdsa-p256').publicKey, generateSigner('ecdsa-p256').publicKey)).toBe(false)
    expect(kinds.map((kind) => keyOf(kind).createSigner().algorithm)).toEqual([
      'ecdsa-sha256',
      'ecdsa-sha384',
      'ecdsa-sha512',
      'rsa-pkcs1-sha256',
      'ed25519',
    ])
    const { publicKey } = keyOf('rsa-2048')
    expect(publicKey.kind === 'rsa' && publicKey.modulusBits).toBe(2048)
  })
})

describe('a signer of a private key', () => {
  it('signs with PSS, its salt as long as the digest', () => {
    const key = keyOf('rsa-2048')
    const signer = key.createSigner('rsa-pss-sha384')
    const signature = signer.sign(message)
    expect(verifySignature(key.publicKey, 'rsa-pss-sha384', message, signature)).toBe(true)
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }
    expect(verify('sha384', message, { key: createPublicKey(key.encodePem()), ...padding }, signature)).toBe(true)
    const state = signer.start?.()
    state?.update(message)
    expect(verifySignature(key.publicKey, 'rsa-pss-sha384', message, state?.finish() ?? new Uint8Array(0))).toBe(true)
  })

  it('signs with Ed25519ph, at once and in pieces', () => {
    const key = keyOf('ed25519')
    const signer = key.createSigner('ed25519ph')
    const state = signer.start?.()
    state?.update(message)
    expect(Uint8Array.from(state?.finish() ?? [])).toEqual(Uint8Array.from(signer.sign(message)))
    expect(verifySignature(key.publicKey, 'ed25519ph', message, signer.sign(message))).toBe(true)
    expect(verifySignature(key.publicKey, 'ed25519', message, signer.sign(message))).toBe(false)
  })

  it('signs with the digest asked for', () => {
    const key = keyOf('ecdsa-p384')
    expect(verifySignature(key.publicKey, 'ecdsa-sha256', message, key.createSigner('ecdsa-sha256').sign(message))).toBe(true)
  })
})

describe('parsePrivateKey', () => {
  const scalar = derOctetString(new Uint8Array(32).fill(9))
  const p256 = derSequence(derOid('1.2.840.10045.2.1'), derOid('1.2.840.10045.3.1.7'))
  const pkcs8 = (algorithm: Uint8Array, inner: Uint8Array): Uint8Array => derSequence(derInteger(0), algorithm, derOctetString(inner))

  it('refuses a private part that does not belong to the public part', () => {
    const { publicKey } = keyOf('ecdsa-p256')
    const point = publicKey.kind === 'ecdsa' ? publicKey.point : new Uint8Array(0)
    const foreign = pkcs8(p256, derSequence(derInteger(1), scalar, derExplicit(1, derBitString(point))))
    expect(failureOf(() => parsePrivateKey(foreign))).toBe(
      'DecodingError KEY_INVALID: the private key is not valid: its private part does not belong to its public part',
    )
  })

  it('finds the public part of a key that does not state it', () => {
    const bare = parsePrivateKey(pkcs8(p256, derSequence(derInteger(1), scalar)))
    const signer = bare.createSigner()
    expect(verifySignature(bare.publicKey, 'ecdsa-sha256', message, signer.sign(message))).toBe(true)
  })

  it('refuses a scalar of zero', () => {
    const zero = pkcs8(p256, derSequence(derInteger(1), derOctetString(new Uint8Array(32))))
    expect(failureOf(() => parsePrivateKey(zero))).toMatch(/^DecodingError KEY_INVALID: /)
  })

  it.each([
    ['X25519', generateKeyPairSync('x25519').privateKey, /keys of the kind 1\.3\.101\.110 are not supported/],
    [
      'secp256k1',
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
      /keys on the curve 1\.3\.132\.0\.10 are not supported/,
    ],
    ['RSA of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, /found 1024$/],
    [
      'RSA restricted to PSS',
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey,
      /keys of the kind 1\.2\.840\.113549\.1\.1\.10 are not supported/,
    ],
  ])('does not support %s', (_, native, reason) => {
    const failure = failureOf(() => parsePrivateKey(native.export({ type: 'pkcs8', format: 'der' })))
    expect(failure).toMatch(/^DecodingError KEY_UNSUPPORTED: /)
    expect(failure).toMatch(reason)
  })

  it('refuses what is too long, before reading it', () => {
    expect(failureOf(() => parsePrivateKey(new Uint8Array(16 * 1024 + 1)))).toBe(
      'DecodingError KEY_INVALID: the private key is not valid: it is 16385 bytes long, more than the limit of 16384',
    )
  })

  it('refuses arbitrary bytes, and quotes nothing of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(failureOf(() => parsePrivateKey(bytes))).toBe('DecodingError KEY_INVALID: the private key is not a valid PKCS#8 key')
      }),
      { numRuns: 200 },
    )
  })
})

describe('parsePrivateKeyPem', () => {
  it('reads SEC 1, with the curve in front too, as openssl ecparam writes it', () => {
    for (const namedCurve of ['P-256', 'P-384', 'P-521']) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
      const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }).toString()
      const parameters = encodePem('EC PARAMETERS', derOid('1.2.840.10045.3.1.7'))
      for (const text of [sec1, parameters + sec1]) {
        expect(encodePublicKeyPem(parsePrivateKeyPem(text).publicKey)).toBe(publicKey.export({ type: 'spki', format: 'pem' }))
      }
    }
  })

  it('reads PKCS#1', () => {
    const key = keyOf('rsa-2048')
    const pkcs1 = createPrivateKey(key.encodePem()).export({ type: 'pkcs1', format: 'pem' }).toString()
    expect(isSameKey(parsePrivateKeyPem(pkcs1).publicKey, key.publicKey)).toBe(true)
  })

  it.each([
    ['ENCRYPTED PRIVATE KEY', /found ENCRYPTED PRIVATE KEY \(the key is encrypted\)$/],
    ['ENCRYPTED SIGSTORE PRIVATE KEY', /found ENCRYPTED SIGSTORE PRIVATE KEY \(the key is encrypted\)$/],
    ['PUBLIC KEY', /found PUBLIC KEY \(this is the public key\)$/],
    ['OPENSSH PRIVATE KEY', /found OPENSSH PRIVATE KEY$/],
    ['DSA PRIVATE KEY', /found DSA PRIVATE KEY$/],
    ['CERTIFICATE', /found CERTIFICATE$/],
  ])('does not support %s', (label, reason) => {
    const failure = failureOf(() => parsePrivateKeyPem(encodePem(label, new Uint8Array(20))))
    expect(failure).toMatch(
      /^DecodingError KEY_UNSUPPORTED: unsupported private key: expected PRIVATE KEY, EC PRIVATE KEY, RSA PRIVATE KEY, found /,
    )
    expect(failure).toMatch(reason)
  })

  it.each([
    ['PRIVATE KEY', 'error parsing pkcs #8 private key: the private key is not a valid PKCS#8 key'],
    ['EC PRIVATE KEY', 'error parsing ecdsa private key: the private key is not a valid SEC 1 key'],
    ['RSA PRIVATE KEY', 'error parsing rsa private key: the private key is not a valid PKCS#1 key'],
  ])('says what it tried to read: %s', (label, expected) => {
    expect(failureOf(() => parsePrivateKeyPem(encodePem(label, derSequence(derInteger(7), derNull()))))).toBe(
      `DecodingError KEY_INVALID: ${expected}`,
    )
    expect(failureOf(() => parsePrivateKeyPem(encodePem(label, derElement(0x04, new Uint8Array(3)))))).toBe(
      `DecodingError KEY_INVALID: ${expected}`,
    )
  })

  it('refuses one form under the label of another', () => {
    const key = keyOf('ecdsa-p256')
    for (const label of ['EC PRIVATE KEY', 'RSA PRIVATE KEY'])
      expect(failureOf(() => parsePrivateKeyPem(encodePem(label, key.encodePkcs8())))).toMatch(/^DecodingError KEY_INVALID: error parsing /)
  })

  it('refuses what is no PEM text, two keys, or no key', () => {
    const pem = keyOf('ed25519').encodePem()
    expect(failureOf(() => parsePrivateKeyPem(''))).toMatch(/^DecodingError PEM_INVALID: invalid pem block: /)
    expect(failureOf(() => parsePrivateKeyPem('secret'))).toMatch(/^DecodingError PEM_INVALID: invalid pem block: /)
    expect(failureOf(() => parsePrivateKeyPem(pem + pem))).toBe(
      'DecodingError PEM_INVALID: invalid pem block: expected one key, found 2 blocks',
    )
    expect(failureOf(() => parsePrivateKeyPem(encodePem('EC PARAMETERS', derNull())))).toBe(
      'DecodingError PEM_INVALID: invalid pem block: expected one key, found 1 blocks',
    )
  })

  it('quotes nothing of a broken key, not even in a cause', () => {
    const pem = keyOf('ed25519').encodePem()
    const [block] = parsePem(pem, 'key')
    const body = encodeBase64(block?.der ?? new Uint8Array(0))
    let thrown: unknown
    try {
      parsePrivateKeyPem(pem.replace(body.slice(8, 12), '*!*!'))
    } catch (error) {
      thrown = error
    }
    const printed = inspect(thrown, { depth: 9 })
    expect(printed).toContain('PEM_INVALID')
    expect(printed).not.toContain(body.slice(12, 30))
  })

  it('refuses a key of old openssl that is encrypted inside', () => {
    const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' })
      .toString()
    expect(failureOf(() => parsePrivateKeyPem(pem))).toMatch(/^DecodingError PEM_INVALID: invalid pem block: /)
  })
})
