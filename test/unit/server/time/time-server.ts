/** A time server on a free port of this machine, right and wrong. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** What is wrong with its answers. */
export interface TimeServerFaults {
  /** How far its clock is ahead, in milliseconds. */
  readonly offsetMs?: number
  readonly silent?: boolean
  readonly bend?: (reply: Buffer) => Buffer
}

export interface TestTimeServer {
  readonly host: string
  readonly port: number
  /** The questions that came, and the ports that they came from. */
  readonly questions: Buffer[]
  readonly clients: number[]
  close(): void
}

export async function startTimeServer({
  offsetMs = 0,
  silent = false,
  bend = (reply) => reply,
}: TimeServerFaults = {}): Promise<TestTimeServer> {
  const socket = createSocket('udp4')
  const questions: Buffer[] = []
  const clients: number[] = []
  socket.on('message', (question, from) => {
    questions.push(question)
    clients.push(from.port)
    if (silent) return
    socket.send(bend(replyTo(question, offsetMs)), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  let open = true
  const close = (): void => {
    if (open) socket.close()
    open = false
  }
  return { host: '127.0.0.1', port: socket.address().port, questions, clients, close }
}

/** A right answer. */
export function replyTo(question: Buffer, offsetMs = 0): Buffer {
  const reply = Buffer.alloc(48)
  reply[0] = 0x24
  reply[1] = 2
  question.copy(reply, 24, 40, 48)
  writeTimestamp(reply, 32, Date.now() + offsetMs)
  writeTimestamp(reply, 40, Date.now() + offsetMs)
  return reply
}

/** Writes an instant in epoch milliseconds as NTP has it: seconds since 1900, modulo 2^32, and their fraction. */
export function writeTimestamp(packet: Buffer, at: number, instantMs: number): void {
  const seconds = Math.floor(instantMs / 1000) + 2_208_988_800
  packet.writeUInt32BE(seconds % 2 ** 32, at)
  packet.writeUInt32BE(Math.floor(((instantMs % 1000) / 1000) * 2 ** 32), at + 4)
}
