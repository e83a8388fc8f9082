/** Entries that a log has already: as good as new ones, wherever they have to be read from. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeProposedEntry } from '../../../src/api/rekor-v1-proposal.ts'
import type { ProposedEntry } from '../../../src/api/rekor-v1-proposal.ts'
import type { CreateEntryRequest } from '../../../src/api/rekor-v2.ts'
import { addRekorV1Entry } from '../../../src/clients/rekor-v1.ts'
import { addRekorV2Entry } from '../../../src/clients/rekor-v2.ts'
import { digest } from '../../../src/crypto/digest.ts'
import { generateSigner } from '../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../src/crypto/public-key.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { PrivateSigstore } from '../../../src/server/index.ts'
import { createServer as createSigstore } from '../../../src/server/index.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { verifyInclusion } from '../../../src/merkle/inclusion-proof.ts'
import { leafHash } from '../../../src/merkle/hash.ts'
import { startServer } from '../http/test-server.ts'

const signer = generateSigner('ecdsa-p256')

function requestV2(text: string): CreateEntryRequest {
  const bytes = encodeUtf8(text)
  const verifier = { kind: 'public-key', der: signer.publicKey.spki, keyDetails: 'PKIX_ECDSA_P256_SHA_256' } as const
  return { kind: 'hashedrekord', digest: digest('sha256', bytes), signature: signer.sign(bytes), verifier }
}

function proposalV1(text: string): ProposedEntry {
  const bytes = encodeUtf8(text)
  return {
    kind: 'hashedrekord',
    digest: { algorithm: 'sha256', value: digest('sha256', bytes) },
    signature: signer.sign(bytes),
    verifier: encodePublicKeyPem(signer.publicKey),
  }
}

let sigstore: PrivateSigstore
beforeAll(async () => {
  sigstore = await createSigstore({ services: ['rekor-v1', 'rekor-v2'] })
})
afterAll(() => sigstore.close())

/** Passes requests on to the log; those to add an entry are answered with a conflict. */
function conflicting(conflict: (response: ServerResponse) => void): (request: IncomingMessage, response: ServerResponse) => void {
  const passOn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await fetch(`${sigstore.url}${request.url}`)
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()))
  }
  return (request, response) => (request.method === 'POST' ? conflict(response) : void passOn(request, response))
}

describe('Rekor v1', () => {
  it('is asked for the entry that it has already, by its own log and not by mine', async () => {
    const proposal = proposalV1('once')
    const first = await addRekorV1Entry(sigstore.url, proposal)
    const again = await addRekorV1Entry(sigstore.url, proposal)
    expect(again).toMatchObject({ logIndex: first.logIndex, body: first.body })
    expect(again.signedEntryTimestamp).toBeDefined()
  })

  it.each([
    ['another host', (id: string) => ({ location: `http://evil.example/api/v1/log/entries/${id}` }), ''],
    ['the message alone', () => ({}), 'an equivalent entry already exists in the transparency log with UUID '],
  ])('is asked itself, when the conflict names %s', async (_, headers, message) => {
    const answer = await fetch(`${sigstore.url}/api/v1/log/entries`, {
      method: 'POST',
      body: encodeProposedEntry(proposalV1('named')),
    })
    const id = answer.headers.get('etag') ?? ''
    const proxy = await startServer(
      conflicting((response) => {
        response.writeHead(409, headers(id))
        response.end(JSON.stringify({ code: 409, message: `${message}${id}` }))
      }),
    )
    expect((await addRekorV1Entry(proxy.origin, proposalV1('named'))).kind).toBe('hashedrekord')
    expect(proxy.requests).toContain(`GET /api/v1/log/entries/${id}`)
  })

  it('that names no entry has refused', async () => {
    const proxy = await startServer((_, response) => {
      response.writeHead(409, { location: '/api/v1/log/entries/../../secret' })
      response.end('{"code":409,"message":"an equivalent entry already exists"}')
    })
    await expect(addRekorV1Entry(proxy.origin, proposalV1('x'))).rejects.toMatchObject({
      code: 'SERVICE_REFUSED',
      message: expect.stringContaining('refused with status 409: "an equivalent entry already exists"'),
    })
    expect(proxy.requests).toHaveLength(1)
  })
})

describe('Rekor v2', () => {
  it('is read, when it says which entry it has already: body, checkpoint and a proof that holds', async () => {
    const request = requestV2('tiled')
    // So that the entry is somewhere inside of the tree.
    for (let at = 0; at < 5; at++) await addRekorV2Entry(sigstore.url, requestV2(`before ${at}`))
    const first = await addRekorV2Entry(sigstore.url, request)
    for (let at = 0; at < 6; at++) await addRekorV2Entry(sigstore.url, requestV2(`after ${at}`))
    const { logIndex } = first
    const proxy = await startServer(
      conflicting((response) => {
        response.writeHead(409, { 'x-log-index': String(logIndex) })
        response.end(JSON.stringify({ code: 6, message: 'duplicate', details: [] }))
      }),
    )
    const [log] = loadTrustMaterial(sigstore.trustedRoot).logs
    const entry = await addRekorV2Entry(proxy.origin, request, { logId: log?.logId })
    expect(entry).toMatchObject({ logIndex, body: first.body, kind: 'hashedrekord', version: '0.0.2', integratedTime: 0n })
    const proof = entry.inclusionProof
    if (proof === undefined) throw new Error('there is no proof')
    expect(proof.treeSize).toBeGreaterThan(logIndex)
    expect(() =>
      verifyInclusion({
        leafHash: leafHash(entry.body),
        leafIndex: logIndex,
        treeSize: proof.treeSize,
        proof: proof.hashes,
        root: proof.rootHash,
      }),
    ).not.toThrow()
  })

  it('has refused when it does not say which, or nobody knows the log', async () => {
    const proxy = await startServer((_, response) => {
      response.writeHead(409, { 'x-log-index': '7' })
      response.end('{"code":6,"message":"duplicate"}')
    })
    await expect(addRekorV2Entry(proxy.origin, requestV2('x'))).rejects.toMatchObject({ code: 'SERVICE_REFUSED' })
    expect(proxy.requests).toHaveLength(1)
  })

  it('is given at least twenty seconds, whatever the caller thinks', async () => {
    const proxy = await startServer((_, response) => void setTimeout(() => response.writeHead(400).end('{"code":3,"message":"late"}'), 400))
    await expect(addRekorV2Entry(proxy.origin, requestV2('x'), { timeoutMs: 100 })).rejects.toMatchObject({
      message: expect.stringContaining('late'),
    })
  })

  it('is given up when the caller stops', async () => {
    const proxy = await startServer(() => undefined)
    const stop = new AbortController()
    const adding = addRekorV2Entry(proxy.origin, requestV2('x'), { signal: stop.signal })
    setTimeout(() => stop.abort(), 50)
    await expect(adding).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
