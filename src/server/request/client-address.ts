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
    const last = forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim()
    if (isIP(last) !== 0) return last
  }
  return connection ?? 'unknown'
}

/** Whether the address is of this machine. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) !== 0 && /^(?:::ffff:)?127\./.test(address))
}
