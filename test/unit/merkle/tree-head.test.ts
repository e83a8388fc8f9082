import { describe, expect, it } from 'vitest'
import { generateSigner } from '../../../src/crypto/private-key.ts'
import { encodeCheckpoint } from '../../../src/merkle/checkpoint.ts'
import { encodeSignedNote, parseSignedNote } from '../../../src/merkle/signed-note.ts'
import { parseSignatureLine } from '../../../src/merkle/signature-line.ts'
import { signTreeHead, treeHeadKeyId, verifyTreeHead } from '../../../src/merkle/tree-head.ts'
import { failureOf } from '../encoding/failure.ts'
import { flipBit } from './reference-tree.ts'

const signer = generateSigner('ecdsa-p256')
const head = { origin: 'ct.test/2026', size: 7n, rootHash: new Uint8Array(32).fill(9), extensions: [] }
const time = Date.UTC(2026, 0, 15)
const note = signTreeHead(head, time, signer)
const lineOf = (text: string) => parseSignatureLine(text.split('\n').at(-2) ?? '')

describe('a checkpoint that is signed as a tree head', () => {
  it('gives the tree head that it was signed as', () => {
    const verified = verifyTreeHead(parseSignedNote(note), signer.publicKey)
    expect(verified).toMatchObject({ size: 7n, timestamp: time })
    expect([...(verified?.rootHash ?? [])]).toEqual([...head.rootHash])
    expect([...(verified?.signature.subarray(0, 3) ?? [])]).toEqual([4, 3, 0])
  })

  it('gives nothing for another key, or for another log with the same key', () => {
    expect(verifyTreeHead(parseSignedNote(note), generateSigner('ecdsa-p256').publicKey)).toBeUndefined()
    expect(treeHeadKeyId('ct.test/2026', signer.publicKey)).not.toEqual(treeHeadKeyId('ct.test/2027', signer.publicKey))
    expect(verifyTreeHead(parseSignedNote(note.replace('ct.test/2026', 'ct.test/2027')), signer.publicKey)).toBeUndefined()
  })

  it('does not verify with any bit of its signature or time flipped', () => {
    const { name, keyId, signature } = lineOf(note)
    const text = encodeCheckpoint(head)
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const flipped = parseSignedNote(encodeSignedNote(text, [{ name, keyId, signature: flipBit(signature, bit) }]))
      expect(
        failureOf(() => verifyTreeHead(flipped, signer.publicKey)),
        `bit ${bit}`,
      ).toMatch(/SIGNATURE_INVALID|NOTE_INVALID/)
    }
  })

  it('does not verify for another size or root', () => {
    const { name, keyId, signature } = lineOf(note)
    for (const other of [
      { ...head, size: 8n },
      { ...head, rootHash: new Uint8Array(32) },
    ]) {
      const bent = parseSignedNote(encodeSignedNote(encodeCheckpoint(other), [{ name, keyId, signature }]))
      expect(failureOf(() => verifyTreeHead(bent, signer.publicKey))).toContain('SIGNATURE_INVALID')
    }
  })

  it('has no extension lines, which the signature would not cover', () => {
    expect(failureOf(() => signTreeHead({ ...head, extensions: ['more'] }, time, signer))).toBe(
      'UsageError USAGE: a checkpoint that is signed as a tree head has no extension lines',
    )
    const { name, keyId, signature } = lineOf(note)
    const extended = encodeSignedNote(`${encodeCheckpoint(head)}more\n`, [{ name, keyId, signature }])
    expect(failureOf(() => verifyTreeHead(parseSignedNote(extended), signer.publicKey))).toContain('SIGNATURE_INVALID')
  })

  it('is signed with ECDSA and SHA-256 only', () => {
    expect(failureOf(() => signTreeHead(head, time, generateSigner('ed25519')))).toBe(
      'UsageError USAGE: tree heads are signed with ecdsa-sha256, found ed25519',
    )
  })
})
