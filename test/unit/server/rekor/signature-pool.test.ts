import { build } from 'esbuild'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parsePublicKey } from '../../../../src/crypto/public-key.ts'
import type { SignatureCheck } from '../../../../src/server/rekor/signature-check.ts'
import { createSignaturePool } from '../../../../src/server/rekor/signature-pool.ts'
import type { KeyKind } from '../../../support/universe/keys.ts'
import { digestOf, namedKey, signPrehashed, signWith, usualDigest } from '../../../support/universe/keys.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'signature-pool-'))
const file = path.join(folder, 'signature-worker.mjs')

beforeAll(async () => {
  const entryPoints = [path.resolve(import.meta.dirname, '../../../../src/server/rekor/signature-worker.ts')]
  await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile: file, logLevel: 'error' })
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

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

describe('threads', () => {
  test.each<[KeyKind, 'data' | 'digest']>([
    ['p256', 'digest'],
    ['p256', 'data'],
    ['p384', 'digest'],
    ['p521', 'digest'],
    ['rsa', 'digest'],
    ['ed25519', 'digest'],
  ])('say whether a %s signature over the %s is right', async (kind, over) => {
    const pool = createSignaturePool({ file, size: 1 })
    const check = checkOf(kind, over)
    expect(await pool.check(check)).toBe(true)
    expect(await pool.check(bent(check))).toBe(false)
    await pool.close()
  })

  test('answer each question with its own answer', async () => {
    const pool = createSignaturePool({ file, size: 2 })
    const right = checkOf('p256')
    const wrong = bent(right)
    const answers = await Promise.all(Array.from({ length: 100 }, async (_, at) => pool.check(at % 3 === 0 ? wrong : right)))
    expect(answers).toEqual(Array.from({ length: 100 }, (_, at) => at % 3 !== 0))
    await pool.close()
  })

  test('refuse more than may wait', async () => {
    const pool = createSignaturePool({ file, size: 1, maxWaiting: 3 })
    const check = checkOf('p256')
    const waiting = Array.from({ length: 3 }, async () => pool.check(check))
    expect(() => pool.check(check)).toThrow(expect.objectContaining({ code: 'LOG_OVERLOADED' }))
    expect(await Promise.all(waiting)).toEqual([true, true, true])
    expect(await pool.check(check)).toBe(true)
    await pool.close()
  })

  test('what a thread cannot answer fails in this one, with its reason', async () => {
    const pool = createSignaturePool({ file, size: 1 })
    const impossible: SignatureCheck = { ...checkOf('p256'), over: { kind: 'digest', bytes: new Uint8Array(3) } }
    await expect(pool.check(impossible)).rejects.toThrow(/signs a digest of 32 bytes/)
    await pool.close()
  })
})

describe('without threads the checks are made here', () => {
  test('after closing, and what waited then is answered', async () => {
    const pool = createSignaturePool({ file, size: 2 })
    const waiting = Array.from({ length: 10 }, async () => pool.check(checkOf('p256')))
    await pool.close()
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 10 }, () => true))
    expect(await pool.check(bent(checkOf('p256')))).toBe(false)
  })

  test('when the file is missing', async () => {
    const errors: unknown[] = []
    const pool = createSignaturePool({ file: path.join(folder, 'missing.mjs'), size: 1, onError: (error) => errors.push(error) })
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
    const pool = createSignaturePool({ file: crashing, size: 2, onError: (error) => errors.push(error) })
    const answers = await Promise.all(
      Array.from({ length: 6 }, async (_, at) => pool.check(at === 0 ? bent(checkOf('p256')) : checkOf('p256'))),
    )
    expect(answers).toEqual([false, true, true, true, true, true])
    expect(errors).toHaveLength(2)
    await pool.close()
  })
})
