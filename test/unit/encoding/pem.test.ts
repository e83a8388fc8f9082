import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { encodePem, parsePem } from '../../../src/encoding/pem.ts'
import { failureOf } from './failure.ts'

const block = (label: string, body: string): string => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
const good = block('CERTIFICATE', 'Zm9vYmFy')
const read = (text: string): readonly (readonly [string, string])[] =>
  parsePem(text, 'the file').map(({ label, der }) => [label, Buffer.from(der).toString()] as const)
const refusal = (text: string): string => failureOf(() => parsePem(text, 'the file'))
const invalid = (found: string): string => `DecodingError PEM_INVALID: the file is not valid PEM: found ${found}`
const sloppy = (line: string): string => invalid(`a boundary line that is not well-formed: ${JSON.stringify(line)}`)

describe('PEM', () => {
  const one = [['CERTIFICATE', 'foobar']]
  it.each([
    ['plain', good],
    ['without a newline at the end', good.trimEnd()],
    ['with CRLF', good.replaceAll('\n', '\r\n')],
    ['with blank lines', `\n\n${good.replaceAll('\n', '\n\n')}\n`],
    ['with blanks around every line', good.replaceAll('\n', ' \t\n\f\v ')],
    ['in lines of one character', block('CERTIFICATE', 'Z\nm\n9\nv\nY\nm\nF\ny')],
    ['with explanatory text before', `subject=CN = example\nissuer: CN = ca -----\n${good}`],
    ['with explanatory text after', `${good}This was the certificate.\n--\nex`],
    ['with a line of dashes before', `-----\n----------\n${good}`],
    ['with text that is not ASCII around', `Zertifikat für Müller\n${good}\u00a0\ufeff\n`],
  ])('is read %s', (_, text) => {
    expect(read(text)).toEqual(one)
  })

  it('has several blocks, in their order', () => {
    expect(read(`${good}between\n${block('EC PRIVATE KEY', 'Zm9v')}${good}`)).toEqual([
      ['CERTIFICATE', 'foobar'],
      ['EC PRIVATE KEY', 'foo'],
      ['CERTIFICATE', 'foobar'],
    ])
    expect(parsePem(good.repeat(256), 'x')).toHaveLength(256)
  })

  it.each([
    ['nothing', '', 'DecodingError PEM_INVALID: the file holds no PEM block ("-----BEGIN …-----")'],
    ['text only', 'hello\nworld', 'DecodingError PEM_INVALID: the file holds no PEM block ("-----BEGIN …-----")'],
    ['DER', '0\u0082\u0001\u0000', 'DecodingError PEM_INVALID: the file holds no PEM block ("-----BEGIN …-----")'],
    ['no END', '-----BEGIN CERTIFICATE-----\nZm9v\n', invalid('no "-----END CERTIFICATE-----" line')],
    ['nothing but BEGIN', '-----BEGIN CERTIFICATE-----', invalid('no "-----END CERTIFICATE-----" line')],
    ['no END in the last block', `${good}-----BEGIN PUBLIC KEY-----\nZm9v`, invalid('no "-----END PUBLIC KEY-----" line')],
    ['no BEGIN', 'Zm9v\n-----END CERTIFICATE-----\n', invalid('an END line without its BEGIN: "-----END CERTIFICATE-----"')],
    ['END twice', `${good}-----END CERTIFICATE-----\n`, invalid('an END line without its BEGIN: "-----END CERTIFICATE-----"')],
    [
      'BEGIN twice',
      `-----BEGIN CERTIFICATE-----\n${good}`,
      invalid('"-----BEGIN CERTIFICATE-----" where "-----END CERTIFICATE-----" was expected'),
    ],
    [
      'another label at its end',
      '-----BEGIN CERTIFICATE-----\nZm9v\n-----END PUBLIC KEY-----\n',
      invalid('"-----END PUBLIC KEY-----" where "-----END CERTIFICATE-----" was expected'),
    ],
    [
      'the label of an older kind at its end',
      '-----BEGIN RSA PRIVATE KEY-----\nZm9v\n-----END PRIVATE KEY-----\n',
      invalid('"-----END PRIVATE KEY-----" where "-----END RSA PRIVATE KEY-----" was expected'),
    ],
    ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n', invalid('an empty CERTIFICATE block')],
    ['a block of blank lines', block('CERTIFICATE', ' \n\t\n'), invalid('an empty CERTIFICATE block')],
    ['257 blocks', good.repeat(257), invalid('more than 256 blocks')],
    [
      'headers of an encrypted key',
      block('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nZm9v'),
      invalid('a RSA PRIVATE KEY block with headers (RFC 1421), as old encrypted keys have them'),
    ],
    [
      'four dashes before BEGIN',
      good.replace('-----BEGIN', '----BEGIN'),
      invalid('an END line without its BEGIN: "-----END CERTIFICATE-----"'),
    ],
    [
      'six dashes before BEGIN',
      good.replace('-----BEGIN', '------BEGIN'),
      invalid('an END line without its BEGIN: "-----END CERTIFICATE-----"'),
    ],
    ['four dashes after BEGIN', good.replace('E-----\nZ', 'E----\nZ'), sloppy('-----BEGIN CERTIFICATE----')],
    ['six dashes after BEGIN', good.replace('E-----\nZ', 'E------\nZ'), sloppy('-----BEGIN CERTIFICATE------')],
    ['four dashes after END', good.replace(/-\n$/, '\n'), sloppy('-----END CERTIFICATE----')],
    ['a label in lower case', block('certificate', 'Zm9v'), sloppy('-----BEGIN certificate-----')],
    ['no label', block('', 'Zm9v'), sloppy('-----BEGIN -----')],
    ['no blank before the label', good.replace('BEGIN ', 'BEGIN-'), sloppy('-----BEGIN-CERTIFICATE-----')],
    ['two blanks before the label', good.replace('BEGIN ', 'BEGIN  '), sloppy('-----BEGIN  CERTIFICATE-----')],
    ['text after BEGIN', good.replace('E-----\nZ', 'E----- x\nZ'), sloppy('-----BEGIN CERTIFICATE----- x')],
    ['everything in one line', block('KEY', 'Zg==').replaceAll('\n', ' '), sloppy('-----BEGIN KEY----- Zg== -----END KEY-----')],
    [
      'line breaks as escapes',
      String.raw`-----BEGIN A-----\nZg==\n-----END A-----`,
      sloppy(String.raw`-----BEGIN A-----\nZg==\n-----END A-----`),
    ],
    ['a byte order mark', `\ufeff${good}`, invalid('an END line without its BEGIN: "-----END CERTIFICATE-----"')],
    ['a no-break space before BEGIN', `\u00a0${good}`, invalid('an END line without its BEGIN: "-----END CERTIFICATE-----"')],
  ])('with %s is refused', (_, text, message) => {
    expect(refusal(text)).toBe(message)
  })

  it('with a sloppy block is refused even beside a good one', () => {
    expect(refusal(`${good}${good.replaceAll('CERTIFICATE', 'Certificate')}`)).toBe(sloppy('-----BEGIN Certificate-----'))
    expect(refusal(`-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE---\n${good}`)).toBe(sloppy('-----END CERTIFICATE---'))
  })

  it.each([
    ['a character of another alphabet', 'Zm9_'],
    ['no padding', 'Zg'],
    ['padding in the middle', 'Zg==\nZg=='],
    ['stray bits', 'Zh=='],
    ['a checksum, as OpenPGP has it', 'Zm9v\n=njUN'],
    ['a comment', 'Zm9v # foo'],
    ['a blank inside a line', 'Zm 9v'],
    ['a no-break space', 'Zm9v\u00a0'],
    ['a byte order mark', '\ufeffZm9v'],
    ['a carriage return inside a line', 'Zm9v\rZm9v'],
    ['a NUL', 'Zm9v\0'],
    ['a line of dashes', 'Zm9v\n-----\nZm9v'],
  ])('whose base64 has %s is refused', (_, body) => {
    expect(refusal(block('CERTIFICATE', body))).toBe('DecodingError PEM_INVALID: the file holds a CERTIFICATE block that is not base64')
  })

  it('says what is wrong with its base64 in the cause', () => {
    const thrown = (): unknown => {
      try {
        return parsePem(block('PUBLIC KEY', 'Zg'), 'x')
      } catch (error) {
        return error
      }
    }
    expect(thrown()).toMatchObject({
      cause: { code: 'ENCODING_INVALID', message: 'the PUBLIC KEY block is not standard base64 with padding, found "Zg"' },
    })
  })

  it('over 4 Mi characters is refused, unread', () => {
    expect(refusal('\n'.repeat(4 * 1024 * 1024 + 1))).toBe(
      'DecodingError TOO_LARGE: the file is 4194305 characters long, more than the limit of 4194304 for PEM',
    )
  })

  it('with a label longer than 64 characters is refused, and quoted in part only', () => {
    expect(read(block('A'.repeat(64), 'Zm9v'))).toEqual([['A'.repeat(64), 'foo']])
    expect(refusal(block('A'.repeat(65), 'Zm9v'))).toMatch(/ a boundary line that is not well-formed: "-----BEGIN A{49}…"$/)
    expect(refusal(block('A '.repeat(50_000), 'Zm9v')).length).toBeLessThan(200)
  })

  it('is written as openssl writes it', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const spki = publicKey.export({ type: 'spki', format: 'der' })
    expect(encodePem('PUBLIC KEY', spki)).toBe(publicKey.export({ type: 'spki', format: 'pem' }))
  })

  it.each([1, 47, 48, 49, 96, 97])('of %i bytes has lines of at most 64 characters and no empty one', (length) => {
    const lines = encodePem('X', new Uint8Array(length)).trimEnd().split('\n').slice(1, -1)
    expect(lines).toHaveLength(Math.ceil(length / 48))
    for (const line of lines) expect(line).toMatch(/^[A-Za-z0-9+/=]{1,64}$/)
  })

  const label = fc.stringMatching(/^[A-Z0-9][A-Z0-9 ]{0,20}$/)
  const blocks = fc.array(fc.tuple(label, fc.uint8Array({ minLength: 1, maxLength: 150 })), { minLength: 1, maxLength: 4 })

  it('gives back the blocks that were written', () => {
    fc.assert(
      fc.property(blocks, fc.constantFrom('\n', '\r\n'), (list, newline) => {
        const text = list.map(([name, der]) => encodePem(name, der)).join('')
        const found = parsePem(text.replaceAll('\n', newline), 'x')
        expect(found.map(({ label, der }) => [label, Uint8Array.from(der)])).toEqual(list)
      }),
    )
  })

  it('with one character changed is refused or means other bytes, or only blanks changed', () => {
    const letter = fc.constantFrom('-', 'A', '/', '=', ' ', '\n', '\r', ':', '\u00a0', 'é', '\0')
    fc.assert(
      fc.property(label, fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), letter, (name, der, place, changed) => {
        const text = encodePem(name, der)
        const at = place % text.length
        const other = text.slice(0, at) + changed + text.slice(at + 1)
        let found: readonly { readonly label: string; readonly der: Uint8Array }[]
        try {
          found = parsePem(other, 'x')
        } catch (error) {
          expect(error).toMatchObject({ name: 'DecodingError', code: 'PEM_INVALID' })
          return
        }
        const same = found.length === 1 && found[0]?.label === name && Buffer.from(der).equals(found[0].der)
        expect(same).toBe(other.replaceAll(/\s/g, '') === text.replaceAll(/\s/g, ''))
      }),
      { numRuns: 1000 },
    )
  })

  it('never comes out of text that is none', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('-----', 'BEGIN', 'END', ' ', 'A', '\n', '=', '-'), { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        let labels: readonly string[]
        try {
          labels = parsePem(text, 'x').map(({ label }) => label)
        } catch (error) {
          expect(error).toMatchObject({ name: 'DecodingError', code: 'PEM_INVALID' })
          return
        }
        for (const name of labels) expect(text).toContain(`-----BEGIN ${name}-----\n`)
      }),
      { numRuns: 1000 },
    )
  })

  it('holds bytes, whatever they are', () => {
    expect(read(encodePem('NOTE', encodeUtf8('-----END NOTE-----')))).toEqual([['NOTE', '-----END NOTE-----']])
  })
})
