import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { parsePublicKey } from '../../../../src/crypto/public-key.ts'
import { verifySignature } from '../../../../src/crypto/signature.ts'
import { openGuardedSigner } from '../../../../src/server/threads/guarded-signing.ts'
import type { SignatureCheck } from '../../../../src/server/threads/signature-check.ts'
import { decodeCheck, encodeCheck, openChecker } from '../../../../src/server/threads/signature-check.ts'
import { openSigner } from '../../../../src/server/threads/signing.ts'
import type { ThreadPoolOptions } from '../../../../src/server/threads/thread-pool.ts'
import { createThreadPool } from '../../../../src/server/threads/thread-pool.ts'
import type { KeyKind } from '../../../support/universe/keys.ts'
import { digestOf, namedKey, signPrehashed, signWith, usualDigest } from '../../../support/universe/keys.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'thread-pool-'))

afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** A pool and what it checks signatures with. */
function checkerOf(options: ThreadPoolOptions) {
  const pool = createThreadPool(options)
  return { open: pool.open, check: openChecker(pool.open), close: () => pool.close() }
}

const data = Buffer.from('what is signed')

function checkOf(kind: KeyKind, over: 'data' | 'digest' = 'digest'): SignatureCheck {
  const key = namedKey('pool', kind)
  if (kind === 'ed25519') {
    const bytes = digestOf('sha512', data)
    return { key: parsePublicKey(key.spki), algorithm: 'ed25519ph', signature: signPrehashed(key, data), over: { kind: 'digest', bytes } }
  }
  const digestName = usualDigest(key)
  return {
    key: parsePublicKey(key.spki),
    algorithm: kind === 'rsa' ? 'rsa-pkcs1-sha256' : `ecdsa-${digestName}`,
    signature: signWith(key, data),
    over: { kind: over, bytes: over === 'data' ? data : digestOf(digestName, data) },
  }
}

function bent(check: SignatureCheck): SignatureCheck {
  const signature = Uint8Array.from(check.signature)
  signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1
  return { ...check, signature }
}

describe('threads that check signatures', () => {
  test.each<[KeyKind, 'data' | 'digest']>([
    ['p256', 'digest'],
    ['p256', 'data'],
    ['p384', 'digest'],
    ['p521', 'digest'],
    ['rsa', 'digest'],
    ['ed25519', 'digest'],
  ])('say whether a %s signature over the %s is right', async (kind, over) => {
    const pool = checkerOf({ size: 1 })
    const check = checkOf(kind, over)
    expect(await pool.check(check)).toBe(true)
    expect(await pool.check(bent(check))).toBe(false)
    await pool.close()
  })

  test('answer each question with its own answer', async () => {
    const pool = checkerOf({ size: 2 })
    const right = checkOf('p256')
    const wrong = bent(right)
    const answers = await Promise.all(Array.from({ length: 100 }, async (_, at) => pool.check(at % 3 === 0 ? wrong : right)))
    expect(answers).toEqual(Array.from({ length: 100 }, (_, at) => at % 3 !== 0))
    await pool.close()
  })

  test('refuse more than may wait', async () => {
    const pool = checkerOf({ size: 1, maxWaiting: 3 })
    const check = checkOf('p256')
    const waiting = Array.from({ length: 3 }, async () => pool.check(check))
    await expect(pool.check(check)).rejects.toThrow(expect.objectContaining({ code: 'LOG_OVERLOADED' }))
    expect(await Promise.all(waiting)).toEqual([true, true, true])
    expect(await pool.check(check)).toBe(true)
    await pool.close()
  })

  test('what a thread cannot answer fails in this one, with its reason', async () => {
    const pool = checkerOf({ size: 1 })
    const impossible: SignatureCheck = { ...checkOf('p256'), over: { kind: 'digest', bytes: new Uint8Array(3) } }
    await expect(pool.check(impossible)).rejects.toThrow(/signs a digest of 32 bytes/)
    await pool.close()
  })
})

test.each<[KeyKind, 'data' | 'digest']>([
  ['p256', 'digest'],
  ['p384', 'data'],
  ['p521', 'digest'],
  ['rsa', 'data'],
  ['ed25519', 'digest'],
])('a check of a %s signature over the %s reaches a thread as it is', (kind, over) => {
  const check = checkOf(kind, over)
  const { key, algorithm, signature, over: message } = decodeCheck(encodeCheck(check))
  expect({ ...key, spki: Buffer.from(key.spki) }).toMatchObject({ kind: check.key.kind, spki: Buffer.from(check.key.spki) })
  const tail = (of: SignatureCheck['key']) => Buffer.from(of.kind === 'rsa' ? of.pkcs1 : of.point)
  expect(tail(key)).toEqual(tail(check.key))
  expect([algorithm, message.kind]).toEqual([check.algorithm, check.over.kind])
  expect([Buffer.from(signature), Buffer.from(message.bytes)]).toEqual([Buffer.from(check.signature), Buffer.from(check.over.bytes)])
})

describe('signing', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const)('with %s is done by threads and by this one', async (kind) => {
    const key = generatePrivateKey(kind)
    const pool = createThreadPool({ size: 1 })
    const signer = openSigner(pool.open, key)
    const messages = Array.from({ length: 60 }, (_, at) => Buffer.from(`message ${at}`))
    const signatures = await Promise.all(messages.map(async (message) => signer.sign(message)))
    for (const [at, signature] of signatures.entries())
      expect(verifySignature(key.publicKey, signer.algorithm, messages[at] ?? Buffer.of(), signature)).toBe(true)
    await pool.close()
    expect(verifySignature(key.publicKey, signer.algorithm, data, await signer.sign(data))).toBe(true)
  })

  test('with keys that are added while threads work', async () => {
    const pool = createThreadPool({ size: 2 })
    for (let time = 0; time < 3; time++) {
      const key = generatePrivateKey('ecdsa-p256')
      const signer = openSigner(pool.open, key)
      const signatures = await Promise.all(Array.from({ length: 40 }, async () => signer.sign(data)))
      for (const signature of signatures) expect(verifySignature(key.publicKey, signer.algorithm, data, signature)).toBe(true)
    }
    await pool.close()
  })
})

describe('signing on a condition', () => {
  test('signs where the other signature is right, and nothing where it is not', async () => {
    const key = generatePrivateKey('ecdsa-p256')
    const pool = createThreadPool({ size: 1 })
    const signIfValid = openGuardedSigner(pool.open, key)
    const right = checkOf('p256', 'data')
    const impossible: SignatureCheck = { ...checkOf('p256'), over: { kind: 'digest', bytes: new Uint8Array(3) } }
    for (let time = 0; time < 2; time++) {
      const conditions = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? right : bent(right)))
      const signatures = await Promise.all(conditions.map((condition) => signIfValid(condition, data)))
      for (const [at, signature] of signatures.entries()) {
        if (at % 2 === 1) expect(signature).toBeUndefined()
        else expect(verifySignature(key.publicKey, 'ecdsa-sha256', data, signature ?? Buffer.of())).toBe(true)
      }
      await expect(signIfValid(impossible, data)).rejects.toThrow(/signs a digest of 32 bytes/)
      // The second time without threads.
      await pool.close()
    }
  })
})

describe('without threads the work is done here', () => {
  test('after closing, and what waited then is answered', async () => {
    const pool = checkerOf({ size: 2 })
    const waiting = Array.from({ length: 10 }, async () => pool.check(checkOf('p256')))
    await pool.close()
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 10 }, () => true))
    expect(await pool.check(bent(checkOf('p256')))).toBe(false)
  })

  test('when the file is missing', async () => {
    const errors: unknown[] = []
    const pool = checkerOf({ file: path.join(folder, 'missing.mjs'), size: 1, onError: (error) => errors.push(error) })
    expect(await pool.check(checkOf('p256'))).toBe(true)
    expect(await pool.check(bent(checkOf('p256')))).toBe(false)
    expect(errors).toHaveLength(1)
    await pool.close()
  })

  test('when a thread crashes over a request', async () => {
    const crashing = path.join(folder, 'crashing.mjs')
    writeFileSync(
      crashing,
      `import { parentPort } from 'node:worker_threads'\nparentPort.on('message', () => { throw new Error('crash') })`,
    )
    const errors: unknown[] = []
    const pool = checkerOf({ file: crashing, size: 2, onError: (error) => errors.push(error) })
    const answers = await Promise.all(
      Array.from({ length: 6 }, async (_, at) => pool.check(at === 0 ? bent(checkOf('p256')) : checkOf('p256'))),
    )
    expect(answers).toEqual([false, true, true, true, true, true])
    expect(errors).toHaveLength(2)
    await pool.close()
  })
})
