import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { decodeBase64, encodeBase64 } from '../../../src/encoding/base64.ts'
import { concatBytes, encodeUtf8, excerpt } from '../../../src/encoding/bytes.ts'
import { decodeHex, encodeHex } from '../../../src/encoding/hex.ts'
import { CountersignError } from '../../../src/error.ts'
import { isKeyName } from '../../../src/merkle/note-text.ts'
import type { NoteSignature } from '../../../src/merkle/signature-line.ts'
import {
  encodeSignedNote,
  noteKeyHash,
  noteKeyId,
  parseSignedNote,
  rawEd25519Key,
  signNote,
  verifyNote,
} from '../../../src/merkle/signed-note.ts'
import { failureOf, rejectionOf } from './failure.ts'
import { makeKeyPair, signBytes, signerOf, verifierOf } from './note-keys.ts'
import { flipBit, sha256 } from './reference-tree.ts'

const refusal = (message: string) => ({ type: 'DecodingError', code: 'NOTE_INVALID', message })

const text = 'example.com/log\n42\nsome text\n'
const ed25519 = makeKeyPair('ed25519')
const otherEd25519 = makeKeyPair('ed25519')
const ecdsa = makeKeyPair('ecdsa')
const rsa = makeKeyPair('rsa')

const line = (name: string, bytes: Uint8Array) => `— ${name} ${encodeBase64(bytes)}\n`
const anyLine = line('someone', new Uint8Array(12))

/** A signature of the key over the text, under the name. */
function signatureOf(name: string, pair: typeof ed25519, signed = text) {
  return { name, keyId: noteKeyId(name, pair.publicKey), signature: signBytes(pair, encodeUtf8(signed)) }
}

describe('a signed note', () => {
  // The example of the specification, with the key that its verifier key string holds.
  const example =
    'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
  const exampleKey = parsePublicKey(
    concatBytes(
      decodeHex('302a300506032b6570032100', 'prefix'),
      decodeBase64('AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'key').subarray(1),
    ),
  )

  it('verifies with the key of the example in the specification', () => {
    const keyId = noteKeyId('example.com/foo', exampleKey)
    expect(encodeHex(keyId)).toBe('530d903a')
    const note = parseSignedNote(example)
    expect(note.text).toBe('This is an example message.\n')
    expect(verifyNote(note, [{ name: 'example.com/foo', keyId, key: exampleKey, algorithm: 'ed25519' }])).toHaveLength(1)
  })

  it('is the same from bytes as from text', () => {
    expect(parseSignedNote(encodeUtf8(example))).toEqual(parseSignedNote(example))
  })

  it('keeps the text exactly as received, empty lines, trailing spaces and other scripts included', () => {
    const odd = '\ufeffsed \n\n\u00e8 subito sera \u2014 x \u{1f600}\n\n'
    const note = parseSignedNote(`${odd}\n${anyLine}`)
    expect(note.text).toBe(odd)
    expect(encodeHex(note.signedBytes)).toBe(encodeHex(encodeUtf8(odd)))
  })

  it('ends its text at the last empty line', () => {
    const note = parseSignedNote(`a\n\n${anyLine}\n${anyLine}`)
    expect(note.text).toBe(`a\n\n${anyLine}`)
    expect(note.signatures).toHaveLength(1)
  })

  it('is parsed into what it was made from', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((s) => !/[\s+\p{White_Space}\p{Cc}]/u.test(s))
    const signature = fc.record({
      name,
      keyId: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      signature: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    })
    const body = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 20 }).filter((s) => !/\p{Cc}/u.test(s)),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(body, fc.array(signature, { minLength: 1, maxLength: 5 }), (lines, signatures) => {
        const body = `${lines.join('\n')}\n`
        const note = parseSignedNote(encodeSignedNote(body, signatures))
        expect(note.text).toBe(body)
        const plain = ({ name, keyId, signature }: NoteSignature) => ({ name, keyId: encodeHex(keyId), signature: encodeHex(signature) })
        expect(note.signatures.map(plain)).toEqual(signatures.map(plain))
      }),
    )
  })

  it('no longer verifies when any bit of it is flipped', async () => {
    const bytes = encodeUtf8(await signNote(text, [signerOf('example.com/log', ed25519)]))
    const verifiers = [verifierOf('example.com/log', ed25519)]
    expect(verifyNote(parseSignedNote(bytes), verifiers)).toHaveLength(1)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      try {
        expect(verifyNote(parseSignedNote(flipBit(bytes, bit)), verifiers)).toEqual([])
      } catch (error) {
        expect(error).toBeInstanceOf(CountersignError)
      }
    }
  })

  it('holds a hundred signatures', () => {
    expect(parseSignedNote(`${text}\n${anyLine.repeat(100)}`).signatures).toHaveLength(100)
  })

  it('is refused with a hundred and one signatures, read or written', () => {
    const expected = refusal('the note has more than 100 signatures')
    expect(failureOf(() => parseSignedNote(`${text}\n${anyLine.repeat(101)}`))).toEqual(expected)
    expect(failureOf(() => parseSignedNote(`${text}\n${anyLine.repeat(10_000)}`))).toEqual(expected)
    const signatures = Array.from({ length: 101 }, () => signatureOf('a', ed25519))
    expect(failureOf(() => encodeSignedNote(text, signatures))).toEqual(expected)
  })

  it('is refused without a signature, read or written', () => {
    const expected = refusal('the note has no signature')
    expect(failureOf(() => parseSignedNote(`${text}\n`))).toEqual(expected)
    expect(failureOf(() => encodeSignedNote(text, []))).toEqual(expected)
  })

  it.each(['', 'a', 'a\n', 'a\n— name AAAAAAA=\n', '\n'])('is refused without an empty line, as in %j', (note) => {
    expect(failureOf(() => parseSignedNote(note))).toEqual(refusal('a signed note has an empty line between text and signatures'))
  })

  it('is refused when it does not end in a newline', () => {
    expect(failureOf(() => parseSignedNote(`${text}\n${anyLine.trimEnd()}`))).toEqual(refusal('a signed note ends in a newline'))
  })

  it.each(['- name AAAAAAA=', '—name AAAAAAA=', '— name', '— ', '—', ' — name AAAAAAA=', 'text', '\u2013 name AAAAAAA='])(
    'is refused with the signature line %j',
    (bad) => {
      expect(failureOf(() => parseSignedNote(`${text}\n${anyLine}${bad}\n`))).toEqual(
        refusal(`a signature line has the form "— <name> <base64>", found ${excerpt(bad)}`),
      )
    },
  )

  it.each(['a+b', 'a b', 'a\u00a0b', 'a\u0085b', 'a\u2003b', 'a\u3000b', '+', ''])(
    'is refused with the key name %j, read or written',
    (name) => {
      const expected = refusal(
        `the name of a note's key should be characters other than white space, controls and plus, found ${excerpt(name)}`,
      )
      expect(failureOf(() => parseSignedNote(`${text}\n${line(name, new Uint8Array(8))}`))).toEqual(expected)
      expect(failureOf(() => encodeSignedNote(text, [{ ...signatureOf('a', ed25519), name }]))).toEqual(expected)
    },
  )

  it('is refused with exactly the characters in a key name that Unicode calls white space', () => {
    const refused = Array.from({ length: 0x110000 }, (_, code) => code)
      .filter((code) => code >= 0x20 && (code < 0xd800 || code > 0xdfff) && !isKeyName(`a${String.fromCodePoint(code)}`))
      .map((code) => String.fromCodePoint(code))
    expect(refused.filter((character) => !/^[\p{White_Space}+]$/u.test(character))).toEqual([])
    expect(refused).toHaveLength(1 + 20)
  })

  it.each(['a\u0001b', 'a\tb', '\ud800'])('is not written with the key name %j', (name) => {
    const expected = refusal(
      `the name of a note's key should be characters other than white space, controls and plus, found ${excerpt(name)}`,
    )
    expect(failureOf(() => encodeSignedNote(text, [{ ...signatureOf('a', ed25519), name }]))).toEqual(expected)
  })

  it.each(['', 'AAAAAAA', 'AAAAAAB=', 'AAAA_AA=', 'AAAAAAA==', '!'])('is refused with the signature %j', (base64) => {
    const { code, message } = failureOf(() => parseSignedNote(`${text}\n— name ${base64}\n`))
    expect(code).toBe('NOTE_INVALID')
    const expected =
      base64 === ''
        ? 'the signature by "name" should have more than 4 bytes, found 0'
        : `the signature of a note should be base64, found ${excerpt(base64)}`
    expect(message).toBe(expected)
  })

  it.each([0, 1, 4])('is refused with %i bytes in a signature line', (length) => {
    const message = `the signature by "name" should have more than 4 bytes, found ${length}`
    expect(failureOf(() => parseSignedNote(`${text}\n${line('name', new Uint8Array(length))}`))).toEqual(refusal(message))
  })

  it.each(['\t', '\r', '\u0000', '\u001f', '\u000b'])(
    'is refused with the control character %j in text or lines, read or written',
    (control) => {
      const expected = refusal('a signed note has no control character but newline')
      expect(failureOf(() => parseSignedNote(`a${control}\n\n${anyLine}`))).toEqual(expected)
      expect(failureOf(() => parseSignedNote(`a\n\n${line(`na${control}me`, new Uint8Array(8))}`))).toEqual(expected)
      expect(failureOf(() => encodeSignedNote(`a${control}\n`, [signatureOf('a', ed25519)]))).toEqual(expected)
    },
  )

  it('is refused when it is not well-formed Unicode', () => {
    expect(failureOf(() => parseSignedNote(`a\ud800\n\n${anyLine}`))).toEqual(refusal('a signed note is well-formed Unicode text'))
    expect(failureOf(() => encodeSignedNote('\udc00\n', [signatureOf('a', ed25519)]))).toEqual(
      refusal('a signed note is well-formed Unicode text'),
    )
    const bytes = concatBytes(Uint8Array.of(0xc3, 0x28), encodeUtf8(`\n\n${anyLine}`))
    expect(failureOf(() => parseSignedNote(bytes))).toEqual(refusal('a signed note is UTF-8 text'))
  })

  it('is refused above a million bytes, read or written', () => {
    const large = `${'a'.repeat(999_990)}\n`
    const found = large.length + 1 + encodeUtf8(anyLine).length
    const expected = { type: 'DecodingError', code: 'TOO_LARGE', message: `a signed note has at most 1000000 bytes, found ${found}` }
    expect(failureOf(() => parseSignedNote(`${large}\n${anyLine}`))).toEqual(expected)
    expect(failureOf(() => parseSignedNote(encodeUtf8(`${large}\n${anyLine}`)))).toEqual(expected)
    const { signature } = parseSignedNote(`a\n\n${anyLine}`).signatures[0] ?? { signature: new Uint8Array(8) }
    expect(failureOf(() => encodeSignedNote(large, [{ name: 'someone', keyId: new Uint8Array(4), signature }]))).toEqual(expected)
    expect(failureOf(() => parseSignedNote(`${'ü'.repeat(500_000)}\n\n${anyLine}`)).code).toBe('TOO_LARGE')
  })

  it('is not written with a text that does not end in a newline', async () => {
    const expected = refusal('the text of a note ends in a newline')
    for (const bad of ['', 'a', 'a\nb']) {
      expect(failureOf(() => encodeSignedNote(bad, [signatureOf('a', ed25519)]))).toEqual(expected)
      expect(await rejectionOf(() => signNote(bad, [signerOf('a', ed25519)]))).toEqual(expected)
    }
  })

  it('is not written with a key ID or signature of the wrong size', () => {
    const good = signatureOf('a', ed25519)
    expect(failureOf(() => encodeSignedNote(text, [{ ...good, keyId: new Uint8Array(32) }]))).toEqual(
      refusal('the key ID of "a" should have 4 bytes, found 32'),
    )
    expect(failureOf(() => encodeSignedNote(text, [{ ...good, signature: new Uint8Array(0) }]))).toEqual(
      refusal('the signature by "a" is empty'),
    )
  })

  it('is never parsed into something that would be written differently', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\n', '\n\n', '— ', ' ', 'a', '+', 'AAAAAAA=', '=', '\r', '\u2003'), maxLength: 24 }),
        (input) => {
          try {
            const note = parseSignedNote(input)
            expect(encodeSignedNote(note.text, note.signatures)).toBe(input)
          } catch (error) {
            expect(error).toMatchObject({ code: 'NOTE_INVALID' })
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('the signatures of a note', () => {
  const all = [
    ['Ed25519', ed25519],
    ['ECDSA', ecdsa],
    ['RSA', rsa],
  ] as const

  it.each(all)('verify with an %s key', async (_, pair) => {
    const note = parseSignedNote(await signNote(text, [signerOf('log', pair)]))
    const verifier = verifierOf('log', pair)
    expect(verifyNote(note, [verifier])).toEqual([{ verifier, signature: note.signatures[0], evidence: true }])
  })

  it('count once for each verifier, in the order of the verifiers', async () => {
    const note = parseSignedNote(await signNote(text, [signerOf('a', ed25519), signerOf('b', ecdsa), signerOf('a', ed25519)]))
    expect(verifyNote(note, [verifierOf('b', ecdsa), verifierOf('a', ed25519)]).map(({ signature }) => signature.name)).toEqual(['b', 'a'])
  })

  it('come from signers that answer later too', async () => {
    const signer = signerOf('log', ed25519)
    const note = parseSignedNote(await signNote(text, [{ ...signer, sign: async (message) => signer.sign(message) }]))
    expect(verifyNote(note, [verifierOf('log', ed25519)])).toHaveLength(1)
  })

  it('are ignored when the key is unknown, even though they share the name or the key ID with a known one', () => {
    const good = signatureOf('log', ed25519)
    const sameName = { ...signatureOf('log', otherEd25519) }
    const sameId = { name: 'other', keyId: good.keyId, signature: new Uint8Array(64) }
    const note = parseSignedNote(encodeSignedNote(text, [sameName, sameId, good]))
    expect(verifyNote(note, [verifierOf('log', ed25519)]).map(({ signature }) => encodeHex(signature.signature))).toEqual([
      encodeHex(good.signature),
    ])
    const unknown = parseSignedNote(encodeSignedNote(text, [sameName, sameId]))
    expect(verifyNote(unknown, [verifierOf('log', ed25519)])).toEqual([])
  })

  it('match a verifier without a name by key ID only', () => {
    const note = parseSignedNote(encodeSignedNote(text, [signatureOf('any.example', ecdsa)]))
    const { keyId, key, algorithm } = verifierOf('other.example', ecdsa)
    expect(verifyNote(note, [{ keyId, key, algorithm }])).toHaveLength(1)
    expect(verifyNote(note, [{ name: 'other.example', keyId, key, algorithm }])).toEqual([])
  })

  it('are refused when a known key signed another text', () => {
    const note = parseSignedNote(encodeSignedNote(text, [signatureOf('log', ed25519, 'another text\n')]))
    const keyId = encodeHex(noteKeyId('log', ed25519.publicKey))
    expect(failureOf(() => verifyNote(note, [verifierOf('log', ed25519)]))).toEqual({
      type: 'VerificationError',
      code: 'SIGNATURE_INVALID',
      message: `the note's signature by "log" with the key ${keyId} does not verify`,
    })
  })

  it('are refused when one known key verifies and another does not', () => {
    const note = parseSignedNote(encodeSignedNote(text, [signatureOf('a', ed25519), signatureOf('b', ecdsa, 'another text\n')]))
    expect(failureOf(() => verifyNote(note, [verifierOf('a', ed25519), verifierOf('b', ecdsa)])).code).toBe('SIGNATURE_INVALID')
    expect(verifyNote(note, [verifierOf('a', ed25519)])).toHaveLength(1)
  })

  it('verify when one line of a key is bad and another good, in either order', () => {
    const good = signatureOf('log', ed25519)
    const bad = { ...good, signature: flipBit(good.signature, 77) }
    for (const lines of [
      [good, bad],
      [bad, good],
    ]) {
      const [verified] = verifyNote(parseSignedNote(encodeSignedNote(text, lines)), [verifierOf('log', ed25519)])
      expect(encodeHex(verified?.signature.signature ?? new Uint8Array(0))).toBe(encodeHex(good.signature))
    }
  })

  it('are refused when a signature of a known key has the wrong size', () => {
    for (const length of [1, 63, 65]) {
      const note = parseSignedNote(encodeSignedNote(text, [{ ...signatureOf('log', ed25519), signature: new Uint8Array(length) }]))
      expect(failureOf(() => verifyNote(note, [verifierOf('log', ed25519)])).code).toBe('SIGNATURE_INVALID')
    }
  })

  it('are not written when a signer fails', async () => {
    const failing = { ...signerOf('log', ed25519), sign: () => Promise.reject(new Error('no key today')) }
    await expect(signNote(text, [signerOf('a', ed25519), failing])).rejects.toThrow('no key today')
  })
})

describe('the identifier of a key in notes', () => {
  const utf8 = (value: string) => encodeUtf8(value)

  it('is made from name, type and raw key for Ed25519', () => {
    const raw = ed25519.publicKey.spki.subarray(-32)
    const expected = sha256(utf8('log\n'), Uint8Array.of(1), raw)
    expect(encodeHex(noteKeyHash('log', ed25519.publicKey))).toBe(encodeHex(expected))
    expect(encodeHex(noteKeyId('log', ed25519.publicKey))).toBe(encodeHex(expected.subarray(0, 4)))
  })

  it('is made from the SPKI alone for ECDSA', () => {
    const expected = encodeHex(sha256(ecdsa.publicKey.spki))
    expect(encodeHex(noteKeyHash('log', ecdsa.publicKey))).toBe(expected)
    expect(encodeHex(noteKeyId('another', ecdsa.publicKey))).toBe(expected.slice(0, 8))
  })

  it('is made from name, the spelled-out type and SPKI for RSA', () => {
    const expected = sha256(utf8('log\n'), Uint8Array.of(0xff), utf8('PKIX-RSA-PKCS#1v1.5'), rsa.publicKey.spki)
    expect(encodeHex(noteKeyHash('log', rsa.publicKey))).toBe(encodeHex(expected))
  })

  it('has no raw key to give for a key that is not Ed25519', () => {
    expect(failureOf(() => rawEd25519Key(ecdsa.publicKey))).toEqual({
      type: 'DecodingError',
      code: 'KEY_INVALID',
      message: 'an Ed25519 key was expected, found ecdsa',
    })
  })
})
