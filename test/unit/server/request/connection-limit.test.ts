import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import { describe, expect, test } from 'vitest'
import { limitConnections } from '../../../../src/server/request/connection-limit.ts'

/** A server without a socket, to which anyone connects. */
function limitedServer(max: number) {
  const server = new EventEmitter()
  limitConnections(server as unknown as Server, max)
  return {
    connect: (remoteAddress: string | undefined) => {
      const socket = Object.assign(new EventEmitter(), {
        remoteAddress,
        isOpen: true,
        destroy: () => {
          socket.isOpen = false
          socket.emit('close')
        },
      })
      server.emit('connection', socket)
      return socket
    },
  }
}

describe('the connections of one client', () => {
  test('are so many and no more, whatever others have', () => {
    const { connect } = limitedServer(2)
    expect(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map((address) => connect(address).isOpen)).toEqual([
      true,
      true,
      false,
      true,
    ])
  })

  test('make room for others when they end, once each', () => {
    const { connect } = limitedServer(2)
    const [first] = [connect('192.0.2.1'), connect('192.0.2.1')]
    for (let refused = 0; refused < 5; refused++) expect(connect('192.0.2.1').isOpen).toBe(false)
    first.destroy()
    expect(connect('192.0.2.1').isOpen).toBe(true)
    expect(connect('192.0.2.1').isOpen).toBe(false)
  })

  test('are those of all its IPv6 addresses', () => {
    const { connect } = limitedServer(1)
    expect(['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'].map((address) => connect(address).isOpen)).toEqual([true, false, true])
  })

  test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', undefined])('are any number from %s', (address) => {
    const { connect } = limitedServer(1)
    expect([connect(address).isOpen, connect(address).isOpen]).toEqual([true, true])
  })
})
