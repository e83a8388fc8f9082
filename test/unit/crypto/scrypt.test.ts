import { readFileSync } from 'node:fs'
import { scryptSync } from 'node:crypto'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { scryptModuleSource } from '../../../scripts/wasm.ts'
import { scryptAside, scryptHere } from '../../../src/crypto/scrypt.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'

const salt = new Uint8Array(32).fill(9)

function byOpenssl(password: Uint8Array, cost: number, withSalt: Uint8Array): string {
  return scryptSync(password, withSalt, 32, { N: cost, r: 8, p: 1, maxmem: 2 ** 28 }).toString('hex')
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: object } }

afterEach(() => vi.unstubAllGlobals())

describe.each([
  ['on this thread', scryptHere],
  ['on another thread', scryptAside],
])('scrypt %s', (_, derive) => {
  it('gives what RFC 7914 lists for a cost of 16384', async () => {
    const key = await derive(encodeUtf8('pleaseletmein'), { cost: 16_384, salt: encodeUtf8('SodiumChloride') })
    expect(Buffer.from(key).toString('hex')).toBe('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2')
  })

  it.each([32_768, 65_536, 131_072])('gives what OpenSSL gives for a cost of %i, as key files have it', async (cost) => {
    const password = encodeUtf8('correct horse')
    expect(Buffer.from(await derive(password, { cost, salt })).toString('hex')).toBe(byOpenssl(password, cost, salt))
  })

  it('gives what OpenSSL gives for any password and salt', async () => {
    const cost = fc.integer({ min: 4, max: 10 }).map((power) => 2 ** power)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 64 }), cost, async (password, anySalt, n) => {
        const key = await derive(password, { cost: n, salt: anySalt })
        expect(Buffer.from(key).toString('hex')).toBe(byOpenssl(password, n, anySalt))
      }),
      { numRuns: 200 },
    )
  })

  it('changes neither password nor salt', async () => {
    const [password, ownSalt] = [encodeUtf8('secret'), Uint8Array.from(salt)]
    await derive(password, { cost: 16, salt: ownSalt })
    expect([password, ownSalt]).toEqual([encodeUtf8('secret'), salt])
  })
})

describe('scrypt on this thread', () => {
  // eslint-disable-next-line prefer-arrow-callback -- no arrow function can be called with new
  const fails = vi.fn(function () {
    throw new RangeError('could not allocate memory')
  })

  it.each([
    ['without WebAssembly', undefined],
    ['without the address space for its memory', { Memory: fails }],
    ['on a processor without vectors', { Memory: WebAssembly.Memory, Module: fails }],
  ])('gives the same %s', async (_, found) => {
    vi.stubGlobal('WebAssembly', found)
    const password = encodeUtf8('secret')
    expect(Buffer.from(await scryptHere(password, { cost: 1_024, salt })).toString('hex')).toBe(byOpenssl(password, 1_024, salt))
  })
})

it('the module that is committed is the one of scrypt.wat', async () => {
  expect(readFileSync('src/crypto/scrypt-module.ts', 'utf8')).toBe(await scryptModuleSource())
})
