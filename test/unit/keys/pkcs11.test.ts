/** What is particular about tokens: PINs, several keys of one name, and nothing left open. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { KeyStoreOptions } from '../../../src/keys/key-store.ts'
import { keyStore } from '../../../src/keys/pkcs11.ts'
import { PKCS11, token, tokenStore } from '../../support/key-stores/token.ts'
import { runCaptured } from '../cli/captured-context.ts'

vi.mock('pkcs11js', async () => ({ default: await import('../../support/key-stores/token.ts') }))

const reference = 'pkcs11:token=test%20token;id=%01?module-path=/module.so'
const message = Buffer.from('a message')

beforeEach(async () => {
  const { hold } = await tokenStore.start()
  hold('ecdsa-p256')
})

function options(more: Partial<KeyStoreOptions> = {}): KeyStoreOptions {
  return { env: {}, cwd: '/', password: () => Promise.reject(new Error('nobody should be asked')), ...more }
}

describe('the PIN of a token', () => {
  it('is asked for when it is in neither the URI nor the environment', async () => {
    const password = vi.fn(() => Promise.resolve(Buffer.from(token.pin)))
    const key = await keyStore.openKey(reference, options({ password }))
    await key.createSigner().sign(message)
    await key.createSigner().sign(message)
    expect(password).toHaveBeenCalledOnce()
  })

  it('is that of COSIGN_PKCS11_PIN before anybody is asked', async () => {
    await expect(keyStore.openKey(reference, options({ env: { COSIGN_PKCS11_PIN: token.pin } }))).resolves.toBeDefined()
  })

  it('of the URI comes first', async () => {
    await expect(
      keyStore.openKey(`${reference}&pin-value=${token.pin}`, options({ env: { COSIGN_PKCS11_PIN: 'wrong' } })),
    ).resolves.toBeDefined()
  })

  it('is tried once when it is wrong', async () => {
    await expect(keyStore.openKey(reference, options({ env: { COSIGN_PKCS11_PIN: '0000' } }))).rejects.toThrow(
      'the PKCS#11 token refused the PIN (CKR_PIN_INCORRECT): it is not tried again, as tokens lock after a few wrong ones',
    )
  })

  it('is not needed for the public key', async () => {
    await expect(keyStore.fetchPublicKey(reference, options())).resolves.toBeDefined()
  })
})

describe('a token', () => {
  it('is left as it was found, also after a failure', async () => {
    await keyStore.openKey(`${reference}&pin-value=${token.pin}`, options())
    await expect(keyStore.openKey(`${reference}&pin-value=0`, options())).rejects.toThrow()
    expect(token.open).toBe(0)
    expect(token.isInitialised).toBe(false)
  })

  it('is only asked where whoever waits for it can be ended', async () => {
    let depth = 0
    const asked: number[] = []
    const whileWaiting = <Result>(call: () => Result): Result => {
      depth++
      try {
        return call()
      } finally {
        depth--
      }
    }
    const load = vi.spyOn(PKCS11.prototype, 'load').mockImplementation(() => void asked.push(depth))
    const close = vi.spyOn(PKCS11.prototype, 'close').mockImplementation(() => {})
    try {
      const password = () => Promise.resolve(Buffer.from(token.pin))
      await (await keyStore.openKey(reference, options({ password, whileWaiting }))).createSigner().sign(message)
      await keyStore.fetchPublicKey(reference, options({ whileWaiting }))
    } finally {
      load.mockRestore()
      close.mockRestore()
    }
    // For its flags, for the key, for the signature, and for the public key.
    expect(asked).toEqual([1, 1, 1, 1])
  })

  it('is used beside another user of the same library in this process', async () => {
    token.isInitialised = true
    await keyStore.openKey(`${reference}&pin-value=${token.pin}`, options())
    expect(token.isInitialised, 'the library is still that of the other user').toBe(true)
    token.isInitialised = false
  })

  it('with two keys of one ID signs with neither', async () => {
    const [key] = token.keys
    if (key !== undefined) token.keys.push({ ...key, label: 'the same again' })
    await expect(keyStore.openKey(`${reference}&pin-value=${token.pin}`, options())).rejects.toThrow(
      'the token has 2 private keys pkcs11:token=test%20token;id=%01: say which with id',
    )
  })

  it.each([
    ['token=other;id=%01', 'could not find the token'],
    ['slot-id=3;id=%01', 'could not find the token'],
    ['serial=s2;id=%01', 'could not find the token'],
    ['token=test%20token;manufacturer=x;id=%01', 'could not find the token'],
    ['token=test%20token;id=%01;object=another', 'the token has no private key'],
  ])('is not taken for %s', async (names, reason) => {
    await expect(keyStore.openKey(`pkcs11:${names}?module-path=/module.so&pin-value=${token.pin}`, options())).rejects.toThrow(reason)
  })

  it('whose library is none is named', async () => {
    await expect(keyStore.openKey('pkcs11:token=a;id=%01?module-path=/lib/none.so', options())).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/^the PKCS#11 module \/lib\/none.so cannot be loaded/) as string,
    })
  })
})

describe('pkcs11-tool', () => {
  const env = { COSIGN_PKCS11_MODULE_PATH: '/module.so' }

  it('lists tokens as cosign does', async () => {
    const { exitCode, stdout } = await runCaptured(['pkcs11-tool', 'list-tokens'], { env })
    expect(exitCode).toBe(0)
    expect(stdout).toBe(`
Listing tokens of PKCS11 module '/module.so'
Token in slot 7
	Label: test token
	Manufacturer: tests
	Model: m
	S/N: s1

`)
  })

  it('lists the URIs of keys, which open them', async () => {
    const { exitCode, stdout, stderr } = await runCaptured(['pkcs11-tool', 'list-keys-uris', '--slot-id', '7', '--pin', token.pin], { env })
    expect(exitCode, stderr).toBe(0)
    const uri = 'pkcs11:token=test%20token;slot-id=7;id=%01;object=the%20ecdsa-p256?module-path=/module.so'
    expect(stdout).toBe(`
Listing URIs of keys in slot '7' of PKCS11 module '/module.so'
Object 0
	Label: the ecdsa-p256
	ID: 01
	URI: ${uri}
`)
    await expect(keyStore.openKey(uri, options({ env: { COSIGN_PKCS11_PIN: token.pin } }))).resolves.toBeDefined()
  })

  it('asks for the PIN of the token', async () => {
    const typed = { env, typed: true, stdin: Buffer.from(`${token.pin}\n`) }
    const { exitCode, stderr } = await runCaptured(['pkcs11-tool', 'list-keys-uris', '--slot-id', '7'], typed)
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain("Enter PIN for PKCS11 token 'test token': ")
    expect(stderr).not.toContain(token.pin)
  })

  it.each([
    [['list-tokens'], {}, 'please specify --module-path or set COSIGN_PKCS11_MODULE_PATH'],
    [['list-tokens', '--module-path', 'module.so'], {}, 'expected the absolute path of a PKCS#11 library in --module-path'],
    [['list-tokens', '--module-path', '/none.so'], {}, 'the PKCS#11 module /none.so cannot be loaded'],
    [['list-keys-uris'], env, 'there is no token in slot 0: tokens are in 7'],
    [['list-keys-uris', '--slot-id', '7'], env, "the PIN for PKCS11 token 'test token' is needed: set COSIGN_PKCS11_PIN"],
    [['list-keys-uris', '--slot-id', '7', '--pin', '0'], env, 'refused the PIN (CKR_PIN_INCORRECT)'],
  ])('%j says what is missing', async (words, env, reason) => {
    const { exitCode, stdout, stderr } = await runCaptured(['pkcs11-tool', ...words], { env })
    expect(exitCode).not.toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toContain(reason)
  })

  it('stands in for piv-tool', async () => {
    const { exitCode, stderr } = await runCaptured(['piv-tool', 'generate-key', '--random-management-key'])
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('piv-tool is not supported: set up the token with the tool of its maker (ykman for a YubiKey)')
  })
})
