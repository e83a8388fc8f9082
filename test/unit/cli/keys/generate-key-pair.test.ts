/** `generate-key-pair` into files; the stores are in test/contract/secret-stores.test.ts. */
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { decryptPrivateKey, parseEncryptedPrivateKeyPem } from '../../../../src/crypto/encrypted-private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { makeScryptCheap } from '../../../support/cheap-scrypt.ts'
import { createKeyFolder, password } from './key-folder.ts'
import type { KeyFolder } from './key-folder.ts'

makeScryptCheap()
const written = 'Private key written to cosign.key\nPublic key written to cosign.pub\n'
const question = 'WARNING: File cosign.key already exists. Overwrite?\nAre you sure you would like to continue? [y/N] '

/** The public key of a file that the password opens. */
async function opened(folder: KeyFolder, name: string, secret: string | Uint8Array): Promise<string> {
  const key = await decryptPrivateKey(parseEncryptedPrivateKeyPem(folder.read(name)), Buffer.from(secret))
  return encodePublicKeyPem(key.publicKey)
}

it('writes the encrypted key for its owner alone, and the public key for everybody', async () => {
  const folder = createKeyFolder()
  expect(await folder.run(['generate-key-pair'])).toEqual({ exitCode: 0, stdout: '', stderr: written })
  expect(folder.files()).toEqual(['cosign.key', 'cosign.pub'])
  expect([folder.mode('cosign.key'), folder.mode('cosign.pub')]).toEqual([0o600, 0o644])
  expect(await opened(folder, 'cosign.key', password)).toBe(folder.read('cosign.pub'))
  expect(folder.read('cosign.key')).toMatch(
    /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n(?:[\w+/=]{1,64}\n)+-----END ENCRYPTED SIGSTORE/,
  )
  expect(folder.read('cosign.pub')).toMatch(/^-----BEGIN PUBLIC KEY-----\n[\w+/]{64}\n[\w+/=]{60}\n-----END PUBLIC KEY-----\n$/)
})

it('names the files as it is told', async () => {
  const folder = createKeyFolder()
  mkdirSync(path.join(folder.path, 'keys'))
  expect((await folder.run(['generate-key-pair', '--output-key-prefix', 'keys/release'])).stderr).toBe(
    'Private key written to keys/release.key\nPublic key written to keys/release.pub\n',
  )
})

describe('the password', () => {
  it.each([
    ['an empty one', ''],
    ['a long one', 'x'.repeat(10_000)],
    ['one that is not ASCII', 'pässwörd — 密码 🔑'],
  ])('of COSIGN_PASSWORD: %s', async (_, secret) => {
    const folder = createKeyFolder()
    expect(await folder.run(['generate-key-pair'], { env: { COSIGN_PASSWORD: secret } })).toMatchObject({ stderr: written })
    expect(await opened(folder, 'cosign.key', secret)).toBe(folder.read('cosign.pub'))
  })

  it('is typed twice, and not shown', async () => {
    const folder = createKeyFolder()
    const outcome = await folder.run(['generate-key-pair'], { env: {}, typed: true, stdin: Buffer.from('gehéim\ngehéim\n') })
    expect(outcome).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `Enter password for private key: \nEnter password for private key again: \n${written}`,
    })
    expect(await opened(folder, 'cosign.key', 'gehéim')).toBe(folder.read('cosign.pub'))
  })

  it('may be typed empty', async () => {
    const folder = createKeyFolder()
    expect(await folder.run(['generate-key-pair'], { env: {}, typed: true, stdin: Buffer.from('\n\n') })).toMatchObject({ exitCode: 0 })
    expect(await opened(folder, 'cosign.key', '')).toBe(folder.read('cosign.pub'))
  })

  it('is what is piped in, as a whole', async () => {
    const folder = createKeyFolder()
    const piped = Buffer.from([0xff, 0x00, 0x0a])
    expect(await folder.run(['generate-key-pair'], { env: {}, stdin: piped })).toMatchObject({ stderr: written })
    expect(await opened(folder, 'cosign.key', piped)).toBe(folder.read('cosign.pub'))
  })

  it('is empty where nothing was piped in, which is said', async () => {
    const folder = createKeyFolder()
    const { exitCode, stderr } = await folder.run(['generate-key-pair'], { env: {}, stdin: Buffer.alloc(0) })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `WARNING: COSIGN_PASSWORD is not set, and nothing was piped in: the key gets an empty password\n${written}`,
    })
  })

  it('is not empty because there is no input: nothing is written', async () => {
    const folder = createKeyFolder()
    const refused = await folder.run(['generate-key-pair'], { env: {} })
    expect(refused.stderr).toContain('Error: no password was given: set COSIGN_PASSWORD')
    expect(folder.files()).toEqual([])
  })

  it.each([
    ['passwords that differ', 'a\nb\n', 'passwords do not match'],
    ['the end of the input', '', 'no password was entered'],
    ['the end of the input after the first', 'a', 'no password was entered'],
  ])('%s: nothing is written', async (_, typed, message) => {
    const folder = createKeyFolder()
    const stdin = typed === '' ? {} : { stdin: Buffer.from(typed) }
    const refused = await folder.run(['generate-key-pair'], { env: {}, typed: true, ...stdin })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(`Error: ${message}\n`)
    expect(folder.files()).toEqual([])
  })

  it('piped in without an end is refused', async () => {
    const folder = createKeyFolder()
    const refused = await folder.run(['generate-key-pair'], { env: {}, stdin: Buffer.alloc(64 * 1024 + 1) })
    expect(refused.stderr).toContain('longer than the limit of 65536 bytes')
    expect(folder.files()).toEqual([])
  })
})

describe('a key that is there already', () => {
  const existing = (): KeyFolder => {
    const folder = createKeyFolder()
    folder.write('cosign.key', 'old')
    folder.write('cosign.pub', 'old')
    return folder
  }

  it.each([
    ['n\n', 'user declined the prompt'],
    ['\n', 'user declined the prompt'],
    ['yes\n', 'invalid input "yes" (allowed values y, n)'],
  ])('stays after the answer %j', async (answer, message) => {
    const folder = existing()
    const refused = await folder.run(['generate-key-pair'], { typed: true, stdin: Buffer.from(answer) })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr.startsWith(question)).toBe(true)
    expect(refused.stderr).toContain(message)
    expect([folder.read('cosign.key'), folder.read('cosign.pub')]).toEqual(['old', 'old'])
    expect(folder.files()).toEqual(['cosign.key', 'cosign.pub'])
  })

  it('stays where nobody can answer', async () => {
    const folder = existing()
    expect((await folder.run(['generate-key-pair'])).stderr).toContain('user declined the prompt')
    expect(folder.read('cosign.key')).toBe('old')
  })

  it.each(['y\n', 'Y\n'])('is replaced after the answer %j, for its owner alone whatever it was', async (answer) => {
    const folder = existing()
    chmodSync(path.join(folder.path, 'cosign.key'), 0o666)
    expect(await folder.run(['generate-key-pair'], { typed: true, stdin: Buffer.from(answer) })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${question}${written}`,
    })
    expect(folder.mode('cosign.key')).toBe(0o600)
    expect(await opened(folder, 'cosign.key', password)).toBe(folder.read('cosign.pub'))
  })

  it('is replaced with --yes', async () => {
    const folder = existing()
    expect((await folder.run(['generate-key-pair', '--yes'])).stderr).toBe(
      `WARNING: File cosign.key already exists. Overwrite?\n${written}`,
    )
    expect(await opened(folder, 'cosign.key', password)).toBe(folder.read('cosign.pub'))
  })
})

describe('where it cannot write', () => {
  it.each([
    ['a folder that is not there', 'missing/cosign', 'missing/cosign.key cannot be written: no such file or directory'],
    ['a folder in the place of the private key', 'private', 'private.key cannot be written: it is a directory'],
    ['a folder in the place of the public key', 'public', 'public.pub cannot be written: it is a directory'],
    ['a link to itself', 'loop', 'loop.key cannot be written: too many symbolic links'],
  ])('%s: no password is asked for, and nothing is left', async (_, prefix, message) => {
    const folder = createKeyFolder()
    mkdirSync(path.join(folder.path, 'private.key'))
    mkdirSync(path.join(folder.path, 'public.pub'))
    symlinkSync('loop.key', path.join(folder.path, 'loop.key'))
    const before = folder.files()
    const refused = await folder.run(['generate-key-pair', '--output-key-prefix', prefix], { env: {}, typed: true })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(refused.stderr).not.toContain('Enter password')
    expect(folder.files()).toEqual(before)
  })
})

describe('--kms', () => {
  it.each([
    ['k8s://ns/name', 'creating key: k8s:// keeps keys that were made elsewhere, and makes none'],
    ['cosign', 'creating key: expected a reference such as awskms:///alias/name, found "cosign"'],
    ['floppy://a', 'there are no key references of the kind floppy://'],
  ])('%s is no service', async (reference, message) => {
    const folder = createKeyFolder()
    const refused = await folder.run(['generate-key-pair', '--kms', reference])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(folder.files()).toEqual([])
  })

  it('excludes a store', async () => {
    const folder = createKeyFolder()
    expect((await folder.run(['generate-key-pair', '--kms', 'awskms:///alias/a', 'k8s://ns/name'])).stderr).toContain('not both')
  })
})
