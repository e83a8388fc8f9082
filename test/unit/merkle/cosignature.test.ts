import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { tlsUint } from '../../../src/encoding/tls.ts'
import { CountersignError } from '../../../src/error.ts'
import { encodeCheckpoint } from '../../../src/merkle/checkpoint.ts'
import { cosignatureKeyId, signCosignature, verifyCosignatures } from '../../../src/merkle/cosignature.ts'
import type { NoteSignature } from '../../../src/merkle/signature-line.ts'
import { encodeSignedNote, noteKeyId, parseSignedNote, signNote, verifyNote } from '../../../src/merkle/signed-note.ts'
import { failureOf, rejectionOf } from './failure.ts'
import { makeKeyPair, signBytes, signerOf, verifierOf, witnessSignerOf } from './note-keys.ts'
import { flipBit, sha256 } from './reference-tree.ts'

const log = makeKeyPair('ed25519')
const first = makeKeyPair('ed25519')
const second = makeKeyPair('ed25519')
const witness = { name: 'witness.example/w1', key: first.publicKey }
const otherWitness = { name: 'witness.example/w2', key: second.publicKey }
const time = Date.UTC(2026, 0, 2, 3, 4, 5)
const text = encodeCheckpoint({ origin: 'log.example', size: 42n, rootHash: new Uint8Array(32).fill(7), extensions: [] })

const cosign = (pair = first, name = witness.name, at = time) => signCosignature(text, witnessSignerOf(name, pair), at)

async function cosignedNote(...cosignatures: readonly NoteSignature[]) {
  const note = parseSignedNote(await signNote(text, [signerOf('log.example', log)]))
  return parseSignedNote(encodeSignedNote(note.text, [...note.signatures, ...cosignatures]))
}

/** What a signature is over, as the specification words it. */
function signedByHand(seconds: bigint, body = text, pair = first): Uint8Array {
  return concatBytes(tlsUint(seconds, 8), signBytes(pair, encodeUtf8(`cosignature/v1\ntime ${seconds}\n${body}`)))
}

const refused = {
  type: 'VerificationError',
  code: 'SIGNATURE_INVALID',
  message: `the note's signature by "witness.example/w1" with the key ${encodeHex(cosignatureKeyId(witness.name, witness.key))} does not verify`,
}

describe('a cosignature', () => {
  it('verifies and states its time', async () => {
    const note = await cosignedNote(await cosign(), await cosign(second, otherWitness.name, time + 1000))
    expect(verifyCosignatures(note, [otherWitness, witness])).toEqual([
      { witness: otherWitness, time: time + 1000 },
      { witness, time },
    ])
  })

  it('is eight bytes of time and an Ed25519 signature over header, time and text', async () => {
    const { keyId, signature } = await cosign()
    expect(encodeHex(signature)).toBe(encodeHex(signedByHand(BigInt(time / 1000))))
    expect(encodeHex(keyId)).toBe(
      encodeHex(sha256(encodeUtf8(`${witness.name}\n`), Uint8Array.of(4), first.publicKey.spki.subarray(-32)).subarray(0, 4)),
    )
  })

  it('holds whole seconds', async () => {
    const note = await cosignedNote(await cosign(first, witness.name, time + 999))
    expect(verifyCosignatures(note, [witness])).toEqual([{ witness, time }])
  })

  it('stands beside the signature of the log without disturbing it', async () => {
    const note = await cosignedNote(await cosign())
    expect(verifyNote(note, [verifierOf('log.example', log)])).toHaveLength(1)
  })

  it('has another key ID than a plain signature of the same key', () => {
    expect(encodeHex(cosignatureKeyId('name', first.publicKey))).not.toBe(encodeHex(noteKeyId('name', first.publicKey)))
  })

  it('is ignored when the witness is unknown', async () => {
    const note = await cosignedNote(await cosign(second, otherWitness.name))
    expect(verifyCosignatures(note, [witness])).toEqual([])
    expect(verifyCosignatures(note, [])).toEqual([])
  })

  it('is ignored under another name, because the key ID depends on it', async () => {
    const note = await cosignedNote(await cosign(first, 'witness.example/other'))
    expect(verifyCosignatures(note, [witness])).toEqual([])
  })

  it('counts once for each witness', async () => {
    const note = await cosignedNote(await cosign(), await cosign(first, witness.name, time + 5000))
    expect(verifyCosignatures(note, [witness])).toEqual([{ witness, time }])
  })

  it('is refused when any bit of the text, the time or the signature is flipped', async () => {
    const { name, keyId, signature } = await cosign()
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (bit, inText) => {
        try {
          const body = inText ? Buffer.from(flipBit(encodeUtf8(text), bit)).toString() : text
          const flipped = inText ? signature : flipBit(signature, bit)
          const note = parseSignedNote(encodeSignedNote(body, [{ name, keyId, signature: flipped }]))
          expect(verifyCosignatures(note, [witness])).toBe('refused')
        } catch (error) {
          expect(error).toBeInstanceOf(CountersignError)
        }
      }),
      { numRuns: 200 },
    )
  })

  it.each([0, 4, 64, 71, 73])('is refused when its line holds %i bytes in place of 72', async (length) => {
    const { name, keyId, signature } = await cosign()
    const cut = length === 0 ? Uint8Array.of(1) : concatBytes(signature, Uint8Array.of(0)).subarray(0, length)
    const note = await cosignedNote({ name, keyId, signature: cut })
    expect(failureOf(() => verifyCosignatures(note, [witness]))).toEqual(refused)
  })

  it('is refused when it is over the bare text, as a plain signature is', async () => {
    const { name, keyId } = await cosign()
    const signature = concatBytes(tlsUint(time / 1000, 8), signBytes(first, encodeUtf8(text)))
    const note = await cosignedNote({ name, keyId, signature })
    expect(failureOf(() => verifyCosignatures(note, [witness]))).toEqual(refused)
  })

  it.each([2n ** 63n, 2n ** 64n - 1n, 8_640_000_000_001n])('is refused with the time %s, which no clock shows', async (seconds) => {
    const { name, keyId } = await cosign()
    const note = await cosignedNote({ name, keyId, signature: signedByHand(seconds) })
    expect(failureOf(() => verifyCosignatures(note, [witness]))).toEqual(refused)
  })

  it('is refused on a note that is not a checkpoint, made or read', async () => {
    const body = 'not a checkpoint\n'
    const message = 'a checkpoint has a line each for origin, tree size and root hash, found 1 lines'
    const { name, keyId } = await cosign()
    const note = parseSignedNote(encodeSignedNote(body, [{ name, keyId, signature: signedByHand(1n, body) }]))
    expect(failureOf(() => verifyCosignatures(note, [witness]))).toEqual({ type: 'DecodingError', code: 'CHECKPOINT_INVALID', message })
    expect((await rejectionOf(() => signCosignature(body, witnessSignerOf('w', first), time))).code).toBe('CHECKPOINT_INVALID')
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1000])('is not made at the time %d', async (at) => {
    expect(await rejectionOf(() => cosign(first, witness.name, at))).toEqual({
      type: 'UsageError',
      code: 'USAGE',
      message: `a cosignature cannot hold the time ${at}`,
    })
  })

  it('has no key ID for a key that is not Ed25519', () => {
    const ecdsa = makeKeyPair('ecdsa')
    expect(failureOf(() => cosignatureKeyId('w', ecdsa.publicKey))).toEqual({
      type: 'DecodingError',
      code: 'KEY_INVALID',
      message: 'an Ed25519 key was expected, found ecdsa',
    })
  })
})
