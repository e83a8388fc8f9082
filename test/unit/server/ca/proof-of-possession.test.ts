import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import type { KeyProof } from '../../../../src/api/fulcio.ts'
import { fulcioRefusals } from '../../../../src/api/fulcio.ts'
import type { PublicKey } from '../../../../src/crypto/public-key.ts'
import { parsePublicKey } from '../../../../src/crypto/public-key.ts'
import { derBitString, derInteger, derOid, derSequence } from '../../../../src/encoding/der-writer.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { possessionOf } from '../../../../src/server/ca/proof-of-possession.ts'
import { RefusalError } from '../../../../src/server/ca/refusal.ts'
import { checkSignature } from '../../../../src/server/threads/signature-check.ts'
import { hasClosePrimes, hasRocaFingerprint, hasSmallFactor } from '../../../../src/server/ca/rsa-weakness.ts'
import { createOpenssl, hasOpenssl } from '../../../support/openssl.ts'
import type { KeyKind, TestKey } from '../../../support/universe/keys.ts'
import { namedKey, signPrehashed, signWith } from '../../../support/universe/keys.ts'

const openssl = createOpenssl()
afterAll(() => openssl.remove())

const kinds: readonly KeyKind[] = ['p256', 'p384', 'p521', 'rsa', 'ed25519']
const unparsable = 'The public key supplied in the request could not be parsed'
const insecure = 'The public key supplied in the request is insecure'
const unproven = 'The signature supplied in the request could not be verified'
const badRequest = 'The certificate signing request could not be parsed'

const challenges = ['dev@example.com', 'user-1']
const proofOf = (publicKey: Uint8Array | string, signature: Uint8Array): KeyProof => ({
  kind: 'proof',
  publicKey: typeof publicKey === 'string' ? encodeUtf8(publicKey) : publicKey,
  signature,
})
const proved = (key: TestKey, text = 'dev@example.com'): KeyProof => proofOf(key.pem, signWith(key, Buffer.from(text)))
const requested = (request: Uint8Array): KeyProof => ({ kind: 'csr', request })

/** The key of a request, if one of its proofs is right. */
async function provenKey(proof: KeyProof, names: readonly string[]): Promise<PublicKey> {
  const { key, proofs, complaint } = possessionOf(proof, names)
  for (const check of proofs) if (await checkSignature(check)) return key
  throw new RefusalError(fulcioRefusals.proof, complaint)
}

async function refusal(proof: KeyProof, names: readonly string[] = challenges): Promise<string> {
  try {
    await provenKey(proof, names)
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error
    expect(error.refusal.code).toBe(3)
    return error.refusal.message
  }
  throw new Error('it was accepted')
}

const hexOf = async (proof: KeyProof, names: readonly string[] = challenges): Promise<string> =>
  Buffer.from((await provenKey(proof, names)).spki).toString('hex')

describe('a proof', () => {
  it.each(kinds)('over the first or the second name holds, with a %s key in PEM and in DER', async (kind) => {
    const key = namedKey('proof', kind)
    const spki = Buffer.from(key.spki).toString('hex')
    expect(await hexOf(proved(key))).toBe(spki)
    expect(await hexOf(proved(key, 'user-1'))).toBe(spki)
    expect(await hexOf(proofOf(key.spki, signWith(key, Buffer.from('user-1'))))).toBe(spki)
  })

  it.each(kinds)('over another text, by another key, bent or missing does not hold, with a %s key', async (kind) => {
    const key = namedKey('proof', kind)
    const good = signWith(key, Buffer.from('dev@example.com'))
    const bent = Uint8Array.from(good)
    bent[bent.length - 1] = (bent[bent.length - 1] ?? 0) ^ 1
    for (const text of ['', 'dev@example.com ', 'Dev@example.com', 'dev@example.com\n', 'user-2', 'dev@example.comuser-1'])
      expect(await refusal(proved(key, text))).toBe(unproven)
    for (const signature of [bent, good.subarray(1), Buffer.concat([good, Buffer.of(0)]), new Uint8Array(), new Uint8Array(64)])
      expect(await refusal(proofOf(key.pem, signature))).toBe(unproven)
    expect(await refusal(proofOf(key.pem, signWith(namedKey('another', kind), Buffer.from('dev@example.com'))))).toBe(unproven)
    expect(await refusal(proved(key), [])).toBe(unproven)
  })

  it.each([
    ['p256', 'sha384'],
    ['p384', 'sha256'],
    ['p521', 'sha256'],
    ['rsa', 'sha512'],
  ] as const)('with a digest that is not the usual one does not hold: %s with %s', async (kind, digest) => {
    const key = namedKey('proof', kind)
    expect(await refusal(proofOf(key.pem, signWith(key, Buffer.from('dev@example.com'), digest)))).toBe(unproven)
  })

  it('of Ed25519ph does not hold', async () => {
    const key = namedKey('proof', 'ed25519')
    expect(await refusal(proofOf(key.pem, signPrehashed(key, Buffer.from('dev@example.com'))))).toBe(unproven)
  })

  it.each([3072, 4096])('of an RSA key of %s bits holds', async (bits) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    expect(await provenKey(proofOf(pem, sign('sha256', Buffer.from('user-1'), privateKey)), challenges)).toMatchObject({
      modulusBits: bits,
    })
  })
})

describe('a key', () => {
  const pemOfKey = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
  const good = namedKey('proof').pem

  it.each([
    ['nothing', ''],
    ['a word', 'key'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'],
    ['two keys', `${good}${good}`],
    ['half a key', good.slice(0, 80)],
    ['a private key', namedKey('proof').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['DER with bytes after it', Buffer.concat([namedKey('proof').spki, Buffer.of(0)])],
    ['DER cut short', Buffer.from(namedKey('proof').spki).subarray(0, -1)],
    ['a point that is not on its curve', Buffer.concat([Buffer.from(namedKey('proof').spki).subarray(0, -1), Buffer.of(0)])],
    ['bytes that are no text', Buffer.from([0xff, 0xfe])],
  ])('is not %s', async (_, key) => {
    expect(await refusal(proofOf(key, new Uint8Array(64)))).toBe(unparsable)
  })

  it.each([
    ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['RSA of 2560 bits', () => generateKeyPairSync('rsa', { modulusLength: 2560 })],
    ['RSA with the exponent 3', () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })],
    ['P-224', () => generateKeyPairSync('ec', { namedCurve: 'secp224r1' })],
    ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['Ed448', () => generateKeyPairSync('ed448')],
    ['X25519', () => generateKeyPairSync('x25519')],
    ['DSA', () => generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })],
  ])('of the kind %s is insecure', async (_, generate) => {
    expect(await refusal(proofOf(pemOfKey(generate().publicKey), new Uint8Array(64)))).toBe(insecure)
  })

  it('that anybody can write, for an Ed25519 key of small order, is for no key', async () => {
    const neutral = Uint8Array.of(1, ...new Uint8Array(31))
    const spki = derSequence(derSequence(derOid('1.3.101.112')), derBitString(neutral))
    expect(await refusal(proofOf(spki, Uint8Array.of(...neutral, ...new Uint8Array(32))))).toBe(unparsable)
  })

  it('of a broken generator is insecure, however well its proof verifies (CVE-2017-15361)', async () => {
    expect(await refusal(proofOf(rsaSpki(rocaModulus()), new Uint8Array(256)))).toBe(insecure)
  })

  it('whose primes are close to each other is insecure (CVE-2022-26320)', async () => {
    const p = nextPrime((1n << 1023n) + (1n << 1022n) + 12_345n)
    expect(await refusal(proofOf(rsaSpki(p * nextPrime(p + 2n)), new Uint8Array(256)))).toBe(insecure)
  })

  it('with a small factor is insecure', async () => {
    const modulus = 751n * ((1n << 2039n) + 1n)
    expect(await refusal(proofOf(rsaSpki(modulus), new Uint8Array(256)))).toBe(insecure)
  })
})

describe('the weaknesses of RSA keys', () => {
  it('are in no key that openssl makes', () => {
    for (let count = 0; count < 8; count++) {
      const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
      const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
      expect([hasRocaFingerprint(modulus), hasSmallFactor(modulus), hasClosePrimes(modulus)]).toEqual([false, false, false])
    }
  })

  it('are found in small numbers whose factors are known', () => {
    expect(hasClosePrimes(10_007n * 10_009n)).toBe(true)
    expect(hasClosePrimes(1_000_003n * 1_000_033n)).toBe(true)
    expect(hasClosePrimes(3n * 1_000_000_000_039n)).toBe(false)
    expect(hasClosePrimes(1_000_003n ** 2n)).toBe(true)
    for (const prime of [3n, 5n, 751n]) expect(hasSmallFactor(prime * 1_000_003n)).toBe(true)
    expect(hasSmallFactor(757n * 1_000_003n)).toBe(false)
  })

  it('of the Infineon library are found in a power of 65537 and not in its neighbours', () => {
    expect(hasRocaFingerprint(65_537n ** 120n)).toBe(true)
    expect(hasRocaFingerprint(65_537n ** 120n + 2n)).toBe(false)
    expect(hasRocaFingerprint(rocaModulus())).toBe(true)
    expect(hasRocaFingerprint(rocaModulus() + 2n)).toBe(false)
  })

  it('are not found in what openssl makes', () => {
    const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 4096 }).publicKey.export({ format: 'jwk' })
    const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
    expect([hasClosePrimes(modulus), hasSmallFactor(modulus), hasRocaFingerprint(modulus)]).toEqual([false, false, false])
  })
})

describe.skipIf(!hasOpenssl)('a certificate signing request of openssl', () => {
  const requestOf = (key: KeyObject, ...more: readonly string[]): Buffer => {
    const file = openssl.file('key.pem', key.export({ type: 'pkcs8', format: 'pem' }).toString())
    const words = more.includes('-subj') ? more : ['-subj', '/CN=somebody else', ...more]
    return Buffer.from(openssl.succeed('req', '-new', '-key', file, ...words))
  }

  it.each([
    ['p256', '-sha256'],
    ['p384', '-sha384'],
    ['p521', '-sha512'],
    ['rsa', '-sha256'],
    ['ed25519', '-sha512'],
  ] as const)('with a %s key, %s, proves possession by itself, in PEM and in DER', async (kind, digest) => {
    const key = namedKey('proof', kind)
    const spki = Buffer.from(key.spki).toString('hex')
    expect(await hexOf(requested(requestOf(key.privateKey, digest)), [])).toBe(spki)
    expect(await hexOf(requested(requestOf(key.privateKey, digest, '-outform', 'DER')), [])).toBe(spki)
    expect(await hexOf(requested(requestOf(key.privateKey, digest, '-newhdr')), [])).toBe(spki)
  })

  it('with extensions and an e-mail address is the same: only its key counts', async () => {
    const key = namedKey('proof')
    const request = requestOf(
      key.privateKey,
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'subjectAltName=email:evil@example.com',
    )
    expect(await hexOf(requested(request))).toBe(Buffer.from(key.spki).toString('hex'))
  })

  it.each([
    ['p256', '-sha384', 'an ECDSA key on P-256 with ecdsa-sha384'],
    ['p384', '-sha256', 'an ECDSA key on P-384 with ecdsa-sha256'],
    ['rsa', '-sha512', 'an RSA key of 2048 bits with rsa-pkcs1-sha512'],
  ] as const)('with a %s key, %s, is not permitted', async (kind, digest, description) => {
    expect(await refusal(requested(requestOf(namedKey('proof', kind).privateKey, digest)))).toBe(
      `signing algorithm not permitted: ${description}`,
    )
  })

  it('with SHA-1 is refused', async () => {
    expect(await refusal(requested(requestOf(namedKey('proof', 'rsa').privateKey, '-sha1')))).toBe(badRequest)
  })

  it('that another key has signed is refused', async () => {
    const own = requestOf(namedKey('proof').privateKey, '-outform', 'DER')
    const theirs = requestOf(namedKey('another').privateKey, '-outform', 'DER')
    // Both are as long, and what is signed comes before the signature.
    const at = own.indexOf(Buffer.from(namedKey('proof').spki))
    const key = Buffer.from(namedKey('another').spki)
    const mixed = Buffer.concat([own.subarray(0, at), key, own.subarray(at + key.length)])
    expect(theirs.includes(key)).toBe(true)
    expect(await refusal(requested(mixed))).toBe(unproven)
  })

  it.each([
    ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['RSA with the exponent 3', () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })],
    ['P-224', () => generateKeyPairSync('ec', { namedCurve: 'secp224r1' })],
  ])('with a key of the kind %s is insecure', async (_, generate) => {
    expect(await refusal(requested(requestOf(generate().privateKey, '-sha256')))).toBe(insecure)
  })

  it('with any bit flipped is refused, or has the same key and name', async () => {
    const request = requestOf(namedKey('proof').privateKey, '-sha256', '-outform', 'DER')
    for (let bit = 0; bit < request.length * 8; bit++) {
      const bent = Buffer.from(request)
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const said = await refusal(requested(bent))
      expect([badRequest, unproven, insecure].includes(said) || said.startsWith('signing algorithm not permitted'), said).toBe(true)
    }
  })

  it('twice in one text, or beside a key, is refused', async () => {
    const request = requestOf(namedKey('proof').privateKey)
    expect(await refusal(requested(Buffer.concat([request, request])))).toBe(badRequest)
    expect(await refusal(requested(Buffer.concat([request, Buffer.from(namedKey('proof').pem)])))).toBe(badRequest)
  })
})

it.each([
  ['nothing', Buffer.alloc(0)],
  ['a word', Buffer.from('request')],
  ['an empty sequence', Buffer.of(0x30, 0)],
  ['a key', Buffer.from(namedKey('proof').pem)],
  ['a key in DER', Buffer.from(namedKey('proof').spki)],
  ['bytes that are no text', Buffer.from([0xff, 0xfe])],
  ['more than 64 KiB', Buffer.alloc(70_000, 0x30)],
  ['lengths that lie', Buffer.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff)],
])('%s is no certificate signing request', async (_, bytes) => {
  expect(await refusal(requested(bytes))).toBe(badRequest)
})

/** The SubjectPublicKeyInfo of an RSA key with the usual exponent. */
function rsaSpki(modulus: bigint, exponent = 65_537): Uint8Array {
  const pkcs1 = derSequence(derInteger(modulus), derInteger(exponent))
  const spki = createPublicKey({ key: Buffer.from(pkcs1), format: 'der', type: 'pkcs1' }).export({ type: 'spki', format: 'der' })
  expect(parsePublicKey(spki).kind).toBe('rsa')
  return spki
}

/** A modulus as the broken generator makes them: the product of two numbers k·M + 65537^a mod M, here of 1024 bits each. */
function rocaModulus(): bigint {
  let primorial = 1n
  for (let candidate = 2n; candidate <= 701n; candidate++) if (isPrime(candidate)) primorial *= candidate
  const prime = (start: bigint, power: bigint): bigint => {
    const residue = powerModulo(65_537n, power, primorial)
    let k = start / primorial
    while (!isPrime(k * primorial + residue)) k++
    return k * primorial + residue
  }
  const modulus = prime(3n << 1022n, 12_345n) * prime(7n << 1021n, 67_890n)
  expect(modulus.toString(2)).toHaveLength(2048)
  return modulus
}

function nextPrime(from: bigint): bigint {
  let candidate = from | 1n
  while (!isPrime(candidate)) candidate += 2n
  return candidate
}

/** Miller and Rabin's test with the first twelve primes. */
function isPrime(value: bigint): boolean {
  const bases = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n]
  for (const base of bases) if (value % base === 0n) return value === base
  let odd = value - 1n
  let twos = 0
  while (odd % 2n === 0n) {
    odd /= 2n
    twos++
  }
  return bases.every((base) => {
    let x = powerModulo(base, odd, value)
    if (x === 1n || x === value - 1n) return true
    for (let round = 1; round < twos; round++) {
      x = (x * x) % value
      if (x === value - 1n) return true
    }
    return false
  })
}

function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base % modulus
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest % 2n === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}
