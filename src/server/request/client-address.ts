/** Who sent a request. */
import { isIP } from 'node:net'

/**
 * The address of the client.
 * @param connection the address at the other end of the connection
 * @param forwardedFor the `X-Forwarded-For` header, believed only where a proxy of ours stands in front (`--behind-proxy`): its last
 *   element is the one that the proxy added
 */
export function clientAddress(connection: string | undefined, forwardedFor: string | undefined, behindProxy: boolean): string {
  if (behindProxy && forwardedFor !== undefined) {
    const last = withoutPort(forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim())
    if (isIP(last) !== 0) return last
  }
  return connection ?? 'unknown'
}

/** Some proxies write the port of the client too, and an IPv6 address in brackets. */
function withoutPort(text: string): string {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/.exec(text) ?? []
  return bracketed ?? plain ?? text
}

/** Whether the address is of this machine. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) !== 0 && /^(?:::ffff:)?127\./.test(address))
}

/**
 * What stands for a client where clients are counted: its address, or for IPv6 the network of 64 bits that one customer has at least
 * and can take any address of.
 */
export function clientNetwork(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [withoutZone = ''] = address.split('%')
  if (isIP(withoutZone) !== 6) return address
  // Writes it in one way: lower case, the longest run of zeros left out.
  const [head = '', tail] = new URL(`http://[${withoutZone}]`).hostname.slice(1, -1).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  return `${groups.slice(0, 4).join(':')}::/64`
}
