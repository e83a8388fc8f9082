/** A log as it was in the time of cosign 1: it takes attestations as entries of intoto 0.0.1, which our own server does not, and promises them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import { namedKey, signWith, digestOf } from '../support/universe/keys.ts'
import { canonical } from '../support/universe/logs.ts'

export interface FirstIntotoLog {
  readonly url: string
  /** PEM. */
  readonly publicKey: string
  stop(): Promise<void>
}

interface Proposal {
  readonly spec: { readonly content: { readonly envelope: string }; readonly publicKey: string }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const hash = (bytes: Uint8Array): object => ({ algorithm: 'sha256', value: hex(digestOf('sha256', bytes)) })

/** Starts it on a port of its own. */
export async function startFirstIntotoLog(): Promise<FirstIntotoLog> {
  const key = namedKey('first intoto log')
  const logID = hex(digestOf('sha256', key.spki))
  const answerTo = ({ spec: { content, publicKey } }: Proposal): object => {
    const { payload } = JSON.parse(content.envelope) as { payload: string }
    const hashes = { hash: hash(encodeUtf8(content.envelope)), payloadHash: hash(Buffer.from(payload, 'base64')) }
    const leaf = encodeUtf8(canonical({ apiVersion: '0.0.1', kind: 'intoto', spec: { content: hashes, publicKey } }))
    const entry = { body: Buffer.from(leaf).toString('base64'), integratedTime: Math.floor(Date.now() / 1000), logID, logIndex: 5 }
    const signedEntryTimestamp = Buffer.from(signWith(key, encodeUtf8(canonical(entry)))).toString('base64')
    const name = hex(digestOf('sha256', Uint8Array.of(0), leaf))
    return { [name]: { ...entry, verification: { signedEntryTimestamp } } }
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
    request.on('end', () => {
      const isEntry = request.method === 'POST' && request.url === '/api/v1/log/entries'
      response.writeHead(isEntry ? 201 : 404, { 'content-type': 'application/json' })
      response.end(isEntry ? JSON.stringify(answerTo(JSON.parse(body) as Proposal)) : '{"code":404,"message":"not here"}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publicKey: key.pem,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
