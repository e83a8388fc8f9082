import { verify } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalizeJson } from '../../../src/encoding/canonical-json.ts'
import { parseJson } from '../../../src/encoding/json.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { verifyCosignatures } from '../../../src/merkle/cosignature.ts'
import { rootFromInclusionProof } from '../../../src/merkle/inclusion-proof.ts'
import { parseSignedNote } from '../../../src/merkle/signed-note.ts'
import { digestOf } from '../../support/universe/keys.ts'
import type { EntryJson, EntryOptions } from '../../support/universe/logs.ts'
import { canonical, cosignature, logEntry, noteKeyHash, rekorV1, rekorV2 } from '../../support/universe/logs.ts'
import { namedKey } from '../../support/universe/universe.ts'

const body = { kind: 'hashedrekord', apiVersion: '0.0.1', spec: { b: 1, a: ['ü', null, true] } }
const v1 = rekorV1(namedKey('a log'))
const v2 = rekorV2(namedKey('a log', 'ed25519'))

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64')

function proofOf(entry: EntryJson): NonNullable<EntryJson['inclusionProof']> {
  if (entry.inclusionProof === undefined) throw new Error('the entry has no inclusion proof')
  return entry.inclusionProof
}

function checkpointOf(entry: EntryJson): string {
  return proofOf(entry).checkpoint?.envelope ?? ''
}

/** The text of a note, and its signatures by the names they are under. */
function noteOf(entry: EntryJson): { text: string; lines: readonly { name: string; keyId: string; signature: Uint8Array }[] } {
  const envelope = checkpointOf(entry)
  const end = envelope.indexOf('\n\n') + 1
  const lines = envelope
    .slice(end + 1)
    .split('\n')
    .filter((line) => line !== '')
  const parsed = lines.map((line) => {
    const [, name = '', signature = ''] = line.split(' ')
    const bytes = bytesOf(signature)
    return { name, keyId: Buffer.from(bytes.subarray(0, 4)).toString('hex'), signature: bytes.subarray(4) }
  })
  return { text: envelope.slice(0, end), lines: parsed }
}

function rootOf(entry: EntryJson): Uint8Array {
  const proof = proofOf(entry)
  return rootFromInclusionProof({
    leafIndex: BigInt(proof.logIndex),
    treeSize: BigInt(proof.treeSize),
    leafHash: digestOf('sha256', Uint8Array.of(0), bytesOf(entry.canonicalizedBody)),
    proof: proof.hashes.map(bytesOf),
  })
}

describe('an entry', () => {
  it('says of itself what its body says', () => {
    expect(logEntry(v1, body).kindVersion).toEqual({ kind: 'hashedrekord', version: '0.0.1' })
    expect(logEntry(v1, body, { kind: 'x', version: 'y' }).kindVersion).toEqual({ kind: 'x', version: 'y' })
    expect(logEntry(v1, 'not JSON').kindVersion).toEqual({ kind: '', version: '' })
  })

  it('has a canonical body, unless it was given as text', () => {
    expect(Buffer.from(logEntry(v1, body).canonicalizedBody, 'base64').toString()).toBe(
      canonicalizeJson(parseJson(JSON.stringify(body), 'the body')),
    )
    expect(Buffer.from(logEntry(v1, '{ }').canonicalizedBody, 'base64').toString()).toBe('{ }')
  })

  it('of Rekor v1 has another index in the log than in the shard, of Rekor v2 the same', () => {
    const entry = logEntry(v1, body)
    expect([entry.logIndex, proofOf(entry).logIndex]).toEqual(['1000003', '3'])
    const second = logEntry(v2, body)
    expect([second.logIndex, proofOf(second).logIndex]).toEqual(['3', '3'])
  })

  it('of Rekor v2 has neither a time nor a promise', () => {
    const entry = logEntry(v2, body, { integratedTime: 5 })
    expect(entry.integratedTime).toBeUndefined()
    expect(entry.inclusionPromise).toBeUndefined()
  })
})

describe('an inclusion proof', () => {
  it('leads to the root it is with, in a tree of any size', () => {
    const place = fc
      .integer({ min: 1, max: 2 ** 52 })
      .chain((treeSize) => fc.record({ treeSize: fc.constant(treeSize), leafIndex: fc.nat(treeSize - 1) }))
    fc.assert(
      fc.property(place, (options) => {
        const entry = logEntry(v2, body, options)
        expect(Buffer.from(rootOf(entry)).toString('base64')).toBe(proofOf(entry).rootHash)
      }),
      { numRuns: 60 },
    )
  })

  it('leads there in every place of the small trees', () => {
    for (let treeSize = 1; treeSize <= 9; treeSize += 1) {
      for (let leafIndex = 0; leafIndex < treeSize; leafIndex += 1) {
        const entry = logEntry(v2, body, { treeSize, leafIndex })
        expect(Buffer.from(rootOf(entry)).toString('base64')).toBe(proofOf(entry).rootHash)
      }
    }
  })

  it('is for another tree each time', () => {
    expect(proofOf(logEntry(v1, body)).rootHash).not.toBe(proofOf(logEntry(v1, body)).rootHash)
  })
})

describe('a promise', () => {
  const promised = (entry: EntryJson): boolean => {
    const payload = `{"body":"${entry.canonicalizedBody}","integratedTime":${entry.integratedTime},"logID":"${Buffer.from(v1.logId).toString('hex')}","logIndex":${entry.logIndex}}`
    return verify('sha256', Buffer.from(payload), v1.key.publicKey, bytesOf(entry.inclusionPromise?.signedEntryTimestamp ?? ''))
  }

  it('is over the body, the time, the log and the index over all shards', () => {
    expect(promised(logEntry(v1, body, { integratedTime: 1_700_000_000, logIndex: 77 }))).toBe(true)
  })

  const broken: readonly (readonly [string, EntryOptions])[] = [
    ['by another key', { signer: namedKey('stranger') }],
    ['with another digest', { digest: 'sha384' }],
    ['for another index', { bendPromise: (payload) => ({ ...payload, logIndex: 1 }) }],
    ['in another spelling', { bendPromise: (payload) => JSON.stringify(payload, null, 1) }],
    ['left out', { withPromise: false }],
  ]
  for (const [what, options] of broken) {
    it(`${what} does not verify`, () => {
      expect(promised(logEntry(v1, body, options))).toBe(false)
    })
  }
})

describe('a checkpoint', () => {
  for (const kind of ['p256', 'ed25519', 'rsa'] as const) {
    it(`of a ${kind} log is signed over its whole text, under the key ID of signed-note`, () => {
      const log = rekorV2(namedKey('a log', kind))
      const { text, lines } = noteOf(logEntry(log, body, { checkpointLines: ['one more'] }))
      const [line] = lines
      expect(text.split('\n').map((part) => part.length)).toEqual(['log1.universe.test'.length, 1, 44, 8, 0])
      expect(line?.name).toBe('log1.universe.test')
      expect(line?.keyId).toBe(Buffer.from(noteKeyHash(log.key, 'log1.universe.test').subarray(0, 4)).toString('hex'))
      expect(verify(kind === 'ed25519' ? null : 'sha256', Buffer.from(text), log.key.publicKey, line?.signature ?? Buffer.of())).toBe(true)
    })
  }

  it('of Rekor v1 names the tree in its origin and not in its signature', () => {
    const { text, lines } = noteOf(logEntry(v1, body))
    expect(text).toMatch(/^rekor\.universe\.test - \d+\n7\n/)
    expect(lines.map(({ name }) => name)).toEqual(['rekor.universe.test'])
  })

  it('that was bent is signed as it then is', () => {
    const { text, lines } = noteOf(logEntry(v2, body, { bendCheckpoint: (usual) => usual.replace('\n7\n', '\n9\n') }))
    expect(text).toContain('\n9\n')
    expect(verify(null, Buffer.from(text), v2.key.publicKey, lines[0]?.signature ?? Buffer.of())).toBe(true)
  })

  it('by another key does not verify', () => {
    const { text, lines } = noteOf(logEntry(v2, body, { signer: namedKey('stranger', 'ed25519') }))
    expect(verify(null, Buffer.from(text), v2.key.publicKey, lines[0]?.signature ?? Buffer.of())).toBe(false)
  })

  it('has the lines of others where they were asked for', () => {
    const witness = namedKey('witness', 'ed25519')
    const linesBefore = [cosignature(witness, 'witness.test', 1_700_000_000), '— other.test AAAAAAAA\n']
    const entry = logEntry(v2, body, { linesBefore, linesAfter: [cosignature(witness, 'late.test', 1)] })
    expect(noteOf(entry).lines.map(({ name }) => name)).toEqual(['witness.test', 'other.test', 'log1.universe.test', 'late.test'])
    expect(noteOf(logEntry(v2, body, { linesBefore, withOwnLine: false })).lines).toHaveLength(2)
  })

  it('has cosignatures that verify, for the witness who made them', () => {
    const witness = namedKey('witness', 'ed25519')
    const note = parseSignedNote(checkpointOf(logEntry(v2, body, { linesAfter: [cosignature(witness, 'witness.test', 1_700_000_000)] })))
    const found = verifyCosignatures(note, [{ name: 'witness.test', key: parsePublicKey(witness.spki) }])
    expect(found).toMatchObject([{ time: 1_700_000_000_000 }])
    expect(verifyCosignatures(note, [{ name: 'other.test', key: parsePublicKey(witness.spki) }])).toEqual([])
  })
})

describe('canonical JSON', () => {
  it('is that of RFC 8785 for what bodies hold', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,8}$/), tie('value')),
      ),
    }))
    fc.assert(
      fc.property(json.value, (value) => {
        expect(canonical(value)).toBe(canonicalizeJson(parseJson(JSON.stringify(value), 'a value')))
      }),
    )
  })
})
