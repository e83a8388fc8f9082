/** Sentences for what goes wrong between here and a server. */
import { messageOf, TransportError, systemCode } from '../error.ts'

const unknownAuthority =
  'its TLS certificate is from an authority that is not trusted here; set SSL_CERT_FILE to a PEM file that holds the authority'
const sentences: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'its name could not be resolved; check the name, or set HTTPS_PROXY if this network needs a proxy'],
  ['EAI_AGAIN', 'its name could not be resolved now; check the network, or set HTTPS_PROXY if this network needs a proxy'],
  ['ECONNREFUSED', 'the connection was refused; check the address and that the server is running'],
  ['ECONNRESET', 'the connection was closed before the answer was complete'],
  ['EPIPE', 'the connection was closed before the request was complete'],
  ['ETIMEDOUT', 'the connection timed out; check the network, or set HTTPS_PROXY if this network needs a proxy'],
  ['EHOSTUNREACH', 'there is no route to it; check the network, or set HTTPS_PROXY if this network needs a proxy'],
  ['ENETUNREACH', 'there is no route to it; check the network, or set HTTPS_PROXY if this network needs a proxy'],
  ['CERT_HAS_EXPIRED', "its TLS certificate has expired; the server's operator must renew it, or this machine's clock is wrong"],
  ['CERT_NOT_YET_VALID', "its TLS certificate is not valid yet; check this machine's clock"],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its TLS certificate is for another name; check the address'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', unknownAuthority],
  ['SELF_SIGNED_CERT_IN_CHAIN', unknownAuthority],
  ['UNABLE_TO_GET_ISSUER_CERT', unknownAuthority],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', unknownAuthority],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', unknownAuthority],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS; check whether the address should start with http://'],
])

const transientCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
])

/** Whether the same request may succeed a moment later: the connection failed, not the protocol or the certificate. */
export function isTransient(error: unknown): boolean {
  return transientCodes.has(codeOf(error))
}

/** The TransportError NETWORK_FAILED for a request that got no answer: the host, what happened, and what to do about it. */
export function networkFailure(url: URL, error: unknown, attempts: number): TransportError {
  const code = codeOf(error)
  const tried = attempts > 1 ? ` after ${attempts} attempts` : ''
  const reason = sentences.get(code) ?? excerptOf(messageOf(error))
  const suffix = code === '' || !sentences.has(code) ? '' : ` (${code})`
  return new TransportError('NETWORK_FAILED', `could not reach ${url.host}${tried}: ${reason}${suffix}`, { cause: error })
}

/** An error of the connection kind for an answer that ended before it was complete. */
export function truncated(): Error {
  return Object.assign(new Error('the connection was closed before the answer was complete'), { code: 'ECONNRESET' })
}

function codeOf(error: unknown): string {
  const code = systemCode(error)
  // Node 20 has one code for every error of the TLS protocol.
  return code === 'EPROTO' && /wrong version number/.test(messageOf(error)) ? 'ERR_SSL_WRONG_VERSION_NUMBER' : code
}

/** OpenSSL's messages span lines and name its source files at the end. */
function excerptOf(message: string): string {
  return message.replaceAll(/\s+/g, ' ').trim().slice(0, 120)
}
