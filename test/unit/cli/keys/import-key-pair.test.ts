/** `import-key-pair`: keys of openssl, and what is no key. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encryptPrivateKey } from '../../../../src/crypto/encrypted-private-key.ts'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { makeScryptCheap } from '../../../support/cheap-scrypt.ts'
import { createKeyFolder } from './key-folder.ts'

makeScryptCheap()
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })
const ed25519 = () => generateKeyPairSync('ed25519')
const written = 'Private key written to import-cosign.key\nPublic key written to import-cosign.pub\n'

describe('a key of openssl', () => {
  it.each([
    ['ECDSA P-256, PKCS#8', ec('P-256'), 'pkcs8'],
    ['ECDSA P-384, PKCS#8', ec('P-384'), 'pkcs8'],
    ['ECDSA P-521, PKCS#8', ec('P-521'), 'pkcs8'],
    ['ECDSA P-256, SEC 1', ec('P-256'), 'sec1'],
    ['RSA 2048, PKCS#8', rsa(2048), 'pkcs8'],
    ['RSA 2048, PKCS#1', rsa(2048), 'pkcs1'],
    ['RSA 3072, PKCS#1', rsa(3072), 'pkcs1'],
    ['Ed25519, PKCS#8', ed25519(), 'pkcs8'],
  ] as const)('%s signs after the import as its owner', async (_, { privateKey, publicKey }, type) => {
    const folder = createKeyFolder()
    folder.write('openssl.pem', String(privateKey.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' })))
    folder.write('openssl.pub', String(publicKey.export({ type: 'spki', format: 'pem' })))
    folder.write('artifact', 'an artifact')
    expect(await folder.run(['import-key-pair', '--key', 'openssl.pem'])).toEqual({ exitCode: 0, stdout: '', stderr: written })
    expect([folder.mode('import-cosign.key'), folder.mode('import-cosign.pub')]).toEqual([0o600, 0o644])
    const bundle = ['--bundle', 'b.json']
    const signed = await folder.run(['sign-blob', 'artifact', '--key', 'import-cosign.key', '--tlog-upload=false', ...bundle])
    expect(signed.exitCode, signed.stderr).toBe(0)
    for (const key of ['import-cosign.pub', 'openssl.pub']) {
      const verified = await folder.run(['verify-blob', 'artifact', '--key', key, ...bundle, '--insecure-ignore-tlog'])
      expect(verified.stderr).toContain('Verified OK')
    }
  })
})

it('takes the key from a variable, and the names of the files', async () => {
  const folder = createKeyFolder()
  const env = { COSIGN_PASSWORD: '', KEY: generatePrivateKey('ecdsa-p256').encodePem() }
  expect(await folder.run(['import-key-pair', '-k', 'env://KEY', '-o', 'mine'], { env })).toMatchObject({ exitCode: 0 })
  expect(folder.files()).toEqual(['mine.key', 'mine.pub'])
})

it('asks before it overwrites, unless told otherwise', async () => {
  const folder = createKeyFolder()
  folder.write('a.pem', generatePrivateKey('ecdsa-p256').encodePem())
  folder.write('import-cosign.key', 'old')
  const words = ['import-key-pair', '--key', 'a.pem']
  expect((await folder.run(words, { typed: true, stdin: Buffer.from('n\n') })).stderr).toContain('user declined the prompt')
  expect(folder.read('import-cosign.key')).toBe('old')
  expect(folder.files()).toEqual(['a.pem', 'import-cosign.key'])
  expect((await folder.run([...words, '-y'])).stderr).toBe(`WARNING: File import-cosign.key already exists. Overwrite?\n${written}`)
})

const encryptedByCosign = await encryptPrivateKey(generatePrivateKey('ecdsa-p256'), Buffer.from('x'))
const encryptedByOpenssl = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey
const good = generatePrivateKey('ecdsa-p256').encodePem()

describe('is refused, before a password is asked for:', () => {
  it.each([
    ['nothing', '', 'the key k.pem is empty'],
    ['text', 'no key', 'invalid pem block'],
    ['half a key', good.slice(0, good.length / 2), 'invalid pem block'],
    ['two keys', good + good, 'invalid pem block: expected one key, found 2 blocks'],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'unsupported private key'],
    ['an OpenSSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', 'unsupported private key'],
    ['a key that cosign encrypted', encryptedByCosign, '(the key is encrypted)'],
    ['a key that openssl encrypted', encryptedByOpenssl, '(the key is encrypted)'],
    ['a key on another curve', String(ec('secp256k1').privateKey.export({ type: 'pkcs8', format: 'pem' })), 'not supported'],
    ['a short RSA key', String(rsa(1024).privateKey.export({ type: 'pkcs1', format: 'pem' })), 'RSA keys have 2048 to 4096 bits'],
    ['PKCS#8 that is none', '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n', 'error parsing pkcs #8 private key'],
    ['PKCS#1 that is none', '-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n', 'error parsing rsa private key'],
    ['SEC 1 that is none', '-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n', 'error parsing ecdsa private key'],
    ['a file without an end', 'x'.repeat(64 * 1024 + 1), 'longer than the limit of 65536 bytes'],
    ['a text in UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le'), 'is in UTF-16, as some programs of Windows write text: save it as UTF-8'],
    ['bytes that are no text', Buffer.from([0x30, 0x80, 0xff, 0x00]), 'invalid pem block'],
  ])('%s', async (_, contents, message) => {
    const folder = createKeyFolder()
    folder.write('k.pem', contents)
    const refused = await folder.run(['import-key-pair', '--key', 'k.pem'], { env: {}, typed: true })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(refused.stderr.match(/^Error: /gm)).toHaveLength(1)
    expect(refused.stderr).not.toContain('Enter password')
    expect(folder.files()).toEqual(['k.pem'])
  })

  it.each([
    [['--key', 'missing.pem'], 'the key missing.pem cannot be read: no such file or directory'],
    [['--key', '.'], 'the key . is a directory, a file was expected'],
    [['--key', 'env://NOWHERE'], 'the environment variable NOWHERE is not set'],
    [['--key', 'awskms:///alias/a'], 'loading key: expected a file, a URL or env://NAME, found a reference of the kind awskms:'],
    [['--key', 'pkcs11:token=a;object=b?pin-value=geheim-1'], 'found a reference of the kind pkcs11:'],
    [[], 'the key to import is missing: name its file with --key'],
  ])('%j', async (words, message) => {
    const folder = createKeyFolder()
    const refused = await folder.run(['import-key-pair', ...words])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(refused.stderr).not.toContain('geheim-1')
  })
})
