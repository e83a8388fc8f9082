/** Signers by reference, as programs get them; and keys that cannot be had. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSigner, encodePublicKeyPem, encryptPrivateKey, generatePrivateKey, sign } from '../../../src/index.ts'
import type { SignerOptions } from '../../../src/index.ts'
import { loadOptionalPackage } from '../../../src/keys/optional-package.ts'
import { rejectionOf } from '../crypto/failure.ts'

const key = generatePrivateKey('ecdsa-p256')
const artifact = new TextEncoder().encode('an artifact')
let folder = ''
let encrypted = ''

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-signer-'))
  encrypted = await encryptPrivateKey(key, Buffer.from('gehéim'))
  writeFileSync(path.join(folder, 'cosign.key'), encrypted)
  writeFileSync(path.join(folder, 'clear.pem'), key.encodePem())
  writeFileSync(path.join(folder, 'bent.key'), bent(encrypted, '"N":65536', '"N":1048576'))
  writeFileSync(path.join(folder, 'half.key'), encrypted.slice(0, 300))
  writeFileSync(path.join(folder, 'other.key'), encrypted.replaceAll('SIGSTORE', 'SOMEBODY'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The file with something else in its JSON. */
function bent(text: string, from: string, to: string): string {
  const json = Buffer.from(text.replaceAll(/-----.*-----|\n/g, ''), 'base64').toString()
  return text.replace(/\n[^-]+\n/, `\n${Buffer.from(json.replace(from, to)).toString('base64')}\n`)
}

const open = (reference: string, options: SignerOptions = {}) => createSigner(reference, { cwd: folder, env: {}, ...options })

describe('a signer', () => {
  it.each([
    ['of an encrypted file', 'cosign.key', { password: 'gehéim' }],
    ['with the password as bytes', 'cosign.key', { password: Buffer.from('gehéim') }],
    ['whose password is asked for', 'cosign.key', { password: () => Promise.resolve('gehéim') }],
    ['with the password of the environment', 'cosign.key', { env: { COSIGN_PASSWORD: 'gehéim' } }],
    ['of a file in the clear, which asks for no password', 'clear.pem', { password: () => Promise.reject(new Error('asked')) }],
  ])('%s makes bundles for its key', async (_, reference, options) => {
    const signer = await open(reference, options)
    expect(encodePublicKeyPem(signer.publicKey)).toBe(encodePublicKeyPem(key.publicKey))
    const { evidence } = await sign(artifact, { signer, witnesses: 'none' })
    expect(evidence.signer.kind).toBe('key')
  })

  it('of an environment variable', async () => {
    const signer = await open('env://KEY', { env: { KEY: encrypted, COSIGN_PASSWORD: 'gehéim' } })
    expect(signer.algorithm).toBe('ecdsa-sha256')
  })

  it('signs with the algorithm that was chosen', async () => {
    expect((await open('clear.pem', { algorithm: 'ecdsa-sha512' })).algorithm).toBe('ecdsa-sha512')
    expect(await rejectionOf(open('clear.pem', { algorithm: 'ed25519' }))).toBe(
      'UsageError USAGE: an ECDSA key on P-256 cannot sign with ed25519',
    )
  })
})

describe('there is no signer', () => {
  it.each([
    [
      'for a wrong password',
      'cosign.key',
      { password: 'falsch' },
      /^VerificationError KEY_DECRYPTION_FAILED: reading key cosign\.key: decrypt: /,
    ],
    ['without the password', 'cosign.key', {}, /^UsageError USAGE: the key is encrypted: give its password with the option password/],
    [
      'for scrypt parameters that cosign does not write',
      'bent.key',
      {},
      /^UsageError KEY_INVALID: .*unsupported scrypt parameters: .*N=1048576/,
    ],
    ['for half a file', 'half.key', {}, /^UsageError KEY_INVALID: reading key half\.key: invalid pem block/],
    ['for another kind of PEM', 'other.key', {}, /^UsageError KEY_INVALID: reading key other\.key: unsupported private key/],
    [
      'for a missing file',
      'missing.key',
      {},
      /^TransportError FILE_UNREADABLE: the key missing\.key cannot be read: no such file or directory$/,
    ],
    ['for a folder', '.', {}, /^TransportError FILE_UNREADABLE: the key \. is a directory, a file was expected$/],
    ['for an unset variable', 'env://NOWHERE', {}, /^UsageError USAGE: loading key: the environment variable NOWHERE is not set$/],
    [
      'for an unknown scheme',
      'floppy://a',
      {},
      /^UsageError USAGE: loading key: there are no key references of the kind floppy:\/\/, give a file or/,
    ],
    [
      'for a scheme that objects have',
      'constructor://a',
      {},
      /^UsageError USAGE: loading key: there are no key references of the kind constructor:\/\//,
    ],
    ['for an address that does not answer', 'http://127.0.0.1:9/key', {}, /^TransportError NETWORK_FAILED: could not reach 127\.0\.0\.1:9/],
  ])('%s', async (_, reference, options, expected) => {
    const failure = await rejectionOf(open(reference, options))
    expect(failure).toMatch(expected)
    expect(failure).not.toContain('falsch')
  })
})

describe('a package that users install themselves', () => {
  const load = (error: unknown) =>
    loadOptionalPackage('@scope/sdk@^1.0.0', 'scope:// references', async () => {
      throw error
    })

  it.each(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'])('is named when it is missing (%s)', async (code) => {
    expect(await rejectionOf(load(Object.assign(new Error("Cannot find package '@scope/sdk'"), { code })))).toBe(
      'UsageError USAGE: scope:// references need the package @scope/sdk, which is not installed: install it with npm install @scope/sdk@^1.0.0',
    )
  })

  it('is named when it does not run here', async () => {
    expect(await rejectionOf(load(new TypeError('x is not a function\n    more')))).toBe(
      'UsageError USAGE: scope:// references need the package @scope/sdk, which cannot be loaded (x is not a function): install it with npm install @scope/sdk@^1.0.0',
    )
  })
})
