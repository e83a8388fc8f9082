/** What a client makes of a log's answers: everything that is not exactly an answer is refused. */
import { describe, expect, test } from 'vitest'
import { encodeRekorV1Error, encodeRekorV2Error, parseRekorError } from '../../../src/api/rekor-error.ts'
import {
  encodeRekorV1Entry,
  parseConsistencyAnswer,
  parseEntryId,
  parseLogInfo,
  parseRekorV1Entries,
  parseRekorV1Entry,
  signedEntryPayload,
} from '../../../src/api/rekor-v1.ts'
import { encodeRetrieveQuery, parseIndexAnswer, parseRetrieveQuery } from '../../../src/api/rekor-v1-query.ts'
import { encodeTransparencyLogEntry, parseTransparencyLogEntry } from '../../../src/api/rekor-v2.ts'
import type { LogEntry } from '../../../src/bundle/signed-entity.ts'
import { encodeSupplement, parseSupplement, statementDigests } from '../../../src/bundle/log-entry-supplement.ts'
import { canonicalizeJson } from '../../../src/encoding/canonical-json.ts'
import { digestOf } from '../../support/universe/keys.ts'

const hash = digestOf('sha256', Buffer.from('x'))
const hex = Buffer.from(hash).toString('hex')
const entryId = `${'00'.repeat(7)}01${hex}`
const entry: LogEntry = {
  logIndex: 12n,
  logId: hash,
  kind: 'hashedrekord',
  version: '0.0.1',
  integratedTime: 1_700_000_000n,
  signedEntryTimestamp: Buffer.from('promise'),
  inclusionProof: { logIndex: 2n, treeSize: 3n, rootHash: hash, hashes: [hash], checkpoint: 'note' },
  body: Buffer.from('{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}'),
}

type Json = Record<string, unknown>
interface AnswerJson extends Json {
  verification: { inclusionProof: Json; signedEntryTimestamp: string }
}

/** The v1 answer, bent. */
function v1(bend: (answer: AnswerJson) => void, id = entryId): Buffer {
  const answer = (structuredClone(encodeRekorV1Entry({ entryId, entry, attestation: undefined })) as Record<string, AnswerJson>)[entryId]
  if (answer === undefined) throw new Error('no entry was encoded')
  bend(answer)
  return Buffer.from(JSON.stringify({ [id]: answer }))
}

describe('an entry of Rekor v1', () => {
  test('is the log entry of a bundle', () => {
    expect(parseRekorV1Entry(v1(() => undefined))).toEqual({ entryId, entry, attestation: undefined })
  })

  const refused: readonly [string, Buffer][] = [
    ['a string for a number', v1((answer) => (answer['logIndex'] = '12'))],
    ['a negative index', v1((answer) => (answer['logIndex'] = -1))],
    ['a fraction', v1((answer) => (answer['integratedTime'] = 1.5))],
    [
      'a number beyond 2^53',
      Buffer.from(
        v1((answer) => (answer['logIndex'] = 12))
          .toString()
          .replace('"logIndex":12', '"logIndex":9007199254740993'),
      ),
    ],
    ['a log ID that is too short', v1((answer) => (answer['logID'] = 'abcd'))],
    ['a log ID that is not hexadecimal', v1((answer) => (answer['logID'] = 'zz'.repeat(32)))],
    ['an unknown member', v1((answer) => (answer['more'] = 1))],
    ['a body that is not base64', v1((answer) => (answer['body'] = '{}'))],
    ['a body that is no entry', v1((answer) => (answer['body'] = Buffer.from('[]').toString('base64')))],
    ['hashes that are too many', v1((answer) => (answer.verification.inclusionProof['hashes'] = Array.from({ length: 65 }, () => hex)))],
    ['a hash of another length', v1((answer) => (answer.verification.inclusionProof['hashes'] = ['ab']))],
    ['an entry ID of another length', v1(() => undefined, 'ab'.repeat(33))],
    ['no entry', Buffer.from('{}')],
    [
      'two entries',
      Buffer.from(
        `{${v1(() => undefined)
          .toString()
          .slice(1, -1)},${v1(() => undefined, hex)
          .toString()
          .slice(1)}`,
      ),
    ],
    ['an array', Buffer.from('[]')],
    ['the page of a proxy', Buffer.from('<html>')],
  ]
  test.each(refused)('with %s is refused', (_, answer) => {
    expect(() => parseRekorV1Entry(answer)).toThrow(expect.objectContaining({ name: 'DecodingError' }))
  })

  test('may come without proof and promise, which the verifier then misses', () => {
    const bare = parseRekorV1Entry(v1((answer) => delete (answer as Partial<AnswerJson>).verification)).entry
    expect([bare.inclusionProof, bare.signedEntryTimestamp]).toEqual([undefined, undefined])
  })

  test('several are a list', () => {
    expect(parseRekorV1Entries(Buffer.from(`[${v1(() => undefined).toString()}]`))).toHaveLength(1)
    expect(() => parseRekorV1Entries(v1(() => undefined))).toThrow(/array/)
  })

  test('its promise is over the canonical JSON of four members', () => {
    const payload = { body: Buffer.from(entry.body).toString('base64'), integratedTime: 1_700_000_000, logID: hex, logIndex: 12 }
    expect(signedEntryPayload(entry)).toBe(canonicalizeJson(payload))
  })
})

describe('an entry of Rekor v2', () => {
  const bent = (bend: (answer: Json) => void): Buffer => {
    const answer = JSON.parse(encodeTransparencyLogEntry(entry)) as Json
    bend(answer)
    return Buffer.from(JSON.stringify(answer))
  }

  test('has empty fields where there is nothing, which are as good as none', () => {
    const bare = { ...entry, signedEntryTimestamp: undefined, inclusionProof: undefined, integratedTime: 0n }
    const text = encodeTransparencyLogEntry(bare)
    expect(text).toContain('"inclusionPromise":null,"inclusionProof":null')
    expect(parseTransparencyLogEntry(Buffer.from(text))).toEqual(bare)
  })

  test.each<[string, Buffer]>([
    ['an unknown member', bent((answer) => (answer['more'] = 1))],
    ['a negative index', bent((answer) => (answer['logIndex'] = '-1'))],
    ['a number that is none', bent((answer) => (answer['logIndex'] = '0x1'))],
    ['no body', bent((answer) => delete answer['canonicalizedBody'])],
    ['no log', bent((answer) => delete answer['logId'])],
    ['no kind', bent((answer) => (answer['kindVersion'] = null))],
    ['something else', Buffer.from('"entry"')],
  ])('with %s is refused', (_, answer) => {
    expect(() => parseTransparencyLogEntry(answer)).toThrow(expect.objectContaining({ name: 'DecodingError' }))
  })
})

describe('other answers', () => {
  test('errors of both logs are understood, everything else is none', () => {
    expect(parseRekorError(encodeRekorV1Error({ code: 400, message: 'why' }))).toEqual({ code: 400, message: 'why' })
    expect(parseRekorError(encodeRekorV2Error({ code: 3, message: 'why' }))).toEqual({ code: 3, message: 'why' })
    for (const text of ['', '<html>', '[]', '{}', '{"code":"3","message":"x"}', '{"code":3}', `"${'x'.repeat(70_000)}"`]) {
      expect(parseRekorError(text)).toBeUndefined()
    }
  })

  test('an entry ID is 64 or 80 digits, with a tree that can be', () => {
    expect(parseEntryId(hex)).toEqual({ treeId: undefined, leafHash: Buffer.from(hash) })
    expect(parseEntryId(entryId).treeId).toBe(1n)
    for (const text of ['', 'ab', `${hex}0`, 'zz'.repeat(32), `${'00'.repeat(8)}${hex}`, `80${'00'.repeat(7)}${hex}`, ` ${hex}`]) {
      expect(() => parseEntryId(text)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
    }
  })

  test('malformed heads, proofs and lists are refused', () => {
    for (const text of [
      '{}',
      '{"rootHash":"ab","treeSize":1,"signedTreeHead":"x","treeID":"1"}',
      `{"rootHash":"${hex}","treeSize":1,"signedTreeHead":"x","treeID":"x"}`,
    ]) {
      expect(() => parseLogInfo(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'LOG_ENTRY_INVALID' }))
    }
    expect(() => parseConsistencyAnswer(Buffer.from(`{"rootHash":"${hex}","hashes":[1]}`))).toThrow(/64 hexadecimal/)
    expect(() => parseIndexAnswer(Buffer.from('["<script>"]'))).toThrow(/entry IDs/)
    expect(() => parseIndexAnswer(Buffer.from('{}'))).toThrow(/array/)
  })

  test('what is to be retrieved is read as it was asked', () => {
    const asked = encodeRetrieveQuery({ entryIds: [entryId], logIndexes: [7n], entries: [{ kind: 'rfc3161', response: Buffer.from('x') }] })
    expect(parseRetrieveQuery(Buffer.from(asked), 10_000)).toEqual({
      entryIds: [parseEntryId(entryId)],
      logIndexes: [7n],
      entries: [{ kind: 'rfc3161', response: Buffer.from('x') }],
      count: 3,
    })
  })
})

describe('what a log keeps beside an entry', () => {
  test('has room in a mebibyte, however much there is of it', () => {
    const digests = Array.from({ length: 10_000 }, (_, at) => `${'a'.repeat(32)}:${String(at).padStart(128, '0')}`)
    const bytes = encodeSupplement({ digests, attestation: new Uint8Array(100 * 1024) })
    expect(bytes.length).toBeLessThan(1024 * 1024)
    expect(parseSupplement(bytes).digests).toHaveLength(4096)
  })

  test('is nothing where there is nothing', () => {
    expect(encodeSupplement({ digests: ['not a digest', 'a b:c'], attestation: undefined })).toHaveLength(0)
    expect(parseSupplement(new Uint8Array(0))).toEqual({ digests: [], attestation: undefined })
  })

  test('has the digests of subjects and materials, and none of what is no statement', () => {
    const statement = {
      subject: [{ name: 'a', digest: { sha256: 'AB', sha1: 'cd' } }, { name: 'b' }, null, 7],
      predicate: { materials: [{ uri: 'x', digest: { sha1: 'ef' } }] },
    }
    const type = 'application/vnd.in-toto+json'
    expect(statementDigests(type, Buffer.from(JSON.stringify(statement)))).toEqual(['sha256:ab', 'sha1:cd', 'sha1:ef'])
    expect(statementDigests('text/plain', Buffer.from(JSON.stringify(statement)))).toEqual([])
    for (const text of ['', '[]', '{"subject":{}}', '{"subject":[{"digest":[1]}]}', '{"predicate":[]}']) {
      expect(statementDigests(type, Buffer.from(text))).toEqual([])
    }
  })
})
