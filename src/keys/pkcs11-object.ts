/** Objects of a token that hold the public half of a key: a public key, a certificate, or an RSA private key. */
import type { Attribute } from 'pkcs11js'
import type { PublicKey } from '../crypto/public-key.ts'
import { parsePkcs1PublicKey, parsePublicKey } from '../crypto/public-key.ts'
import { parseDer } from '../encoding/der.ts'
import { derBitString, derInteger, derOid, derSequence } from '../encoding/der-writer.ts'
import { CountersignError, DecodingError } from '../error.ts'
import { certificateKey } from '../x509/certificate-key.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { attributeOf, findObjects, numberOf } from './pkcs11-module.ts'
import type { TokenSession } from './pkcs11-module.ts'
import type { KeyNames, Pkcs11Uri } from './pkcs11-uri.ts'

// PKCS#11 v3.0, pkcs11t.h
export const objectClass = { certificate: 1, publicKey: 2, privateKey: 3 } as const
export const attribute = {
  class: 0x0,
  label: 0x3,
  value: 0x11,
  keyType: 0x100,
  id: 0x102,
  modulus: 0x120,
  publicExponent: 0x122,
  ecParameters: 0x180,
  ecPoint: 0x181,
  alwaysAuthenticate: 0x202,
} as const
const keyType = { rsa: 0x0, ec: 0x3, edwards: 0x40 } as const
const ecPublicKey = '1.2.840.10045.2.1'
const ed25519 = '1.3.101.112'

/**
 * The public half of a key.
 * @param privateKey names it by its ID, and holds it itself for RSA; without one, what the URI names
 * @throws CountersignError SERVICE_REFUSED where the token has none, DecodingError KEY_INVALID, KEY_UNSUPPORTED
 */
export function readPublicKey(session: TokenSession, uri: Pkcs11Uri, privateKey: Buffer | undefined): PublicKey {
  const id = privateKey === undefined ? undefined : attributeOf(session, privateKey, attribute.id)
  const names = id === undefined ? uri.key : { id }
  const [publicKey] = findObjects(session, template(objectClass.publicKey, names))
  if (publicKey !== undefined) return parseObject(session, publicKey)
  const [certificate] = findObjects(session, template(objectClass.certificate, names))
  const der = certificate === undefined ? undefined : attributeOf(session, certificate, attribute.value)
  if (der !== undefined) return certificateKey(parseCertificate(der))
  const isRsa = privateKey !== undefined && attributeOf(session, privateKey, attribute.publicExponent) !== undefined
  if (isRsa) return parseObject(session, privateKey)
  throw new CountersignError(
    'SERVICE_REFUSED',
    `the token has neither a public key nor a certificate ${uri.name}: put one there, with the same ID`,
  )
}

function template(kind: number, { id, label }: KeyNames): Attribute[] {
  return [
    { type: attribute.class, value: kind },
    ...(id === undefined ? [] : [{ type: attribute.id, value: Buffer.from(id) }]),
    ...(label === undefined ? [] : [{ type: attribute.label, value: Buffer.from(label) }]),
  ]
}

function parseObject(session: TokenSession, object: Buffer): PublicKey {
  const read = (type: number, what: string): Buffer => {
    const value = attributeOf(session, object, type)
    if (value === undefined) throw new DecodingError('KEY_INVALID', `the public key on the token has no ${what}`)
    return value
  }
  const kind = numberOf(read(attribute.keyType, 'type'))
  switch (kind) {
    case keyType.rsa:
      return parsePkcs1PublicKey(
        derSequence(derInteger(read(attribute.modulus, 'modulus')), derInteger(read(attribute.publicExponent, 'exponent'))),
      )
    case keyType.ec: {
      const parameters = read(attribute.ecParameters, 'curve')
      return parsePublicKey(
        derSequence(derSequence(derOid(ecPublicKey), parameters), derBitString(unwrap(read(attribute.ecPoint, 'point')))),
      )
    }
    case keyType.edwards:
      return parsePublicKey(derSequence(derSequence(derOid(ed25519)), derBitString(unwrap(read(attribute.ecPoint, 'point')))))
    default:
      throw new DecodingError('KEY_UNSUPPORTED', `keys of the PKCS#11 type ${kind} are not supported, only RSA, EC and Ed25519`)
  }
}

/** Points of the supported curves as they are: of all other lengths are those in an OCTET STRING. */
const bareLengths: ReadonlySet<number> = new Set([32, 65, 97, 133])

/** The point is in an OCTET STRING (PKCS#11 v2.40 section 2.3.3), which some tokens leave out. */
function unwrap(point: Buffer): Uint8Array {
  return bareLengths.has(point.length) ? point : parseDer(point, 'the point').content
}
