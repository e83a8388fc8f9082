/** How many of the server's connections one client may hold: whoever opens all of them would leave none to others. */
import type { Server, Socket } from 'node:net'
import { clientNetwork, isLoopback } from './client-address.ts'

/**
 * Closes connections of a client that has as many as it may. This machine is not limited: what is here can stop the server otherwise.
 * @param server one that clients connect to themselves, not through a proxy
 */
export function limitConnections(server: Pick<Server, 'on'>, max: number): void {
  const held = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    // Without an address it is gone already.
    if (remoteAddress === undefined || isLoopback(remoteAddress)) return
    const client = clientNetwork(remoteAddress)
    const count = held.get(client) ?? 0
    if (count >= max) {
      socket.destroy()
      return
    }
    held.set(client, count + 1)
    socket.once('close', () => {
      const rest = (held.get(client) ?? 1) - 1
      if (rest === 0) held.delete(client)
      else held.set(client, rest)
    })
  })
}
