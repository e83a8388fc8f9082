/**
 * The least that a log of hashedrekords can do: parse the request, verify the signature over the digest, write a batch durably,
 * sign once for the batch, answer. No tree, no proofs, no certificate, no checks but the signature.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateSigner } from '../../../src/crypto/private-key.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { verifyDigest } from '../../../src/crypto/signature.ts'

interface Waiting {
  readonly body: Buffer
  readonly response: ServerResponse
}

interface HashedRekordRequest {
  readonly hashedRekordRequestV002: {
    readonly digest: string
    readonly signature: { readonly content: string; readonly verifier: { readonly publicKey: { readonly rawBytes: string } } }
  }
}

/** Starts the daemon on a free port. @param file where entries are kept */
export async function startBareDaemon(file: string): Promise<number> {
  const journal = await open(file, 'a')
  const signer = generateSigner('ed25519')
  let waiting: Waiting[] = []
  let isWriting = false
  let size = 0

  const writeBatches = async (): Promise<void> => {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      const bytes = Buffer.concat(batch.map(({ body }) => body))
      await journal.appendFile(bytes)
      await journal.datasync()
      const signature = Buffer.from(signer.sign(createHash('sha256').update(bytes).digest())).toString('base64')
      for (const { response } of batch) answer(response, 201, { logIndex: String(size++), signature })
    }
    isWriting = false
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      if (!isSigned(body)) return answer(response, 400, { message: 'the signature does not verify' })
      waiting.push({ body, response })
      if (!isWriting) void writeBatches()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function isSigned(body: Buffer): boolean {
  const { digest, signature } = (JSON.parse(body.toString()) as HashedRekordRequest).hashedRekordRequestV002
  const key = parsePublicKey(Buffer.from(signature.verifier.publicKey.rawBytes, 'base64'))
  return verifyDigest(key, 'ecdsa-sha256', Buffer.from(digest, 'base64'), Buffer.from(signature.content, 'base64'))
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}
