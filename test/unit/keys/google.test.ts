/** What is particular about Google Cloud KMS: checksums of both directions, and which version of a key signs. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { KeyStoreOptions } from '../../../src/keys/key-store.ts'
import { keyStore } from '../../../src/keys/kms/google.ts'
import { crc32c } from '../../../src/keys/kms/crc32c.ts'
import type { Corruption } from '../../support/key-stores/google.ts'
import { createGoogleStore } from '../../support/key-stores/google.ts'
import type { HeldTestKey } from '../../support/key-stores/store.ts'

async function hold(corrupt: Corruption): Promise<HeldTestKey & { readonly options: KeyStoreOptions }> {
  const running = await createGoogleStore(corrupt).start()
  onTestFinished(() => running.close())
  return { ...running.hold('ecdsa-p256'), options: { env: running.env, cwd: '/', password: () => Promise.reject(new Error('nobody')) } }
}

/** Changes the answers to a request for a signature, which have this member. */
const inSignatures =
  (change: Corruption): Corruption =>
  (answer) => {
    if ('signature' in answer) change(answer)
  }

describe('CRC-32C', () => {
  it.each([
    ['', 0],
    ['123456789', 0xe3069283],
    ['a', 0xc1d04330],
  ])('of %j is that of RFC 3720', (text, expected) => {
    expect(crc32c(Buffer.from(text))).toBe(expected)
  })

  it('of 32 zeros is that of RFC 3720 B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })
})

describe('an answer of Google Cloud KMS', () => {
  it('is about the newest version by number, not by text', async () => {
    const { reference, options } = await hold(() => {})
    const newest = await keyStore.fetchPublicKey(reference, options)
    expect((await keyStore.fetchPublicKey(`${reference}/cryptoKeyVersions/10`, options)).spki).toEqual(newest.spki)
    expect((await keyStore.fetchPublicKey(`${reference}/versions/9`, options)).spki).not.toEqual(newest.spki)
  })

  it.each<[string, Corruption, RegExp]>([
    ['without the checksum of the key', (answer) => delete answer['pemCrc32c'], /the public key does not have the checksum/],
    [
      'with a wrong checksum of the key',
      (answer) => 'pem' in answer && (answer['pemCrc32c'] = '1'),
      /the public key does not have the checksum/,
    ],
    [
      'with the key of another version',
      (answer) => 'pem' in answer && (answer['name'] = `${String(answer['name'])}1`),
      /expected the public key of/,
    ],
  ])('is refused %s', async (_, corrupt, reason) => {
    const { reference, options } = await hold(corrupt)
    await expect(keyStore.openKey(reference, options)).rejects.toThrow(reason)
    await expect(keyStore.fetchPublicKey(reference, options)).rejects.toMatchObject({ code: 'ENCODING_INVALID' })
  })

  it.each<[string, Corruption, RegExp]>([
    ['when the digest did not arrive whole', (answer) => (answer['verifiedDigestCrc32c'] = false), /did not arrive whole/],
    ['when nobody says that it did', (answer) => delete answer['verifiedDigestCrc32c'], /did not arrive whole/],
    ['without the checksum of the signature', (answer) => delete answer['signatureCrc32c'], /the signature does not have the checksum/],
    ['with a wrong checksum of the signature', (answer) => (answer['signatureCrc32c'] = '7'), /the signature does not have the checksum/],
    ['with the signature of another version', (answer) => (answer['name'] = 'projects/x'), /expected a signature of/],
    ['without a signature', (answer) => delete answer['signature'], /the signature does not have the checksum/],
  ])('is refused %s', async (_, corrupt, reason) => {
    const { reference, options } = await hold(inSignatures(corrupt))
    const signer = (await keyStore.openKey(reference, options)).createSigner()
    await expect(Promise.resolve(signer.sign(Buffer.from('x')))).rejects.toThrow(reason)
  })

  it('says that a key has no enabled version', async () => {
    const { reference, options } = await hold((answer) => 'cryptoKeyVersions' in answer && (answer['cryptoKeyVersions'] = []))
    await expect(keyStore.openKey(reference, options)).rejects.toMatchObject({
      code: 'SERVICE_REFUSED',
      message: expect.stringContaining('no enabled version') as string,
    })
  })

  it('may not name a version that is none', async () => {
    const { reference, options } = await hold((answer) => {
      if ('cryptoKeyVersions' in answer) answer['cryptoKeyVersions'] = [{ name: '../../other' }, { name: 'projects/x/cryptoKeyVersions/1' }]
    })
    await expect(keyStore.openKey(reference, options)).rejects.toThrow('no enabled version')
  })
})
