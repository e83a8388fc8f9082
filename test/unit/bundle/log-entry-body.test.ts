import { describe, expect, it } from 'vitest'
import { parseLogEntryBody } from '../../../src/bundle/log-entry-body.ts'
import { encodePublicKeyPem, parsePublicKey } from '../../../src/crypto/public-key.ts'
import { encodeBase64 } from '../../../src/encoding/base64.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { namedKey } from '../../support/universe/keys.ts'
import { failureOf } from '../encoding/failure.ts'

const publicKey = encodeBase64(encodeUtf8(encodePublicKeyPem(parsePublicKey(namedKey('log entry').spki))))
const hash = { algorithm: 'sha256', value: '00'.repeat(32) }

/** An entry whose envelope had this text as its signature. */
const entry = (written: string): Uint8Array => {
  const envelope = { payloadType: 'application/vnd.in-toto+json', signatures: [{ publicKey, sig: encodeBase64(encodeUtf8(written)) }] }
  const content = { envelope, hash, payloadHash: hash }
  return encodeUtf8(JSON.stringify({ apiVersion: '0.0.2', kind: 'intoto', spec: { content } }))
}

describe('a signature in an entry of intoto 0.0.2', () => {
  it.each(['AAA+', 'AAA-'])('is read in either alphabet of base64: %s', (written) => {
    expect(parseLogEntryBody(entry(written)).signatures.map(({ signature }) => [...(signature ?? [])])).toEqual([[0, 0, 62]])
  })

  it.each(['A+A-', 'AA-', 'AAA-\n', 'AA?=', 'AB-='])('is refused in any other form: %j', (written) => {
    expect(failureOf(() => parseLogEntryBody(entry(written)))).toContain('LOG_ENTRY_INVALID')
  })
})
