/** The openssl program as a judge: what it signs is verified, what is signed here it verifies, and it reads the keys. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digest } from '../../../src/crypto/digest.ts'
import { generatePrivateKey, parsePrivateKeyPem } from '../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../src/crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../../src/crypto/signature.ts'
import { verifyDigest, verifySignature } from '../../../src/crypto/signature.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('skipped: there is no openssl program to compare with')

describe.skipIf(!hasOpenssl)('openssl', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'countersign-crypto-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string, contents: Uint8Array | string): string => {
    const full = path.join(folder, name)
    writeFileSync(full, contents)
    return full
  }
  const openssl = (...words: string[]): Uint8Array => {
    const { status, stdout, stderr } = spawnSync('openssl', words)
    if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${stderr.toString()}`)
    return stdout
  }
  const message = encodeUtf8('what is signed')
  const pss = ['-pkeyopt', 'rsa_padding_mode:pss', '-pkeyopt', 'rsa_pss_saltlen:digest']

  it.each([
    ['ecdsa-p256', 'ecdsa-sha256', 'sha256', []],
    ['ecdsa-p384', 'ecdsa-sha384', 'sha384', []],
    ['ecdsa-p521', 'ecdsa-sha512', 'sha512', []],
    ['rsa-2048', 'rsa-pkcs1-sha256', 'sha256', []],
    ['rsa-2048', 'rsa-pss-sha512', 'sha512', pss],
  ] as const)(
    'and this agree on %s with %s, over a digest that was signed as such',
    (kind, algorithm: SignatureAlgorithm, hash, options) => {
      const key = generatePrivateKey(kind)
      const value = digest(hash, message)
      const [privateFile, publicFile, digestFile] = [
        file('key', key.encodePem()),
        file('pub', encodePublicKeyPem(key.publicKey)),
        file('digest', value),
      ]
      const theirs = openssl('pkeyutl', '-sign', '-inkey', privateFile, '-in', digestFile, '-pkeyopt', `digest:${hash}`, ...options)
      expect(verifyDigest(key.publicKey, algorithm, value, theirs)).toBe(true)
      expect(verifySignature(key.publicKey, algorithm, message, theirs)).toBe(true)
      const ours = file('signature', key.createSigner(algorithm).sign(message))
      openssl(
        'pkeyutl',
        '-verify',
        '-pubin',
        '-inkey',
        publicFile,
        '-in',
        digestFile,
        '-sigfile',
        ours,
        '-pkeyopt',
        `digest:${hash}`,
        ...options,
      )
    },
  )

  it('writes keys that are read here', () => {
    const plain = openssl('genpkey', '-algorithm', 'ed25519').toString()
    const ec = openssl('ecparam', '-name', 'prime256v1', '-genkey').toString()
    expect(ec).toContain('EC PARAMETERS')
    for (const pem of [plain, ec]) {
      const expected = Buffer.from(openssl('pkey', '-in', file('written', pem), '-pubout')).toString()
      expect(encodePublicKeyPem(parsePrivateKeyPem(pem).publicKey)).toBe(expected)
    }
  })
})
