/** Entries of a Rekor v1 log, by their place and by their hash. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readRekorV1EntryAt } from '../../../src/clients/rekor-v1-read.ts'
import { findRekorV1Entries } from '../../../src/clients/rekor-v1-search.ts'
import { addRekorV1Entry } from '../../../src/clients/rekor-v1.ts'
import type { LogEntry } from '../../../src/bundle/signed-entity.ts'
import { digest } from '../../../src/crypto/digest.ts'
import { generateSigner } from '../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../src/crypto/public-key.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { leafHash } from '../../../src/merkle/hash.ts'
import type { PrivateSigstore } from '../../../src/server/index.ts'
import { createServer } from '../../../src/server/index.ts'
import { startServer } from '../http/test-server.ts'

const none = digest('sha256', encodeUtf8('none'))

let sigstore: PrivateSigstore
let first: LogEntry
let second: LogEntry

const add = (text: string): Promise<LogEntry> => {
  const signer = generateSigner('ecdsa-p256')
  return addRekorV1Entry(sigstore.url, {
    kind: 'hashedrekord',
    digest: { algorithm: 'sha256', value: digest('sha256', encodeUtf8(text)) },
    signature: signer.sign(encodeUtf8(text)),
    verifier: encodePublicKeyPem(signer.publicKey),
  })
}

beforeAll(async () => {
  sigstore = await createServer({ services: ['rekor-v1'] })
  first = await add('first')
  second = await add('second')
})
afterAll(() => sigstore.close())

describe('an entry', () => {
  it('is found by its index, with a proof', async () => {
    const found = await readRekorV1EntryAt(`${sigstore.url}/`, first.logIndex)
    expect(found).toMatchObject({ body: first.body, logIndex: first.logIndex, integratedTime: first.integratedTime })
    expect(found?.inclusionProof?.checkpoint).toBeDefined()
  })

  it('is found by its hash, with a proof, whatever else is asked for', async () => {
    const found = await findRekorV1Entries(`${sigstore.url}/`, [none, leafHash(second.body)])
    expect(found).toMatchObject([{ body: second.body, logIndex: second.logIndex }])
    expect(found[0]?.inclusionProof?.checkpoint).toBeDefined()
  })

  it('that the log does not have is no failure', async () => {
    expect(await readRekorV1EntryAt(sigstore.url, 7n)).toBeUndefined()
    expect(await findRekorV1Entries(sigstore.url, [none])).toEqual([])
  })
})

describe('an answer', () => {
  it('with another entry is refused', async () => {
    const answer = await (await fetch(`${sigstore.url}/api/v1/log/entries?logIndex=${second.logIndex}`)).text()
    const liar = await startServer((request, response) => void response.end(request.method === 'GET' ? answer : `[${answer}]`))
    const refusal = { code: 'LOG_ENTRY_MISMATCH', message: expect.stringContaining('is not to be believed') }
    await expect(readRekorV1EntryAt(liar.origin, first.logIndex)).rejects.toMatchObject(refusal)
    await expect(findRekorV1Entries(liar.origin, [leafHash(first.body), none])).rejects.toMatchObject(refusal)
    expect(await findRekorV1Entries(liar.origin, [leafHash(second.body)])).toHaveLength(1)
  })

  it.each([
    [400, '{"code":400,"message":"bad index"}', 'SERVICE_REFUSED', 'refused with status 400: "bad index" when asked for an entry'],
    [200, '{}', 'LOG_ENTRY_INVALID', 'answered 0 entries, one was expected'],
    [200, '<html>', 'JSON_INVALID', 'answered what cannot be used'],
    [302, '', 'NETWORK_FAILED', 'cannot be used'],
  ])('of status %i with %s is refused', async (status, body, code, message) => {
    const service = await startServer((_, response) => response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end(body))
    await expect(readRekorV1EntryAt(service.origin, 0n)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })
})
