/** Keys that sign notes, made for one run of the tests. */
import type { KeyObject } from 'node:crypto'
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { PublicKey } from '../../../src/crypto/public-key.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { defaultSignatureAlgorithm } from '../../../src/crypto/signature.ts'
import { cosignatureKeyId } from '../../../src/merkle/cosignature.ts'
import type { NoteSigner, NoteVerifier } from '../../../src/merkle/signed-note.ts'
import { noteKeyId } from '../../../src/merkle/signed-note.ts'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: PublicKey
}

export function makeKeyPair(kind: PublicKey['kind']): KeyPair {
  const { privateKey } = generate(kind)
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { privateKey, publicKey: parsePublicKey(spki) }
}

function generate(kind: PublicKey['kind']): { readonly privateKey: KeyObject } {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  if (kind === 'ecdsa') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export function signBytes({ privateKey, publicKey }: KeyPair, message: Uint8Array): Uint8Array {
  return sign(publicKey.kind === 'ed25519' ? null : 'sha256', message, privateKey)
}

export function signerOf(name: string, pair: KeyPair): NoteSigner {
  return { name, keyId: noteKeyId(name, pair.publicKey), sign: (message) => signBytes(pair, message) }
}

export function verifierOf(name: string, { publicKey }: KeyPair): NoteVerifier {
  return { name, keyId: noteKeyId(name, publicKey), key: publicKey, algorithm: defaultSignatureAlgorithm(publicKey) }
}

export function witnessSignerOf(name: string, pair: KeyPair): NoteSigner {
  return { name, keyId: cosignatureKeyId(name, pair.publicKey), sign: (message) => signBytes(pair, message) }
}
