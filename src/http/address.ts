/** Addresses as messages name them. */

/**
 * An address without its credentials and its query, which may hold some, also where it was mistyped. What is no address stays as it is; of
 * schemes other than http and https the query does, too.
 */
export function withoutSecrets(address: string): string {
  const isWeb = /^https?:\/\//i.test(address)
  if (isWeb && URL.canParse(address) && !/[\s\\]/.test(address)) {
    const { protocol, host, pathname } = new URL(address)
    return `${protocol}//${host}${pathname}`
  }
  // A password may have any of the characters that end it in an address, which is why this is none.
  const bare = address.replace(/^([a-z][a-z0-9+.-]*:\/\/).*@/is, '$1')
  return isWeb ? bare.replace(/[?#].*/s, '') : bare
}
