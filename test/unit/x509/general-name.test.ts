/** Names of certificates that are addresses: as Go prints them, since policies compare the texts. */
import { describe, expect, it } from 'vitest'
import { derElement, derSequence } from '../../../src/encoding/der-writer.ts'
import { parseGeneralNames } from '../../../src/x509/general-name.ts'

const namesOf = (hex: string) => parseGeneralNames(derSequence(derElement(0x87, Buffer.from(hex, 'hex'))))

describe('an IP address', () => {
  it.each([
    ['c0000201', '192.0.2.1'],
    ['00000000', '0.0.0.0'],
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
    ['20010db8000100010001000100000001', '2001:db8:1:1:1:1:0:1'],
    ['fe80abcd00000000000100000000000a', 'fe80:abcd::1:0:0:a'],
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000ffff01020304', '1.2.3.4'],
    ['00000000000000000000000001020304', '::102:304'],
  ])('%s is %s', (hex, value) => {
    expect(namesOf(hex)).toEqual([{ kind: 'ip', value }])
  })

  it.each(['', '7f', '7f0000', 'c0000200ffffff00', '20010db80000000000000000000000', '00'.repeat(17)])(
    'of the bytes "%s" is refused',
    (hex) => {
      expect(() => namesOf(hex)).toThrow(`an IP address of a certificate has ${hex.length / 2} bytes, 4 or 16 were expected`)
    },
  )
})
