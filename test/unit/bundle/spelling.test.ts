/** Signed documents that Go's reader, which passes over case, would read in another way. */
import { describe, expect, it } from 'vitest'
import { encodeSimpleSigning, parseSimpleSigning } from '../../../src/bundle/simple-signing.ts'
import { parseStatement } from '../../../src/bundle/statement.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'

const digest = `sha256:${'ab'.repeat(32)}`
const payload = encodeSimpleSigning({ dockerReference: 'app', dockerManifestDigest: digest, optional: { Critical: 'x' } })
const statement = JSON.stringify({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'app', digest: { sha256: digest.slice(7), SHA256: 'other' } }],
  predicateType: 'https://example.com/tests/v1',
  predicate: { Predicate: 1, predicate: 2 },
})

describe('a member in other letters', () => {
  it.each(['critical', 'optional', 'identity', 'image', 'type', 'docker-reference', 'docker-manifest-digest'])(
    'is refused beside its namesake in a payload: %s',
    (name) => {
      expect(parseSimpleSigning(encodeUtf8(payload)).dockerManifestDigest).toBe(digest)
      const bent = payload.replace(`"${name}":`, `"${name.toUpperCase()}":null,"${name}":`)
      expect(() => parseSimpleSigning(encodeUtf8(bent))).toThrow(`"${name.toUpperCase()}", which some programs take for ${name}`)
    },
  )

  it.each(['_type', 'subject', 'predicateType', 'predicate', 'name', 'digest'])(
    'is refused beside its namesake in a statement: %s',
    (name) => {
      expect(parseStatement(encodeUtf8(statement)).subjects[0]?.digests.get('sha256')).toBe(digest.slice(7))
      const bent = statement.replace(`"${name}":`, `"${name.toUpperCase()}":null,"${name}":`)
      expect(() => parseStatement(encodeUtf8(bent))).toThrow(`"${name.toUpperCase()}", which some programs take for ${name}`)
    },
  )
})
