/** Sealed boxes, opened by libsodium itself. */
import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import sodium from 'libsodium-wrappers'
import { beforeAll, expect, it } from 'vitest'
import { sealBox } from '../../../src/crypto/sealed-box.ts'
import { rejectionOf } from './failure.ts'

beforeAll(() => sodium.ready)

it('are opened by the holder of the key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (message) => {
      const { publicKey, privateKey } = sodium.crypto_box_keypair()
      const sealed = await sealBox(message, publicKey)
      expect(sealed).toHaveLength(message.length + 48)
      expect(Uint8Array.from(sodium.crypto_box_seal_open(sealed, publicKey, privateKey))).toEqual(Uint8Array.from(message))
    }),
    { numRuns: 50 },
  )
})

it('are opened by nobody else, and not when anything in them was changed', async () => {
  const { publicKey, privateKey } = sodium.crypto_box_keypair()
  const other = sodium.crypto_box_keypair()
  const sealed = await sealBox(Buffer.from('a secret'), publicKey)
  expect(() => sodium.crypto_box_seal_open(sealed, other.publicKey, other.privateKey)).toThrow()
  for (const at of [0, 31, 32, 47, 48, sealed.length - 1]) {
    const bent = Uint8Array.from(sealed)
    bent[at] = (bent[at] ?? 0) ^ 1
    expect(() => sodium.crypto_box_seal_open(bent, publicKey, privateKey), `byte ${at}`).toThrow()
  }
})

it('of the same message differ each time', async () => {
  const { publicKey } = sodium.crypto_box_keypair()
  const [first, second] = await Promise.all([sealBox(Buffer.from('x'), publicKey), sealBox(Buffer.from('x'), publicKey)])
  expect(Buffer.from(first).equals(second)).toBe(false)
})

it('are not made for what is no key, or for one that keeps nothing secret', async () => {
  expect(await rejectionOf(sealBox(new Uint8Array(), randomBytes(31)))).toBe(
    'DecodingError KEY_INVALID: the key to seal for has 31 bytes, an X25519 key has 32',
  )
  expect(await rejectionOf(sealBox(new Uint8Array(), new Uint8Array(32)))).toBe(
    'DecodingError KEY_INVALID: the key to seal for is not a point of X25519 that can be used',
  )
})
