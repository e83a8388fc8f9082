/** What every key store keeps to, whoever holds the keys: the signatures are right, and whatever is wrong is said and never signed. */
import { constants, createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { KeyKind } from '../../src/crypto/private-key.ts'
import type { PublicKey } from '../../src/crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../src/crypto/signature.ts'
import { loadEd25519ph, verifySignature } from '../../src/crypto/signature.ts'
import { CountersignError } from '../../src/error.ts'
import type { KeyStoreOptions } from '../../src/keys/key-store.ts'
import { awsStore } from '../support/key-stores/aws.ts'
import { azureStore } from '../support/key-stores/azure.ts'
import { openWithoutPackages } from '../support/key-stores/bare-process.ts'
import { googleStore } from '../support/key-stores/google.ts'
import { spkiOf } from '../support/key-stores/holder.ts'
import { pluginStore } from '../support/key-stores/plugin.ts'
import type { Fault, RunningStore } from '../support/key-stores/store.ts'
import { tokenStore } from '../support/key-stores/token.ts'
import { openBaoStore, vaultStore } from '../support/key-stores/vault.ts'

vi.mock('pkcs11js', async () => ({ default: await import('../support/key-stores/token.ts') }))

const message = Buffer.from('a message of which nobody knows the end')

/** The algorithm that a key signs with unless told otherwise (the Sigstore algorithm registry). */
const usual: Readonly<Record<KeyKind, SignatureAlgorithm>> = {
  'ecdsa-p256': 'ecdsa-sha256',
  'ecdsa-p384': 'ecdsa-sha384',
  'ecdsa-p521': 'ecdsa-sha512',
  'rsa-2048': 'rsa-pkcs1-sha256',
  'rsa-3072': 'rsa-pkcs1-sha256',
  'rsa-4096': 'rsa-pkcs1-sha256',
  ed25519: 'ed25519',
}

/** What each fault becomes, when a signature is asked for. */
const failures: Readonly<Record<Exclude<Fault, 'none'>, readonly [code: string, words: RegExp]>> = {
  refuse: ['SERVICE_REFUSED', /refused/],
  'hang up': ['NETWORK_FAILED', /cannot be used|ended by|out of reach|could not find/],
  'other key': ['SIGNATURE_INVALID', /not of its public key .*, so it is not used/],
  garbage: ['ANY', /cannot be used|not of its public key/],
  'nothing in it': ['ANY', /cannot be used|not of its public key|bytes long, found 0/],
  'too much': ['TOO_LARGE', /more than the limit/],
}

describe.each([awsStore, googleStore, azureStore, vaultStore, openBaoStore, pluginStore, tokenStore])('$name', (store) => {
  let running: RunningStore
  beforeAll(async () => {
    await loadEd25519ph()
    running = await store.start()
  })
  afterAll(() => running.close())
  afterEach(() => {
    running.fault = 'none'
  })

  const options = (): KeyStoreOptions => ({
    env: running.env,
    cwd: '/',
    password: () => Promise.reject(new Error('nobody is there to be asked')),
  })
  const failureOf = async (work: () => Promise<unknown>): Promise<CountersignError> => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      for (const secret of store.secrets) expect(`${error.message} ${String(error.cause)}`).not.toContain(secret)
      return error
    }
    throw new Error('it did not fail')
  }

  describe.each(store.kinds)('%s', (kind) => {
    it('fetches the public key, with nobody asked for a password', async () => {
      const { reference, native } = running.hold(kind)
      expect(spkiIn(await running.keyStore.fetchPublicKey(reference, options()))).toEqual(spkiOf(native))
    })

    it('signs a message, as the kind of key is used to', async () => {
      const { reference, native } = running.hold(kind)
      const key = await running.keyStore.openKey(reference, options())
      const signer = key.createSigner()
      expect(signer.algorithm).toBe(usual[kind])
      expect(spkiIn(key.publicKey)).toEqual(spkiOf(native))
      expectSignature(native, signer.algorithm, await signer.sign(message))
    })

    it('signs what comes piece by piece, in memory that is used again', async () => {
      const { reference, native } = running.hold(kind)
      const signer = (await running.keyStore.openKey(reference, options())).createSigner()
      const state = signer.start?.()
      expect(state === undefined).toBe(kind === 'ed25519')
      if (state === undefined) return
      const piece = Buffer.from(message.subarray(0, 10))
      state.update(piece)
      piece.fill(0)
      state.update(message.subarray(10))
      expectSignature(native, signer.algorithm, await state.finish())
    })

    it('refuses an algorithm that the key is not for', async () => {
      const { reference } = running.hold(kind)
      const key = await running.keyStore.openKey(reference, options())
      const error = await failureOf(async () => key.createSigner(kind.startsWith('ecdsa') ? 'rsa-pss-sha256' : 'ecdsa-sha256'))
      expect(error.code).toBe('USAGE')
      expect(error.message).toMatch(/^expected a key that signs with/)
    })
  })

  it.runIf(store.pss !== 'never')('signs with PSS where the key does', async () => {
    const { reference, native } = running.hold('rsa-2048', true)
    const key = await running.keyStore.openKey(reference, options())
    const signer = key.createSigner(store.pss === 'bound' ? undefined : 'rsa-pss-sha256')
    expect(signer.algorithm).toBe('rsa-pss-sha256')
    expect(key.onlyAlgorithm).toBe(store.pss === 'bound' ? 'rsa-pss-sha256' : undefined)
    expectSignature(native, signer.algorithm, await signer.sign(message))
  })

  it.runIf(store.kinds.includes('ed25519'))(`signs with Ed25519ph: ${store.signsEd25519ph}`, async () => {
    const { reference } = running.hold('ed25519')
    const key = await running.keyStore.openKey(reference, options())
    if (!store.signsEd25519ph) {
      expect(() => key.createSigner('ed25519ph')).toThrow(/that signs with ed25519$/)
      return
    }
    const state = key.createSigner('ed25519ph').start?.()
    state?.update(message)
    expect(verifySignature(key.publicKey, 'ed25519ph', message, (await state?.finish()) ?? new Uint8Array())).toBe(true)
  })

  it.each(store.faults.filter((fault) => fault !== 'none'))('gives no signature when the holder answers: %s', async (fault) => {
    const { reference } = running.hold('ecdsa-p256')
    const signer = (await running.keyStore.openKey(reference, options())).createSigner()
    running.fault = fault
    const error = await failureOf(async () => signer.sign(message))
    const [code, words] = failures[fault]
    if (code !== 'ANY') expect(error.code).toBe(code)
    expect(error.message).toMatch(words)
    expect(error.message).toMatch(/^[a-zA-Z]/)
    expect(error.message).not.toMatch(/\n/)
    running.fault = 'none'
    await expect(Promise.resolve(signer.sign(message))).resolves.toBeDefined()
  })

  it.each(store.faults.filter((fault) => fault !== 'none' && fault !== 'other key'))(
    'opens no key when the holder answers: %s',
    async (fault) => {
      const { reference } = running.hold('ecdsa-p256')
      running.fault = fault
      const error = await failureOf(() => running.keyStore.openKey(reference, options()))
      const [code] = failures[fault]
      if (code !== 'ANY') expect(error.code).toBe(code)
      expect((await failureOf(() => running.keyStore.fetchPublicKey(reference, options()))).code).toBe(error.code)
    },
  )

  it('says that there is no such key', async () => {
    const error = await failureOf(() => running.keyStore.openKey(store.unknown, options()))
    expect(error.code).toBe('SERVICE_REFUSED')
    expect((await failureOf(() => running.keyStore.fetchPublicKey(store.unknown, options()))).code).toBe('SERVICE_REFUSED')
  })

  it.each(store.malformed)('refuses the reference %s before it asks anybody', async (reference) => {
    const before = running.asked()
    for (const work of [running.keyStore.openKey, running.keyStore.fetchPublicKey]) {
      const error = await failureOf(() => work(reference, options()))
      expect(error.code).toBe('USAGE')
      expect(error.message).toMatch(/expected|must be|should|is not|twice|no program/)
    }
    expect(running.asked()).toBe(before)
  })

  it('stops when the caller does', async () => {
    const { reference } = running.hold('ecdsa-p256')
    const aborted = { ...options(), signal: AbortSignal.abort() }
    if (store.name === 'PKCS#11') return
    expect((await failureOf(() => running.keyStore.openKey(reference, aborted))).code).toBe('ABORTED')
  })

  // The others only hold keys.
  if (store.fresh !== undefined)
    describe('makes keys', () => {
      it.each(store.makes)('%s', async (kind) => {
        const reference = `${store.fresh}-${kind}`
        const made = await running.keyStore.createKey?.(reference, { ...options(), kind })
        const key = await running.keyStore.openKey(reference, options())
        expect(made?.spki).toEqual(key.publicKey.spki)
        expectSignature(
          createPublicKey({ key: spkiIn(key.publicKey), format: 'der', type: 'spki' }),
          usual[kind],
          await key.createSigner().sign(message),
        )
        const again = await running.keyStore.createKey?.(reference, { ...options(), kind: 'ecdsa-p256' })
        expect(again?.spki, 'the key that is there already').toEqual(made?.spki)
      })

      it('and says when it is refused', async () => {
        running.fault = 'refuse'
        const error = await failureOf(async () =>
          running.keyStore.createKey?.(`${store.fresh}-refused`, { ...options(), kind: 'ecdsa-p256' }),
        )
        expect(error.code).toBe('SERVICE_REFUSED')
      })
    })

  // The others need none.
  if (store.source.needs !== undefined)
    it('names the package to install where it is not', async () => {
      const { reference } = running.hold('ecdsa-p256')
      const { code, message } = await openWithoutPackages(store.source.file, reference, running.env)
      expect(code).toBe('USAGE')
      expect(message).toContain(
        `need the package ${store.source.needs}, which is not installed: install it with npm install ${store.source.needs}`,
      )
    })
})

function spkiIn(key: PublicKey): Buffer {
  return Buffer.from(key.spki)
}

/** Judged by OpenSSL. */
function expectSignature(native: KeyObject, algorithm: SignatureAlgorithm, signature: Uint8Array): void {
  const digest = algorithm === 'ed25519' ? null : (algorithm.split('-').at(-1) ?? null)
  const key = native.type === 'private' ? createPublicKey(native) : native
  const padding = algorithm.startsWith('rsa-pss')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  expect(verify(digest, message, { key, ...padding }, signature)).toBe(true)
  expect(verify(digest, Buffer.from('another message'), { key, ...padding }, signature)).toBe(false)
}
