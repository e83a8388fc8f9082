/** Where the socket of a connection leads. */

/** The parts of an address that Node connects by. */
export function destination(url: URL): { protocol: string; hostname: string; port: number } {
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  return { protocol: url.protocol, hostname, port }
}
