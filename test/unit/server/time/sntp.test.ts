import { createSocket } from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import type { TimeAnswer } from '../../../../src/server/time/sntp.ts'
import { askTimeServer } from '../../../../src/server/time/sntp.ts'
import type { TestTimeServer, TimeServerFaults } from './time-server.ts'
import { replyTo, startTimeServer, writeTimestamp } from './time-server.ts'

const steady = (): number => performance.now()
const servers: TestTimeServer[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Clocks tell whole milliseconds. */
const roundedMs = 2

async function ask(faults: TimeServerFaults = {}, clock: () => number = Date.now): Promise<TimeAnswer> {
  const server = await startTimeServer(faults)
  servers.push(server)
  return askTimeServer(server, faults.silent === true ? 300 : 30_000, clock, steady)
}

const bent = (bend: (reply: Buffer) => void): TimeServerFaults => ({
  bend: (reply) => {
    bend(reply)
    return reply
  },
})

describe('a time server', () => {
  it.each([0, 5000, -5000, 86_400_000])('says that it is %d ms ahead', async (offsetMs) => {
    const begun = steady()
    const { offsetMs: found, delayMs } = await ask({ offsetMs })
    const taken = steady() - begun
    expect(Math.abs(found - offsetMs)).toBeLessThanOrEqual(delayMs / 2 + roundedMs)
    expect(delayMs).toBeLessThanOrEqual(taken + roundedMs)
  })

  it('is asked with random bytes in the place of our time', async () => {
    await ask()
    await ask()
    const [first, second] = servers.map((server) => server.questions[0] ?? Buffer.alloc(0))
    expect(first?.subarray(0, 40)).toEqual(Buffer.concat([Buffer.of(0x23), Buffer.alloc(39)]))
    expect(first?.subarray(40).equals(second?.subarray(40) ?? Buffer.alloc(0))).toBe(false)
  })

  it('is understood after the seconds of NTP have begun anew in 2036', async () => {
    const late = Date.UTC(2037, 5, 1)
    const begun = steady()
    const answer = await ask({ offsetMs: late - Date.now() }, () => late)
    expect(Math.abs(answer.offsetMs)).toBeLessThanOrEqual(steady() - begun + roundedMs)
  })

  it.each<[string, TimeServerFaults, string]>([
    ['does not answer', { silent: true }, 'the time server 127.0.0.1 was not reached: no answer within 300 ms'],
    ['answers another question', bent((reply) => reply.fill(7, 24, 32)), 'gave an answer to another question'],
    ['answers in another mode', bent((reply) => reply.writeUInt8(0x23, 0)), 'gave an answer in mode 3, expected 4'],
    ['refuses', bent((reply) => reply.writeUInt8(0, 1)), 'gave an answer of stratum 0: it does not give the time'],
    ['is not synchronised', bent((reply) => reply.writeUInt8(16, 1)), 'gave an answer of stratum 16'],
    ['warns that its clock is not set', bent((reply) => reply.writeUInt8(0xe4, 0)), 'gave an answer that its own clock is not set'],
    ['answers without the time', bent((reply) => reply.fill(0, 40)), 'gave an answer without the time'],
    ['answers before it was asked', bent((reply) => writeTimestamp(reply, 40, 0)), 'gave an answer without the time'],
    ['answers too shortly', { bend: (reply) => reply.subarray(0, 47) }, 'gave an answer of 47 bytes, expected at least 48'],
  ])('is not believed when it %s', async (_, faults, reason) => {
    await expect(ask(faults)).rejects.toMatchObject({ code: 'NETWORK_FAILED', message: expect.stringContaining(reason) as string })
  })

  it('is not believed when its name leads nowhere', async () => {
    await expect(askTimeServer({ host: 'nowhere.invalid' }, 1000, Date.now, steady)).rejects.toMatchObject({
      message: expect.stringContaining('the time server nowhere.invalid was not reached') as string,
    })
  })

  it('is not believed for a packet from somewhere else', async () => {
    const server = await startTimeServer({ silent: true })
    servers.push(server)
    const answer = askTimeServer(server, 1_000, Date.now, steady)
    await expect.poll(() => server.clients, { interval: 5 }).toHaveLength(1)
    const stranger = createSocket('udp4')
    stranger.send(replyTo(server.questions[0] ?? Buffer.alloc(48)), server.clients[0] ?? 0, '127.0.0.1')
    await expect(answer).rejects.toMatchObject({ message: expect.stringContaining('no answer within 1000 ms') as string })
    stranger.close()
  })
})
