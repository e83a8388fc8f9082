/** A client for SNTP (RFC 4330, RFC 5905 section 14): one question to one time server. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { equalBytes } from '../../encoding/bytes.ts'
import { TransportError, messageOf } from '../../error.ts'
import type { Clock } from '../clock.ts'

/** Where a time server listens. */
export interface TimeServer {
  readonly host: string
  /** 123 by default. */
  readonly port?: number
}

/** What a time server says. */
export interface TimeAnswer {
  /** How far its clock is ahead of ours, in milliseconds. */
  readonly offsetMs: number
  /** How long question and answer were under way: the offset is wrong by up to half of it. */
  readonly delayMs: number
}

/** Gives milliseconds that pass evenly, from any beginning. */
export type SteadyClock = () => number

const packetSize = 48
/** Seconds from 1900, where NTP counts from, to 1970. */
const epochSeconds = 2_208_988_800
const eraSeconds = 2 ** 32

/**
 * Asks a time server.
 * @throws TransportError NETWORK_FAILED when there is no usable answer within the time
 */
export async function askTimeServer(server: TimeServer, timeoutMs: number, clock: Clock, steady: SteadyClock): Promise<TimeAnswer> {
  // Whoever can answer with these bytes has seen the question. They say nothing about our clock.
  const cookie = randomBytes(8)
  const askedAt = clock()
  const askedSteady = steady()
  const reply = await exchange(server, question(cookie), timeoutMs)
  const delayed = steady() - askedSteady
  const { received, sent } = readReply(reply, cookie, server)
  // A step of our own clock in between must not count: the second instant is the first one and what has passed since.
  const answeredAt = askedAt + delayed
  return { offsetMs: (received - askedAt + (sent - answeredAt)) / 2, delayMs: delayed - (sent - received) }
}

/** No leap warning, version 4, mode 3: a client. */
function question(cookie: Uint8Array): Uint8Array {
  const packet = new Uint8Array(packetSize)
  packet[0] = 0x23
  packet.set(cookie, 40)
  return packet
}

/** The server's receive and transmit timestamps, in epoch milliseconds. */
function readReply(reply: Buffer, cookie: Uint8Array, server: TimeServer): { readonly received: number; readonly sent: number } {
  if (reply.length < packetSize) throw unusable(server, `an answer of ${reply.length} bytes, expected at least ${packetSize}`)
  const leap = (reply[0] ?? 0) >> 6
  const mode = (reply[0] ?? 0) & 0x07
  const stratum = reply[1] ?? 0
  if (mode !== 4) throw unusable(server, `an answer in mode ${mode}, expected 4`)
  if (!equalBytes(reply.subarray(24, 32), cookie)) throw unusable(server, 'an answer to another question')
  // RFC 5905 section 7.4: stratum 0 is a refusal, with its reason in four letters.
  if (stratum === 0 || stratum > 15) throw unusable(server, `an answer of stratum ${stratum}: it does not give the time`)
  if (leap === 3) throw unusable(server, 'an answer that its own clock is not set')
  const received = readTimestamp(reply, 32)
  const sent = readTimestamp(reply, 40)
  if (received === undefined || sent === undefined || sent < received) throw unusable(server, 'an answer without the time')
  return { received, sent }
}

/** A timestamp of 32 bits of seconds and 32 of fraction, in epoch milliseconds; undefined for none. */
function readTimestamp(reply: Buffer, at: number): number | undefined {
  const seconds = reply.readUInt32BE(at)
  const fraction = reply.readUInt32BE(at + 4)
  if (seconds === 0 && fraction === 0) return undefined
  // RFC 4330 section 3: the seconds begin anew in 2036, and a first bit that is not set is of after that.
  const era = seconds < 2 ** 31 ? eraSeconds : 0
  return (era + seconds - epochSeconds + fraction / eraSeconds) * 1000
}

function exchange(server: TimeServer, packet: Uint8Array, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: server.host.includes(':') ? 'udp6' : 'udp4' })
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    const end = (): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.close()
    }
    const fail = (cause: Error): void => {
      end()
      reject(new TransportError('NETWORK_FAILED', `the time server ${server.host} was not reached: ${messageOf(cause)}`, { cause }))
    }
    socket.once('error', fail)
    socket.once('message', (message) => {
      end()
      resolve(message)
    })
    socket.once('connect', () => socket.send(packet))
    // Connected, the socket takes packets from this server's address alone.
    socket.connect(server.port ?? 123, server.host)
  })
}

function unusable({ host }: TimeServer, what: string): TransportError {
  return new TransportError('NETWORK_FAILED', `the time server ${host} gave ${what}`)
}
