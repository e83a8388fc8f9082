/** Asks a timestamp authority (RFC 3161) for a timestamp. */
import { randomBytes } from 'node:crypto'
import { encodeTimestampRequest, parseTimestampReply, timestampNonce, timestampQueryType, timestampReplyType } from '../api/timestamp.ts'
import { digest } from '../crypto/digest.ts'
import { equalBytes, excerpt } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { parseTimestampResponse } from '../x509/timestamp-token.ts'
import { ask, readAnswer, refusal } from './service.ts'
import type { ServiceOptions } from './service.ts'

const timeoutMs = 30_000
const maxReplyBytes = 128 * 1024
const defaultPath = '/api/v1/timestamp'

/**
 * Gets a timestamp of these bytes. The answer must be about them and about this request; whether its signer is trusted is not
 * looked at.
 * @param url the whole address, as signing configs have it; without a path, that of Sigstore's authorities is meant
 * @returns the TimeStampResp, DER
 * @throws CountersignError SERVICE_REFUSED, TIMESTAMP_INVALID or DER_INVALID for an answer that is no timestamp of these bytes;
 * TransportError as `ask`
 */
export async function requestTimestamp(url: string, stamped: Uint8Array, options: ServiceOptions = {}): Promise<Uint8Array> {
  const service = { kind: 'timestamp authority', url }
  const imprint = { algorithm: 'sha256', digest: digest('sha256', stamped) } as const
  const nonce = timestampNonce(BigInt(`0x${randomBytes(8).toString('hex')}`))
  const body = encodeTimestampRequest({ imprint, certReq: true, nonce })
  const headers = { 'content-type': timestampQueryType, accept: timestampReplyType }
  const address = new URL(url).pathname === '/' ? new URL(defaultPath, url).href : url
  const response = await ask(service, address, { method: 'POST', headers, body, timeoutMs, maxBytes: maxReplyBytes }, options)
  // Authorities of before 2024 answer 201.
  if (response.status !== 200 && response.status !== 201) throw refusal(service, response)
  return readAnswer(service, () => {
    const reply = parseTimestampReply(response.body)
    if (reply.status === 'rejected') {
      throw new CountersignError('SERVICE_REFUSED', `it refused the request (status ${reply.code}): ${excerpt(reply.text, 200)}`)
    }
    const token = parseTimestampResponse(response.body)
    if (token.imprint.algorithm !== imprint.algorithm || !equalBytes(token.imprint.digest, imprint.digest)) {
      throw new CountersignError('TIMESTAMP_INVALID', 'the timestamp is of other bytes than the signature')
    }
    if (token.nonce === undefined || !equalBytes(token.nonce, nonce)) {
      throw new CountersignError('TIMESTAMP_INVALID', 'the timestamp does not repeat the nonce of the request, so it may be an old one')
    }
    return response.body
  })
}
