/** A PKCS#11 token, as pkcs11js shows it: what `pkcs11js` is in tests that mock it. */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { parseDerSequence } from '../../../src/encoding/der.ts'
import { derOctetString } from '../../../src/encoding/der-writer.ts'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { keyStore } from '../../../src/keys/pkcs11.ts'
import { rawSignature, signAsHolder, spkiOf, testKey } from './holder.ts'
import type { Digest } from './holder.ts'
import type { Fault, StoreKind } from './store.ts'

interface TokenKey {
  readonly id: number
  readonly label: string
  readonly kind: KeyKind
  readonly native: KeyObject
}

/** The one token there is, in slot 7. */
export const token = {
  fault: 'none' as Fault,
  asked: 0,
  pin: '86420',
  /** Sessions and libraries that were opened and not closed. */
  open: 0,
  isInitialised: false,
  keys: [] as TokenKey[],
}

const kinds: readonly KeyKind[] = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519']
const uri = (rest: string): string => `pkcs11:${rest}?module-path=/module.so&pin-value=${token.pin}`

export const tokenStore: StoreKind = {
  name: 'PKCS#11',
  kinds,
  makes: [],
  pss: 'asked',
  signsEd25519ph: false,
  faults: ['refuse', 'hang up', 'other key', 'nothing in it'],
  unknown: uri('token=test%20token;id=%FF'),
  malformed: [
    'pkcs11:',
    uri('token=test%20token'),
    uri('id=%01'),
    uri('token=test%20token;id=%0'),
    uri('token=test%20token;id=%01;id=%02'),
    uri('token=test%20token;id=%01;x-vendor=1'),
    uri('token=test%20token;id=%01;type=cert'),
    uri('slot-id=-1;id=%01'),
    uri('slot-id=0x7;id=%01'),
    'pkcs11:token=test%20token;id=%01',
    'pkcs11:token=test%20token;id=%01?module-path=module.so',
    'pkcs11:token=test%20token;id=%01?module-path=/module.so&pin-source=file:/pin',
  ],
  secrets: ['86420'],
  source: { file: 'src/keys/pkcs11.ts', needs: 'pkcs11js' },
  start() {
    token.keys.length = 0
    return Promise.resolve({
      keyStore,
      env: {},
      get fault() {
        return token.fault
      },
      set fault(fault) {
        token.fault = fault
      },
      asked: () => token.asked,
      hold(kind: KeyKind) {
        const id = kinds.indexOf(kind) + 1
        if (!token.keys.some((key) => key.id === id)) token.keys.push({ id, label: `the ${kind}`, kind, native: testKey(kind) })
        return { reference: uri(`token=test%20token;slot-id=7;id=%0${id};object=the%20${kind}`), native: testKey(kind) }
      },
      close: () => Promise.resolve(),
    })
  },
}

const fail = (reason: string): never => {
  throw Object.assign(new Error(reason), { name: 'Pkcs11Error' })
}
const ulong = (value: number): Buffer => {
  const buffer = Buffer.alloc(8)
  buffer.writeUInt32LE(value)
  return buffer
}

interface Attribute {
  readonly type: number
  readonly value?: number | Buffer
}

export class PKCS11 {
  #found: Buffer[] = []
  #mechanism: { readonly mechanism: number; readonly parameter?: { readonly hashAlg: number; readonly saltLen: number } } = { mechanism: 0 }
  #key: TokenKey | undefined
  #isSignedIn = false

  load(path: string): void {
    token.asked++
    if (path !== '/module.so') throw new Error(`${path}: cannot open shared object file: No such file or directory`)
    token.open++
  }

  close(): void {
    token.open--
  }

  C_Initialize(): void {
    if (token.isInitialised) fail('CKR_CRYPTOKI_ALREADY_INITIALIZED')
    token.isInitialised = true
  }

  C_Finalize(): void {
    token.isInitialised = false
  }

  C_GetSlotList(): Buffer[] {
    return token.fault === 'hang up' ? [] : [ulong(3), ulong(7)]
  }

  C_GetTokenInfo(slot: Buffer): object {
    if (slot.readUInt32LE() !== 7) fail('CKR_TOKEN_NOT_RECOGNIZED')
    return {
      label: 'test token'.padEnd(32),
      manufacturerID: 'tests'.padEnd(32),
      model: 'm'.padEnd(16),
      serialNumber: 's1'.padEnd(16),
      flags: 0x404,
    }
  }

  C_OpenSession(): Buffer {
    if (token.fault === 'refuse') fail('CKR_SESSION_COUNT')
    token.open++
    return ulong(1)
  }

  C_CloseSession(): void {
    token.open--
  }

  C_Login(_session: Buffer, _user: number, pin: string): void {
    if (pin !== token.pin) fail('CKR_PIN_INCORRECT')
    this.#isSignedIn = true
  }

  C_FindObjectsInit(_session: Buffer, template: readonly Attribute[]): void {
    const wanted = (type: number): number | Buffer | undefined => template.find((attribute) => attribute.type === type)?.value
    const [kind, id, label] = [wanted(0x0), wanted(0x102), wanted(0x3)]
    const isPrivate = kind === 3
    if (kind !== 2 && (!isPrivate || !this.#isSignedIn)) return void (this.#found = [])
    const fits = (key: TokenKey): boolean =>
      (id === undefined || Buffer.of(key.id).equals(id as Buffer)) && (label === undefined || String(label) === key.label)
    this.#found = token.keys.flatMap((key, at) => (fits(key) ? [ulong(2 * at + (isPrivate ? 1 : 0))] : []))
  }

  C_FindObjects(_session: Buffer, count: number): Buffer[] {
    return this.#found.splice(0, count)
  }

  C_FindObjectsFinal(): void {
    this.#found = []
  }

  C_GetAttributeValue(_session: Buffer, object: Buffer, [attribute]: readonly Attribute[]): { value: Buffer }[] {
    const key = token.keys[object.readUInt32LE() >> 1]
    if (key === undefined || token.fault === 'nothing in it') return fail('CKR_ATTRIBUTE_TYPE_INVALID')
    const { kind, native, id } = key
    const spki = parseDerSequence(spkiOf(native), 'a key')
    const algorithm = spki.sequence('the algorithm')
    algorithm.oid('the kind')
    const point = spki.bitString('the point')
    const jwk = createPublicKey(native).export({ format: 'jwk' })
    const values: Readonly<Record<number, Buffer | undefined>> = {
      0x3: Buffer.from(key.label),
      0x102: Buffer.of(id),
      0x100: ulong(kind.startsWith('rsa') ? 0 : kind === 'ed25519' ? 0x40 : 3),
      0x120: jwk.n === undefined ? undefined : Buffer.from(jwk.n, 'base64url'),
      0x122: jwk.e === undefined ? undefined : Buffer.from(jwk.e, 'base64url'),
      0x180: kind.startsWith('ecdsa') ? Buffer.from(algorithm.next(0x06, 'the curve').bytes) : undefined,
      // P-384 as those tokens have it that leave out the OCTET STRING.
      0x181: kind === 'ecdsa-p384' ? Buffer.from(point) : Buffer.from(derOctetString(point)),
    }
    const value = values[attribute?.type ?? -1]
    return value === undefined ? fail('CKR_ATTRIBUTE_TYPE_INVALID') : [{ value }]
  }

  C_SignInit(_session: Buffer, mechanism: { readonly mechanism: number }, object: Buffer): void {
    this.#mechanism = mechanism
    this.#key = token.keys[object.readUInt32LE() >> 1]
  }

  C_Sign(_session: Buffer, data: Buffer): Buffer {
    if (this.#key === undefined) return fail('CKR_OPERATION_NOT_INITIALIZED')
    if (token.fault === 'nothing in it') return Buffer.alloc(0)
    const { kind, native } = this.#key
    const key = token.fault === 'other key' ? testKey(kind, 'other') : native
    const digest = ({ 32: 'sha256', 48: 'sha384', 64: 'sha512' } as Readonly<Record<number, Digest>>)[data.length]
    switch (this.#mechanism.mechanism) {
      case 0x1041:
        return Buffer.from(rawSignature(key, signAsHolder(key, 'ecdsa', digest, data)))
      case 0x1057:
        return Buffer.from(signAsHolder(key, 'ed25519', undefined, data))
      case 0x1:
        // The token pads; the DigestInfo is the caller's.
        return Buffer.from(signAsHolder(key, 'pkcs1', 'sha256', data.subarray(-32)))
      case 0xd:
        if (this.#mechanism.parameter?.hashAlg !== 0x250 || this.#mechanism.parameter.saltLen !== 32)
          return fail('CKR_MECHANISM_PARAM_INVALID')
        return Buffer.from(signAsHolder(key, 'pss', digest, data))
      default:
        return fail('CKR_MECHANISM_INVALID')
    }
  }
}

export const CK_PARAMS_RSA_PSS = 8
