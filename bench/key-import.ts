/** The fastest way into OpenSSL for a signer's key, which differs between versions of Node. */
import type { KeyObject } from 'node:crypto'
import { X509Certificate, createPublicKey, verify } from 'node:crypto'
import type { PublicKey } from '../src/crypto/public-key.ts'
import { encodeBase64Url } from '../src/encoding/base64.ts'
import { asBuffer } from '../src/encoding/bytes.ts'
import { timed } from './rounds.ts'

type Form = 'JWK' | 'SubjectPublicKeyInfo' | 'X509Certificate.publicKey'
const coordinateBytes = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const
const fastest = new Map<string, Form>()
const rounds = 25

/**
 * Gives a function that imports the key afresh at every call. The form is chosen with the first key of each kind.
 * @param certificate DER of the certificate that the key is in
 */
export function fastestImport(key: PublicKey, certificate: Uint8Array): () => KeyObject {
  const kind = key.kind === 'ecdsa' ? key.curve : key.kind
  const forms = importsOf(key, certificate)
  const form = fastest.get(kind) ?? findFastest(forms)
  fastest.set(kind, form)
  return forms.get(form) ?? (() => importSpki(key.spki))
}

/** The forms that were chosen: one line for each kind of key. */
export function chosenImports(): readonly string[] {
  return [...fastest].map(([kind, form]) => `the fastest import of signers' keys (${kind}) is ${form} here`)
}

function importsOf(key: PublicKey, certificate: Uint8Array): ReadonlyMap<Form, () => KeyObject> {
  const forms = new Map<Form, () => KeyObject>([
    ['SubjectPublicKeyInfo', () => importSpki(key.spki)],
    ['X509Certificate.publicKey', () => new X509Certificate(certificate).publicKey],
  ])
  if (key.kind === 'ecdsa') forms.set('JWK', () => importJwk(key.curve, key.spki))
  return forms
}

/** By the best of many rounds: what disturbs a measurement only ever makes it longer. */
function findFastest(forms: ReadonlyMap<Form, () => KeyObject>): Form {
  const best = new Map<Form, number>()
  for (let round = 0; round < rounds; round++) {
    for (const [form, importKey] of forms)
      best.set(
        form,
        Math.min(
          best.get(form) ?? Infinity,
          timed(() => useOften(importKey)),
        ),
      )
  }
  return [...best].reduce((fastest, candidate) => (candidate[1] < fastest[1] ? candidate : fastest))[0]
}

/** Import and first use together, because OpenSSL 3 puts a part of the import off until then. */
function useOften(importKey: () => KeyObject): void {
  // SEQUENCE of the INTEGERs 1 and 1: nobody's signature, and as much work as one.
  const signature = Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 1)
  for (let count = 0; count < 20; count++) verify('sha256', signature, importKey(), signature)
}

/** The coordinates are what a SubjectPublicKeyInfo ends in. */
function importJwk(curve: keyof typeof coordinateBytes, spki: Uint8Array): KeyObject {
  const length = coordinateBytes[curve]
  const x = encodeBase64Url(spki.subarray(-2 * length, -length))
  const y = encodeBase64Url(spki.subarray(-length))
  return createPublicKey({ key: { kty: 'EC', crv: curve, x, y }, format: 'jwk' })
}

function importSpki(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: asBuffer(spki), format: 'der', type: 'spki' })
}
