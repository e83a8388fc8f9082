import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSecretFile, writeSecretFile } from '../../../src/server/key-file.ts'

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
