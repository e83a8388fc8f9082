/** PKCS#11 URIs (RFC 7512): what they name, and what is refused because it might name something else. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPkcs11Uri, parsePkcs11Uri } from '../../../src/keys/pkcs11-uri.ts'

const module = '?module-path=/usr/lib/softhsm/libsofthsm2.so'

describe('a PKCS#11 URI', () => {
  it('names a token, a key, a library and a PIN', () => {
    const uri = parsePkcs11Uri(`pkcs11:token=my%20token;slot-id=3;id=%01%aB;object=release%3B1${module}&pin-value=12%2634`, {})
    expect(uri).toEqual({
      token: { label: 'my token', manufacturer: undefined, model: undefined, serial: undefined, slotId: 3 },
      key: { id: Buffer.from([1, 0xab]), label: 'release;1' },
      modulePath: '/usr/lib/softhsm/libsofthsm2.so',
      pin: '12&34',
      name: 'pkcs11:token=my%20token;slot-id=3;id=%01%aB;object=release%3B1',
    })
  })

  it('takes the library of the environment where it has none itself', () => {
    const env = { COSIGN_PKCS11_MODULE_PATH: '/lib/a.so' }
    expect(parsePkcs11Uri('pkcs11:token=a;object=b', env).modulePath).toBe('/lib/a.so')
    expect(parsePkcs11Uri('pkcs11:token=a;object=b?module-path=/lib/b.so', env).modulePath).toBe('/lib/b.so')
  })

  it('has a plus for a plus, unlike a form', () => {
    expect(parsePkcs11Uri(`pkcs11:token=a+b;object=c&d${module}`, {})).toMatchObject({ token: { label: 'a+b' }, key: { label: 'c&d' } })
  })

  it('takes the separators of cosign in its query', () => {
    expect(parsePkcs11Uri(`pkcs11:token=a;object=b${module};pin-value=1?2`, {}).pin).toBe('1?2')
  })

  it.each([
    ['pkcs11:object=b?module-path=/a', 'one of token and slot-id must be set'],
    ['pkcs11:token=a?module-path=/a', 'one of object and id must be set'],
    ['pkcs11:token=;id=?module-path=/a', 'one of token and slot-id must be set'],
    ['pkcs11:token=a;object=b', 'module-path or COSIGN_PKCS11_MODULE_PATH must be set'],
    ['pkcs11:token=a;object=b?module-path=a.so', 'must be set to the absolute path'],
    ['pkcs11:token=a;object=b;object=c?module-path=/a', 'object stands twice'],
    ['pkcs11:token=a;object=b;library-version=1?module-path=/a', 'the attribute "library-version" is not supported'],
    ['pkcs11:token=a;object=b;TOKEN=c?module-path=/a', 'the attribute "TOKEN" is not supported'],
    ['pkcs11:token=a;object=b;id?module-path=/a', 'the attribute "id" is not supported'],
    ['pkcs11:token=a;object=b?module-path=/a&pin-source=file:/etc/pin', 'the attribute "pin-source" is not supported'],
    ['pkcs11:token=a;object=b;type=secret-key?module-path=/a', 'expected the type private, found "secret-key"'],
    ['pkcs11:token=a%2;object=b?module-path=/a', 'two hexadecimal digits'],
    ['pkcs11:token=a%zz;object=b?module-path=/a', 'two hexadecimal digits'],
    ['pkcs11:token=%ff;object=b?module-path=/a', 'token is not valid UTF-8 text'],
    ['pkcs11:slot-id=1e3;object=b?module-path=/a', 'slot-id "1e3" is not a valid number'],
    [`pkcs11:token=a;object=${'b'.repeat(9000)}?module-path=/a`, 'longer than the limit of 8192 characters'],
  ])('%.60s is refused: %s', (text, reason) => {
    expect(() => parsePkcs11Uri(text, {})).toThrow(reason)
  })

  it('keeps its PIN to itself when it is refused', () => {
    for (const text of [
      'pkcs11:token=a?module-path=/a&pin-value=secret-pin',
      'pkcs11:token=a;object=b;pin-value=secret-pin?module-path=/a',
      'pkcs11:pin-value=secret-pin;pin-source=/secret-pin',
    ]) {
      expect(() => parsePkcs11Uri(text, {})).toThrow(/^invalid uri (?!.*secret-pin)/)
    }
  })

  it('is read as it was written, whatever the names are', () => {
    const label = fc.string({ minLength: 1, unit: 'grapheme' })
    const key = fc.record({ id: fc.uint8Array({ minLength: 1, maxLength: 40 }), label })
    fc.assert(
      fc.property(fc.record({ label, slotId: fc.nat() }), key, (token, { id, label: object }) => {
        const parsed = parsePkcs11Uri(formatPkcs11Uri(token, { id, label: object }, '/a b/c;d.so'), {})
        expect(parsed.token).toMatchObject(token)
        expect(Buffer.from(parsed.key.id ?? []).equals(id)).toBe(true)
        expect(parsed.key.label).toBe(object)
        expect(parsed.modulePath).toBe('/a b/c;d.so')
      }),
    )
  })
})
