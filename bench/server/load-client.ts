/**
 * A load of HTTP requests over kept connections, each of which sends its next request when the last was answered. It reads no
 * more of HTTP than these servers write, so that on a machine with few cores the servers get most of them.
 */
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'

/** What to send, and how. */
export interface LoadOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  /** Sent once each, in this order. */
  readonly bodies: readonly Uint8Array[]
  /** Connections. */
  readonly clients: number
  /** The status of a good answer. */
  readonly expected: number
}

/** How it went. */
export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers with another status, or none; the first of them in words. */
  readonly failures: number
  readonly firstFailure: string | undefined
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** Sends all bodies and measures from the first byte to the last answer. */
export async function applyLoad(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = []
  const failures: string[] = []
  let next = 0
  const client = async (): Promise<void> => {
    const connection = await openConnection(options)
    for (let body = options.bodies[next++]; body !== undefined; body = options.bodies[next++]) {
      const start = performance.now()
      const { status, text } = await connection.send(body)
      latencies.push(performance.now() - start)
      if (status !== options.expected) failures.push(`${status} ${text.slice(0, 300)}`)
    }
    connection.close()
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: options.clients }, client))
  const seconds = (performance.now() - start) / 1000
  latencies.sort((a, b) => a - b)
  return {
    perSecond: (latencies.length - failures.length) / seconds,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    failures: failures.length,
    firstFailure: failures[0],
  }
}

interface Connection {
  send(body: Uint8Array): Promise<Answer>
  close(): void
}

async function openConnection({ host, port, path, contentType, headers }: LoadOptions): Promise<Connection> {
  const socket = createConnection({ host, port, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
  })
  const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Type: ${contentType}\r\n${extra.join('')}Content-Length: `
  return {
    send: async (body) => {
      const answer = readAnswer(socket)
      socket.write(Buffer.concat([Buffer.from(`${head}${body.length}\r\n\r\n`), body]))
      return answer
    },
    close: () => socket.destroy(),
  }
}

/** One answer: its length is announced, or it comes in chunks that end with an empty one. */
function readAnswer(socket: Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const finish = (): void => {
      socket.off('data', take).off('close', fail).off('error', fail)
    }
    const fail = (): void => {
      finish()
      reject(new Error(`the server closed the connection after ${received.length} bytes`))
    }
    const take = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      if (!isComplete(received)) return
      finish()
      resolve({ status: Number(received.toString('latin1', 9, 12)), text: received.toString('utf8', received.indexOf('\r\n\r\n') + 4) })
    }
    socket.on('data', take).on('close', fail).on('error', fail)
  })
}

function isComplete(received: Buffer): boolean {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return false
  const head = received.toString('latin1', 0, end).toLowerCase()
  const length = /\r\ncontent-length: *([0-9]+)/.exec(head)?.[1]
  if (length !== undefined) return received.length >= end + 4 + Number(length)
  return head.includes('transfer-encoding: chunked') ? received.toString('latin1', received.length - 5) === '0\r\n\r\n' : true
}
