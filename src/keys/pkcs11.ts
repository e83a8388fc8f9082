/** Keys on PKCS#11 tokens: `pkcs11:token=…;slot-id=…;id=%aa%bb;object=…?module-path=…&pin-value=…` (RFC 7512). */
import { encodeEcdsaSignature } from '../crypto/ecdsa-encoding.ts'
import { digestLength } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { encodeDigestInfo } from '../crypto/rsa-digest.ts'
import { digestOf } from '../crypto/signature.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { asBuffer, decodeUtf8 } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { variableOf } from '../http/environment.ts'
import { algorithmsFor, createHeldKey } from './held-key.ts'
import type { SigningRequest } from './held-key.ts'
import { atOnce } from './key-store.ts'
import type { KeyStore, KeyStoreOptions } from './key-store.ts'
import { attributeOf, findObjects, findToken, loadPkcs11, withModule, withSession } from './pkcs11-module.ts'
import type { Pkcs11Package, Token, TokenSession } from './pkcs11-module.ts'
import { attribute, objectClass, readPublicKey } from './pkcs11-object.ts'
import { parsePkcs11Uri } from './pkcs11-uri.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

// PKCS#11 v3.0, pkcs11t.h
const loginRequired = 0x4
const contextSpecificUser = 2
const mechanisms = { rsaPkcs1: 0x1, rsaPss: 0xd, ecdsa: 0x1041, eddsa: 0x1057 } as const
const pssDigests = {
  sha256: { hashAlg: 0x250, mgf: 2 },
  sha384: { hashAlg: 0x260, mgf: 3 },
  sha512: { hashAlg: 0x270, mgf: 4 },
} as const
/** RSA of 4096 bits gives 512. */
const maxSignatureBytes = 1024

export const keyStore: KeyStore = {
  async openKey(reference, options) {
    const uri = parsePkcs11Uri(reference, options.env)
    const pkcs11 = await loadPkcs11()
    const pin = await getPin(pkcs11, uri, options)
    const ask = <T>(use: (session: TokenSession) => T): T => onToken(pkcs11, uri, pin, options, use)
    const publicKey = ask((session) => readPublicKey(session, uri, findPrivateKey(session, uri)))
    return createHeldKey({
      publicKey,
      name: uri.name,
      algorithms: algorithmsFor(publicKey),
      sign: async (request) => ask((session) => sign(pkcs11, session, uri, pin, publicKey, request)),
    })
  },

  async fetchPublicKey(reference, options) {
    const uri = parsePkcs11Uri(reference, options.env)
    const pkcs11 = await loadPkcs11()
    return onToken(pkcs11, uri, uri.pin, options, (session) => readPublicKey(session, uri, undefined))
  },
}

/** That of the URI, or of the environment; asked for where the token wants one. */
async function getPin(
  pkcs11: Pkcs11Package,
  uri: Pkcs11Uri,
  { env, password, whileWaiting = atOnce }: KeyStoreOptions,
): Promise<string | undefined> {
  const given = uri.pin ?? variableOf(env, 'COSIGN_PKCS11_PIN')
  if (given !== undefined) return given
  const { info } = whileWaiting(() => withModule(pkcs11, uri.modulePath, (module): Token => findToken(module, uri.token, uri.name)))
  return (info.flags & loginRequired) === 0 ? undefined : decodeUtf8(await password(), 'the PIN')
}

function onToken<T>(
  pkcs11: Pkcs11Package,
  uri: Pkcs11Uri,
  pin: string | undefined,
  { whileWaiting = atOnce }: KeyStoreOptions,
  use: (session: TokenSession) => T,
): T {
  return whileWaiting(() =>
    withModule(pkcs11, uri.modulePath, (module) => withSession(module, findToken(module, uri.token, uri.name), pin, use)),
  )
}

function findPrivateKey(session: TokenSession, { key, name }: Pkcs11Uri): Buffer {
  const found = findObjects(session, [
    { type: attribute.class, value: objectClass.privateKey },
    ...(key.id === undefined ? [] : [{ type: attribute.id, value: asBuffer(key.id) }]),
    ...(key.label === undefined ? [] : [{ type: attribute.label, value: Buffer.from(key.label) }]),
  ])
  const [object] = found
  if (object === undefined)
    throw new CountersignError('SERVICE_REFUSED', `the token has no private key ${name}, or shows none without a PIN`)
  if (found.length > 1)
    throw new CountersignError('SERVICE_REFUSED', `the token has ${found.length} private keys ${name}: say which with id`)
  return object
}

function sign(
  pkcs11: Pkcs11Package,
  session: TokenSession,
  uri: Pkcs11Uri,
  pin: string | undefined,
  publicKey: PublicKey,
  { algorithm, input }: SigningRequest,
): Uint8Array {
  const { module, handle } = session
  const key = findPrivateKey(session, uri)
  module.C_SignInit(handle, mechanismOf(pkcs11, algorithm), key)
  // Such a key wants the PIN for every signature (PKCS#11, CKA_ALWAYS_AUTHENTICATE).
  if (pin !== undefined && attributeOf(session, key, attribute.alwaysAuthenticate)?.[0] === 1)
    module.C_Login(handle, contextSpecificUser, pin)
  const signature = module.C_Sign(handle, asBuffer(inputOf(algorithm, input)), Buffer.alloc(maxSignatureBytes))
  return publicKey.kind === 'ecdsa' ? encodeEcdsaSignature(publicKey.curve, signature) : signature
}

function mechanismOf(
  { CK_PARAMS_RSA_PSS }: Pkcs11Package,
  algorithm: SignatureAlgorithm,
): Parameters<TokenSession['module']['C_SignInit']>[1] {
  if (algorithm.startsWith('ecdsa')) return { mechanism: mechanisms.ecdsa }
  if (algorithm.startsWith('rsa-pkcs1')) return { mechanism: mechanisms.rsaPkcs1 }
  if (!algorithm.startsWith('rsa-pss')) return { mechanism: mechanisms.eddsa }
  const digest = algorithm.slice('rsa-pss-'.length) as keyof typeof pssDigests
  return { mechanism: mechanisms.rsaPss, parameter: { type: CK_PARAMS_RSA_PSS, ...pssDigests[digest], saltLen: digestLength(digest) } }
}

function inputOf(algorithm: SignatureAlgorithm, input: Uint8Array): Uint8Array {
  const digest = digestOf(algorithm)
  return algorithm.startsWith('rsa-pkcs1') && digest !== undefined ? encodeDigestInfo(digest, input) : input
}
