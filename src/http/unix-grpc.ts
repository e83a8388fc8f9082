/** One gRPC call over a Unix socket: HTTP/2 without TLS, one message each way (gRPC over HTTP/2, "Requests" and "Responses"). */
import { connect as connectHttp2 } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { concatBytes, excerpt } from '../encoding/bytes.ts'
import { messageOf, TransportError } from '../error.ts'
import { startDeadline } from './deadline.ts'

export interface GrpcCall {
  /** The path of the socket. */
  readonly socket: string
  /** `/Service/Method`. */
  readonly method: string
  readonly metadata?: Readonly<Record<string, string>>
  /** The request message, as protobuf. */
  readonly message: Uint8Array
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

/** A flag and the length go before each message. */
const prefixBytes = 5

/**
 * Makes the call. For a method that answers with a stream, the first message counts.
 * @returns the response message, as protobuf
 * @throws TransportError NETWORK_FAILED, TOO_LARGE, ABORTED
 */
export async function callGrpc(call: GrpcCall): Promise<Uint8Array> {
  const deadline = startDeadline(`the request to ${call.socket}`, call.timeoutMs, call.signal)
  const session = connectHttp2('http://localhost', { createConnection: () => connectSocket(call.socket) })
  try {
    return await exchangeMessage(session, call, deadline.signal)
  } catch (cause) {
    if (deadline.failure !== undefined) throw deadline.failure
    if (cause instanceof TransportError) throw cause
    throw new TransportError('NETWORK_FAILED', `could not reach ${call.socket}: ${messageOf(cause)}`, { cause })
  } finally {
    deadline.stop()
    session.destroy()
  }
}

function exchangeMessage(session: ClientHttp2Session, call: GrpcCall, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    session.once('error', reject)
    const abort = (): void => session.destroy(new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    session.once('close', () => signal.removeEventListener('abort', abort))
    const stream = session.request({
      ':method': 'POST',
      ':path': call.method,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...call.metadata,
    })
    receiveMessage(stream, call, resolve, reject)
    const prefix = Buffer.alloc(prefixBytes)
    prefix.writeUInt32BE(call.message.length, 1)
    stream.end(concatBytes(prefix, call.message))
  })
}

function receiveMessage(
  stream: ClientHttp2Stream,
  { method, maxBytes }: GrpcCall,
  resolve: (message: Uint8Array) => void,
  reject: (error: Error) => void,
): void {
  let received = Buffer.alloc(0)
  const checkStatus = (headers: IncomingHttpHeaders): void => {
    const status = headers['grpc-status']
    if (status !== undefined && status !== '0') reject(refused(method, String(status), headers['grpc-message']))
    else if (headers[':status'] !== undefined && Number(headers[':status']) !== 200)
      reject(refused(method, `HTTP ${String(headers[':status'])}`))
  }
  stream.on('response', checkStatus)
  stream.on('trailers', checkStatus)
  stream.on('error', reject)
  stream.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    if (received.length < prefixBytes) return
    const length = received.readUInt32BE(1)
    if (received[0] !== 0) reject(new TransportError('NETWORK_FAILED', `${method} answered in a compression that was not asked for`))
    else if (length > maxBytes)
      reject(new TransportError('TOO_LARGE', `${method} answered with ${length} bytes, more than the limit of ${maxBytes}`))
    else if (received.length >= prefixBytes + length) resolve(received.subarray(prefixBytes, prefixBytes + length))
  })
  stream.on('end', () => reject(new TransportError('NETWORK_FAILED', `${method} answered with no message`)))
}

function refused(method: string, status: string, message?: string | readonly string[]): TransportError {
  const said = typeof message === 'string' && message !== '' ? `: ${excerpt(message, 200)}` : ''
  return new TransportError('NETWORK_FAILED', `${method} was refused with status ${status}${said}`)
}
