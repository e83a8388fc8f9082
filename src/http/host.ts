/** Hosts of URLs: which of them are this machine, or a private network. */
import { BlockList, isIP, isIPv4 } from 'node:net'

/** Whether the host is this machine: `localhost` or a loopback address. */
export function isLoopbackHost(host: string): boolean {
  const name = bareHost(host)
  return name === 'localhost' || (isIPv4(name) && name.startsWith('127.')) || isSameAddress(name, '::1')
}

/** Whether the host is an address of a private network (RFC 1918), or a name of multicast DNS. */
export function isPrivateHost(host: string): boolean {
  const name = bareHost(host)
  return name.endsWith('.local') || ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].some((range) => isInRange(name, range))
}

/**
 * What means something else, or nothing, to others: link-local networks, those of carriers, and IPv4 in the clothes of IPv6 (RFC 4291 section 2.5.5,
 * RFC 6052), which no service is published by.
 */
const internalRanges = ['0.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', 'fc00::/7', 'fe80::/10', '::/96', '::ffff:0:0/96', '64:ff9b::/96']

/** Whether the host means something else, or nothing, to others: this machine, private and link-local networks. */
export function isInternalHost(host: string): boolean {
  const name = bareHost(host).replace(/\.$/, '')
  return (
    isLoopbackHost(name) || isPrivateHost(name) || name.endsWith('.localhost') || internalRanges.some((range) => isInRange(name, range))
  )
}

/** Whether an address lies in a CIDR range; never for what is no address. */
export function isInRange(host: string, range: string): boolean {
  const [network = '', length = ''] = range.split('/')
  const family = isIP(network)
  if (family === 0 || isIP(host) !== family || !/^[0-9]{1,3}$/.test(length)) return false
  if (Number(length) > (family === 4 ? 32 : 128)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(length), familyName(family))
  return list.check(host, familyName(family))
}

/** Whether both are the same address, however written. */
export function isSameAddress(a: string, b: string): boolean {
  const family = isIP(a)
  if (family === 0 || isIP(b) !== family) return false
  const list = new BlockList()
  list.addAddress(a, familyName(family))
  return list.check(b, familyName(family))
}

/** An IPv6 address without its brackets. */
export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}

function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6'
}
