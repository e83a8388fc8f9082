import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decryptPrivateKey, parseEncryptedPrivateKeyPem } from '../../../src/crypto/encrypted-private-key.ts'
import { PrivateKey } from '../../../src/crypto/private-key.ts'
import { isSameKey } from '../../../src/crypto/public-key.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { initialise } from '../../../src/server/initialise.ts'
import { readSecretFile, writeKeyFile, writeSecretFile } from '../../../src/server/key-file.ts'
import { readMaterial } from '../../../src/server/material-files.ts'
import { readConfiguration } from '../../../src/server/run-server.ts'

const secret = Buffer.from(Array.from({ length: 32 }, (_, at) => at))
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-keys-'))
  file = path.join(folder, 'issuer.secret')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe("the issuer's secret", () => {
  it('is hexadecimal for its owner alone where there is no passphrase', async () => {
    await writeSecretFile(file, secret, undefined)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toBe(`${secret.toString('hex')}\n`)
    expect(Buffer.from(await readSecretFile(file, 'a passphrase that other files need'))).toEqual(secret)
  })

  it('is encrypted where there is a passphrase: it opens the keys that sign identity tokens', async () => {
    await writeSecretFile(file, secret, 'correct horse')
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('ENCRYPTED')
    expect(text).not.toContain(secret.toString('hex'))
    expect(Buffer.from(await readSecretFile(file, 'correct horse'))).toEqual(secret)
    await expect(readSecretFile(file, 'wrong')).rejects.toMatchObject({ code: 'KEY_DECRYPTION_FAILED' })
    await expect(readSecretFile(file, undefined)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })

  it.skipIf(process.platform === 'win32')('is not used when others could read it', async () => {
    await writeSecretFile(file, secret, undefined)
    chmodSync(file, 0o640)
    await expect(readSecretFile(file, undefined)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('chmod 600'),
    })
  })
})

describe('the key files of a new server with a passphrase', () => {
  const passphrase = 'correct horse'

  it('have one salt, so that a start derives one key, and nonces of their own; each opens by itself as one of cosign does', async () => {
    await initialise({ folder, url: 'http://localhost:8080', passphrase, clock: Date.now })
    const names = readdirSync(path.join(folder, 'keys'))
    const files = names.map((name) => parseEncryptedPrivateKeyPem(readFileSync(path.join(folder, 'keys', name), 'utf8')))
    expect(files.length).toBeGreaterThan(8)
    const different = (bytes: readonly Uint8Array[]) => new Set(bytes.map((one) => Buffer.from(one).toString('hex'))).size
    expect(different(files.map(({ salt }) => salt))).toBe(1)
    expect(different(files.map(({ nonce }) => nonce))).toBe(files.length)
    expect(await decryptPrivateKey(files[names.indexOf('ca.key')] ?? fail(), encodeUtf8(passphrase))).toBeInstanceOf(PrivateKey)
  })

  it('of two servers have different salts', async () => {
    const salts = new Set<string>()
    for (const name of ['a', 'b']) {
      await initialise({ folder: path.join(folder, name), url: 'http://localhost:8080', passphrase, clock: Date.now })
      const { salt } = parseEncryptedPrivateKeyPem(readFileSync(path.join(folder, name, 'keys', 'ca.key'), 'utf8'))
      salts.add(Buffer.from(salt).toString('hex'))
    }
    expect(salts.size).toBe(2)
  })

  it('may be mixed with files that were written one by one, as rotations and older versions do', async () => {
    await initialise({ folder, url: 'http://localhost:8080', passphrase, clock: Date.now })
    const configuration = await readConfiguration(folder)
    const before = await readMaterial(folder, configuration, passphrase)
    await writeKeyFile(path.join(folder, configuration.ca.key), before.ca.key, passphrase)
    const after = await readMaterial(folder, configuration, passphrase)
    expect(isSameKey(after.ca.key.publicKey, before.ca.key.publicKey)).toBe(true)
    expect(isSameKey(after.tsa.key.publicKey, before.tsa.key.publicKey)).toBe(true)
    await expect(readMaterial(folder, configuration, 'wrong')).rejects.toMatchObject({ code: 'KEY_DECRYPTION_FAILED' })
  })
})

function fail(): never {
  throw new Error('there is no such file')
}
