import type { KeyObject } from 'node:crypto'
import { constants, generateKeyPairSync, sign } from 'node:crypto'
import { CompactSign, exportJWK } from 'jose'
import type { JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { decodeBase64Url } from '../../../../src/encoding/base64.ts'
import { parseJson } from '../../../../src/encoding/json.ts'
import type { JsonObject } from '../../../../src/encoding/json.ts'
import type { SignedToken } from '../../../../src/server/request/token-signature.ts'
import { createTokenKeys, tokenAlgorithms } from '../../../../src/server/request/token-signature.ts'
import { base64Url } from '../../../support/foreign-issuer.ts'

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
} as const
const signedWith: readonly (readonly [string, keyof typeof pairs])[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, 'rsa'] as const),
  ['ES256', 'P-256'],
  ['ES384', 'P-384'],
  ['ES512', 'P-521'],
  ['EdDSA', 'ed25519'],
  ['Ed25519', 'ed25519'],
]
const all = [...tokenAlgorithms]
const payload = '{"sub":"a"}'

/** A token in its parts, signed by jose. */
async function signed(alg: string, key: KeyObject): Promise<SignedToken> {
  return partsOf(await new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg }).sign(key))
}

function partsOf(token: string): SignedToken {
  const [header = '', body = '', signature = ''] = token.split('.')
  return {
    header: parseJson(Buffer.from(header, 'base64url'), 'the header') as JsonObject,
    signed: `${header}.${body}`,
    signature: decodeBase64Url(signature, 'the signature'),
  }
}

/** A token whose signature is made by hand. */
function signedByHand(header: object, signer: (bytes: Buffer) => Buffer): SignedToken {
  const text = `${base64Url(JSON.stringify(header))}.${base64Url(payload)}`
  return partsOf(`${text}.${signer(Buffer.from(text)).toString('base64url')}`)
}

async function keysOf(key: KeyObject, members: JWK = {}, allowed = all) {
  return createTokenKeys([{ ...(await exportJWK(key)), ...members }], allowed)
}

describe('the signature of a token', () => {
  it.each(signedWith)('with %s is accepted, and only as it is', async (alg, kind) => {
    const { privateKey, publicKey } = pairs[kind]
    const keys = await keysOf(publicKey)
    const token = await signed(alg, privateKey)
    for (let time = 0; time < 2; time++) expect(await keys.complaint(token)).toBeUndefined()
    const bent = Uint8Array.from(token.signature)
    bent[20] = (bent[20] ?? 0) ^ 1
    const wrong = [bent, token.signature.subarray(1), Buffer.concat([token.signature, Buffer.of(0)]), new Uint8Array(0)]
    for (const signature of [...wrong, new Uint8Array(token.signature.length)])
      expect(await keys.complaint({ ...token, signature })).toBe('its signature does not verify')
    expect(await keys.complaint({ ...token, signed: `${token.signed}A` })).toBe('its signature does not verify')
  })

  it.each(signedWith)('with %s is refused where the issuer names other algorithms', async (alg, kind) => {
    const others = all.filter((name) => name !== alg)
    const keys = await keysOf(pairs[kind].publicKey, {}, others)
    expect(await keys.complaint(await signed(alg, pairs[kind].privateKey))).toMatch(/does not use/)
  })

  it('is refused where the key is for another algorithm, another use or another curve', async () => {
    const { privateKey, publicKey } = pairs.rsa
    const token = await signed('RS256', privateKey)
    for (const members of [{ alg: 'PS256' }, { use: 'enc' }, { key_ops: ['encrypt'] }, { kid: 'other' }] satisfies JWK[]) {
      const keys = await keysOf(publicKey, members)
      await expect(keys.complaint({ ...token, header: { ...token.header, kid: 'mine' } })).rejects.toThrow(/no applicable key/)
    }
    await expect((await keysOf(pairs['P-384'].publicKey)).complaint(await signed('ES256', pairs['P-256'].privateKey))).rejects.toThrow()
  })

  it.each([1, null, ['k'], {}])('of a key that is named by %j is refused, also after one without a name', async (kid) => {
    const { privateKey, publicKey } = pairs['P-256']
    const keys = await keysOf(publicKey, { kid: 'k' })
    const token = await signed('ES256', privateKey)
    expect(await keys.complaint(token)).toBeUndefined()
    expect(await keys.complaint({ ...token, header: { ...token.header, kid } })).toMatch(/names the key/)
  })

  it('of a key that another algorithm was found for is still refused', async () => {
    const { privateKey, publicKey } = pairs.rsa
    const keys = await keysOf(publicKey)
    expect(await keys.complaint(await signed('RS256', privateKey))).toBeUndefined()
    const asPss = signedByHand({ alg: 'PS256' }, (bytes) => sign('sha256', bytes, privateKey))
    expect(await keys.complaint(asPss)).toBe('its signature does not verify')
  })

  it('in PSS has a salt as long as its digest (RFC 7518 section 3.5)', async () => {
    const { privateKey, publicKey } = pairs.rsa
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const token = signedByHand({ alg: 'PS256' }, (bytes) => sign('sha256', bytes, { key: privateKey, padding, saltLength: 20 }))
    expect(await (await keysOf(publicKey)).complaint(token)).toBe('its signature does not verify')
  })

  it('in ECDSA is two numbers of fixed length, not DER', async () => {
    const { privateKey, publicKey } = pairs['P-256']
    const token = signedByHand({ alg: 'ES256' }, (bytes) => sign('sha256', bytes, privateKey))
    expect(await (await keysOf(publicKey)).complaint(token)).toBe('its signature does not verify')
  })

  it('by an RSA key of 1024 bits is refused', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const token = signedByHand({ alg: 'RS256' }, (bytes) => sign('sha256', bytes, privateKey))
    expect(await (await keysOf(publicKey)).complaint(token)).toMatch(/1024 bits/)
  })

  it('by a private key, published by mistake, is refused', async () => {
    const { privateKey } = pairs['P-256']
    const keys = createTokenKeys([await exportJWK(privateKey)], all)
    await expect(keys.complaint(await signed('ES256', privateKey))).rejects.toThrow(/public keys/)
  })

  it.each([
    ['an unknown one', ['exp']],
    ['an unknown one beside a known one', ['b64', 'exp']],
    ['none', []],
    ['no list', 'b64'],
    ['null', null],
    ['a number', [1]],
  ])('with critical extensions that are %s is refused', async (_, crit) => {
    const { privateKey, publicKey } = pairs['P-256']
    const header = { alg: 'ES256', crit, b64: true, exp: 1 }
    const token = signedByHand(header, (bytes) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
    expect(await (await keysOf(publicKey)).complaint(token)).toMatch(/critical extension/)
  })

  it.each([false, undefined, 'true', 1])('with a critical b64 of %j is refused', async (b64) => {
    const { privateKey, publicKey } = pairs['P-256']
    const header = { alg: 'ES256', crit: ['b64'], b64 }
    const token = signedByHand(header, (bytes) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
    expect(await (await keysOf(publicKey)).complaint(token)).toMatch(/not encoded/)
  })
})
