/** Addresses as messages name them. */

/**
 * An address without its credentials and its query, which may hold some. What is no http:// or https:// address stays as it is.
 */
export function withoutSecrets(address: string): string {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return address
  const { protocol, host, pathname } = new URL(address)
  return `${protocol}//${host}${pathname}`
}
