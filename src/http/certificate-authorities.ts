/** The certificate authorities that TLS servers are checked against. */
import { readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { messageOf, TransportError, systemCode } from '../error.ts'
import { variableOf } from './environment.ts'
import type { Environment } from './environment.ts'

const pemCertificate = '-----BEGIN CERTIFICATE-----'

/** Names one choice of authorities, so that whatever is made from it can be kept and found again. */
export function certificateAuthoritiesKey(env: Environment): string {
  return [env['SSL_CERT_FILE'], env['SSL_CERT_DIR'], env['NODE_EXTRA_CA_CERTS']].map((value) => value ?? '').join('\0')
}

/**
 * The authorities that the environment asks for, as PEM texts. As in Go, SSL_CERT_FILE and SSL_CERT_DIR (a list of
 * directories) each replace one half of the defaults, so the built-in authorities stay unless both are set;
 * NODE_EXTRA_CA_CERTS adds to whatever the others say.
 * @returns undefined when the environment says nothing: the built-in authorities
 * @throws TransportError FILE_UNREADABLE when a file named cannot be read or holds no certificate
 */
export function certificateAuthorities(env: Environment): readonly string[] | undefined {
  const file = variableOf(env, 'SSL_CERT_FILE')
  const directories = variableOf(env, 'SSL_CERT_DIR')
  const extra = variableOf(env, 'NODE_EXTRA_CA_CERTS')
  if (file === undefined && directories === undefined && extra === undefined) return undefined
  return [
    ...(file === undefined || directories === undefined ? rootCertificates : []),
    ...(file === undefined ? [] : [readCertificates(file, 'SSL_CERT_FILE')]),
    ...(directories === undefined ? [] : readDirectories(directories)),
    ...(extra === undefined ? [] : [readCertificates(extra, 'NODE_EXTRA_CA_CERTS')]),
  ]
}

function readCertificates(path: string, variable: string): string {
  const text = attempt(variable, path, () => readFileSync(path, 'utf8'))
  if (text.includes(pemCertificate)) return text
  throw new TransportError('FILE_UNREADABLE', `${variable} should name a file of PEM certificates, found none in ${path}`)
}

function readDirectories(directories: string): string[] {
  const texts: string[] = []
  for (const directory of directories.split(delimiter)) {
    if (directory === '') continue
    for (const entry of attempt('SSL_CERT_DIR', directory, () => readdirSync(directory, { withFileTypes: true }))) {
      if (entry.isDirectory()) continue
      // OpenSSL's hashed directories also hold CRLs, and links to files that are gone.
      const text = readIfPresent(join(directory, entry.name))
      if (text.includes(pemCertificate)) texts.push(text)
    }
  }
  return texts
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw new TransportError('FILE_UNREADABLE', `a file in SSL_CERT_DIR could not be read: ${messageOf(error)}`, { cause: error })
  }
}

function attempt<T>(variable: string, path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new TransportError('FILE_UNREADABLE', `${variable} names ${path}, which could not be read: ${messageOf(cause)}`, { cause })
  }
}
