/** `public-key`: of private keys, and of public ones. */
import { describe, expect, it } from 'vitest'
import { encryptPrivateKey } from '../../../../src/crypto/encrypted-private-key.ts'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { startServer } from '../../http/test-server.ts'
import { createKeyFolder, password } from './key-folder.ts'

const key = generatePrivateKey('ecdsa-p256')
const publicKey = encodePublicKeyPem(key.publicKey)
const encrypted = await encryptPrivateKey(key, Buffer.from(password))

function folderWithKeys() {
  const folder = createKeyFolder()
  folder.write('cosign.key', encrypted)
  folder.write('clear.pem', key.encodePem())
  folder.write('cosign.pub', publicKey)
  return folder
}

describe('prints the public key', () => {
  it.each(['cosign.key', 'clear.pem', 'cosign.pub'])('of %s', async (name) => {
    expect(await folderWithKeys().run(['public-key', '--key', name])).toEqual({ exitCode: 0, stdout: publicKey, stderr: '' })
  })

  it.each([
    ['with line ends of Windows', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
    ['with text around it that is not in UTF-8', (text: string) => Buffer.from(`Schlüssel\n${text}Ende\n`, 'latin1')],
    ['with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['on one line, without a line end', (text: string) => Buffer.from(text.replaceAll(/(?<!-)\n(?!-)/g, '').trimEnd())],
  ])('of a file %s', async (_, written) => {
    for (const text of [encrypted, key.encodePem(), publicKey]) {
      const folder = createKeyFolder()
      folder.write('key', written(text))
      expect(await folder.run(['public-key', '--key', 'key'])).toEqual({ exitCode: 0, stdout: publicKey, stderr: '' })
    }
  })

  it('of an environment variable, after the password was typed', async () => {
    const surroundings = { env: { COSIGN_PRIVATE_KEY: encrypted }, typed: true, stdin: Buffer.from(`${password}\n`) }
    expect(await createKeyFolder().run(['public-key', '--key', 'env://COSIGN_PRIVATE_KEY'], surroundings)).toEqual({
      exitCode: 0,
      stdout: publicKey,
      stderr: 'Enter password for private key: \n',
    })
  })

  it('of an address', async () => {
    const server = await startServer((request, response) => response.end(request.url === '/cosign.key' ? encrypted : publicKey))
    for (const name of ['cosign.key', 'cosign.pub']) {
      expect(await createKeyFolder().run(['public-key', '--key', `${server.origin}/${name}`])).toMatchObject({ stdout: publicKey })
    }
  })

  it('but not over the private key', async () => {
    const folder = folderWithKeys()
    const refused = await folder.run(['public-key', '--key', 'cosign.key', '--outfile', './cosign.key'])
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('./cosign.key would be the public key') as string })
    expect(folder.read('cosign.key')).toBe(encrypted)
  })

  it('into a file, which anybody may read', async () => {
    const folder = folderWithKeys()
    const words = ['public-key', '--key', 'cosign.key', '--outfile', 'out.pub']
    expect(await folder.run(words)).toEqual({ exitCode: 0, stdout: '', stderr: 'Public key written to out.pub\n' })
    expect([folder.read('out.pub'), folder.mode('out.pub')]).toEqual([publicKey, 0o644])
  })
})

describe('refuses', () => {
  it.each([
    [[], 'exactly one of: key reference (--key), or hardware token (--sk) must be provided'],
    [['--key', 'cosign.key', '--sk'], 'exactly one of: key reference (--key), or hardware token (--sk) must be provided'],
    [['--sk'], 'hardware tokens (--sk) are not supported'],
    [['--key', 'missing'], 'the key missing cannot be read: no such file or directory'],
    [['--key', 'cosign.key', '--outfile', 'missing/out'], 'missing/out cannot be written: no such file or directory'],
    [['--key', 'floppy://a'], 'there are no key references of the kind floppy://'],
    [['--key', 'github://owner/repo'], 'GitHub gives out secrets to workflows only'],
  ])('%j', async (words, message) => {
    const folder = folderWithKeys()
    const before = folder.files()
    const refused = await folder.run(['public-key', ...words])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain(message)
    expect(folder.files()).toEqual(before)
  })

  it('what an address answers that is no key, without the secrets of the address', async () => {
    const server = await startServer((_, response) => response.end('a page'))
    const address = `${server.origin.replace('//', '//user:geheim-1@')}/cosign.key?signature=geheim-2`
    for (const words of [
      ['public-key', '--key', address],
      ['import-key-pair', '--key', address],
      ['sign-blob', 'cosign.pub', '--tlog-upload=false', '--bundle', 'b.json', '--key', address],
    ]) {
      const refused = await folderWithKeys().run(words)
      expect(refused.exitCode).toBe(1)
      expect(refused.stderr).toContain(`${server.origin}/cosign.key`)
      expect(refused.stderr).not.toMatch(/geheim-[12]/)
    }
  })

  it('a wrong password, and writes nothing then', async () => {
    const folder = folderWithKeys()
    const words = ['public-key', '--key', 'cosign.key', '--outfile', 'out.pub']
    const refused = await folder.run(words, { env: { COSIGN_PASSWORD: 'falsch' } })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(
      'reading key cosign.key: decrypt: encrypted: decryption failed: the password is wrong, or the file is damaged',
    )
    expect(refused.stderr).not.toContain('falsch')
    expect(folder.files()).not.toContain('out.pub')
  })
})

it('verify-blob points out a key that comes over the network without encryption', async () => {
  const server = await startServer((_, response) => response.end(publicKey))
  const folder = folderWithKeys()
  folder.write('artifact', 'an artifact')
  await folder.run(['sign-blob', 'artifact', '--key', 'cosign.key', '--tlog-upload=false', '--bundle', 'b.json'])
  for (const [address, isWarned] of [
    [`${server.origin}/cosign.pub`, false],
    ['http://keys.test/cosign.pub?token=geheim-1', true],
  ] as const) {
    const words = ['verify-blob', 'artifact', '--key', address, '--bundle', 'b.json', '--insecure-ignore-tlog']
    const verified = await folder.run(words, { env: { HTTP_PROXY: server.origin } })
    expect(verified.stderr).toContain('Verified OK')
    expect(verified.stderr.includes('the key is fetched from http://keys.test/cosign.pub without encryption')).toBe(isWarned)
    expect(verified.stderr).not.toContain('geheim-1')
  }
})

it('verify-blob takes public keys only, as cosign does', async () => {
  const folder = folderWithKeys()
  folder.write('artifact', 'an artifact')
  await folder.run(['sign-blob', 'artifact', '--key', 'cosign.key', '--tlog-upload=false', '--bundle', 'b.json'])
  const refused = await folder.run(['verify-blob', 'artifact', '--key', 'cosign.key', '--bundle', 'b.json', '--insecure-ignore-tlog'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('found a "ENCRYPTED SIGSTORE PRIVATE KEY", which belongs to its owner alone')
})
