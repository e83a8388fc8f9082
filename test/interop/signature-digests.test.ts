/** `--signature-digest-algorithm`: what keys sign beside what is usual for them, as the real cosign has it. Any but the default is demanded. */
import type { KeyObject } from 'node:crypto'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from '../unit/cli/captured-context.ts'
import { findPeer, runPeer } from './peer.ts'

const cosign = findPeer('cosign') ?? ''
const blob = Buffer.alloc(5_000_000, 'a blob that is no longer held in memory ')
const keys: Readonly<Record<string, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>> = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: generateKeyPairSync('ed25519'),
}
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-digests-'))
  writeFileSync(path.join(folder, 'blob'), blob)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Whether we take a signature over this digest with this flag, and cosign does. */
async function judged(key: string, signed: string, flag: readonly string[]): Promise<readonly [boolean, boolean]> {
  const { privateKey, publicKey } = keys[key] ?? {}
  if (privateKey === undefined || publicKey === undefined) throw new Error(`there is no key ${key}`)
  writeFileSync(path.join(folder, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(path.join(folder, 'sig'), sign(key === 'Ed25519' ? null : signed, blob, privateKey).toString('base64'))
  const words = ['verify-blob', '--key', 'key.pub', '--signature', 'sig', '--insecure-ignore-tlog', ...flag, 'blob']
  const ours = await runCaptured(words, { cwd: folder, env: { HOME: folder } })
  return [ours.exitCode === 0, runPeer(cosign, words, folder).exitCode === 0]
}

const said = (digest: string): string[] => ['--signature-digest-algorithm', digest]

describe.skipIf(cosign === '')('a signature with a key', () => {
  it.each([
    ['P-256', 'sha224', 'sha224'],
    ['P-256', 'sha256', 'SHA256'],
    ['P-256', 'sha256', ''],
    ['P-256', 'sha384', 'sha384'],
    ['P-256', 'sha512', 'SHA512'],
    ['P-384', 'sha256', 'sha256'],
    ['P-384', 'sha384', 'sha384'],
    ['P-384', 'sha512', 'sha512'],
    ['RSA', 'sha512', 'sha512'],
    ['Ed25519', 'none', 'sha512'],
  ])('on %s over %s is taken with the digest %j', async (key, signed, digest) => {
    expect(await judged(key, signed, said(digest))).toEqual([true, true])
  })

  it.each([
    ['P-256', 'sha256', 'sha512'],
    ['P-256', 'sha512', 'sha256'],
    ['P-256', 'sha512', 'sha384'],
    ['P-384', 'sha256', 'sha384'],
    ['RSA', 'sha256', 'sha512'],
    ['RSA', 'sha256', 'sha224'],
    ['P-256', 'sha256', 'md5'],
    ['P-256', 'sha256', 'sha1'],
  ])('on %s over %s is refused with the digest %s', async (key, signed, digest) => {
    expect(await judged(key, signed, said(digest))).toEqual([false, false])
  })

  it.each([
    ['P-384', 'sha384'],
    ['RSA', 'sha512'],
  ])('on %s over %s, which is usual, is taken by us without a word', async (key, signed) => {
    expect(await judged(key, signed, [])).toEqual([true, false])
  })
})

describe('a digest that nobody knows', () => {
  it.each(['verify', 'verify-attestation', 'verify-blob'])('is refused before anything is asked, by %s', async (verb) => {
    const name = verb === 'verify-blob' ? 'blob' : `localhost:1/app@sha256:${createHash('sha256').update('').digest('hex')}`
    const identity = ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'b']
    const { exitCode, stderr } = await runCaptured([verb, ...identity, ...said('md5'), name], { cwd: folder, env: { HOME: folder } })
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('unknown digest algorithm: "md5"')])
  })
})
