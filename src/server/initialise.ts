/** `server init`: a new server in an empty folder. */
import type { KeyKind } from '../crypto/private-key.ts'
import { UsageError } from '../error.ts'
import type { Clock } from './clock.ts'
import { isInitialised, namesIn, removeMade } from './data-folder.ts'
import type { CertifiedKey } from './material.ts'
import { createMaterial } from './material.ts'
import { writeMaterial } from './material-files.ts'

export interface InitialiseOptions {
  readonly folder: string
  /** Scheme, host and port that clients will use. */
  readonly url: string
  /** Encrypts the private keys. */
  readonly passphrase: string | undefined
  readonly clock: Clock
  readonly rootKey?: KeyKind | undefined
  readonly issuingKey?: KeyKind | undefined
  /** A certificate authority that exists, instead of a new one. */
  readonly existingCa?: Pick<CertifiedKey, 'key' | 'chain'> | undefined
}

/**
 * Makes keys, certificates and configuration. The configuration is written last: what was interrupted is done anew, and what failed
 * leaves nothing behind.
 * @returns what takes the server away again, for when the rest of its making fails
 * @throws UsageError USAGE when there is a server already, or the URL is none; CountersignError FILE_UNREADABLE when something
 *   else is in the folder; TransportError FILE_UNWRITABLE
 */
export async function initialise(options: InitialiseOptions): Promise<() => Promise<void>> {
  const { folder, passphrase, clock, rootKey, issuingKey, existingCa } = options
  const url = checkUrl(options.url)
  if (await isInitialised(folder))
    throw new UsageError('USAGE', `there is a server in ${folder} already: start it, or name another folder with --data`)
  const material = createMaterial({
    hostname: new URL(url).hostname,
    now: clock(),
    ...(rootKey === undefined ? {} : { rootKey }),
    ...(issuingKey === undefined ? {} : { issuingKey }),
    ...(existingCa === undefined ? {} : { existingCa }),
  })
  const before = await namesIn(folder)
  const undo = (): Promise<void> => removeMade(folder, before)
  try {
    await writeMaterial(material, { folder, url, passphrase, issuers: defaultIssuers(url) })
  } catch (error) {
    await undo()
    throw error
  }
  return undo
}

/** The origin that a URL names. @throws UsageError USAGE */
export function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
  if (!isOrigin || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // Clients build Fulcio's address from the host alone, so no path may stand before it.
    throw new UsageError('USAGE', `--url takes scheme, host and port, such as https://sigstore.example.com, found ${text}`)
  }
  return url.origin
}

/** Fulcio's configuration of issuers: the server's own, and how to add others. */
export function defaultIssuers(url: string): string {
  return `# Whose identity tokens get certificates: Fulcio's own configuration format, read again when it changes.
oidc-issuers:
  ${url}/oidc:
    issuer-url: ${url}/oidc
    client-id: sigstore
    type: email
    description: this server's own users and machines
#  https://token.actions.githubusercontent.com:
#    issuer-url: https://token.actions.githubusercontent.com
#    client-id: sigstore
#    type: ci-provider
#    ci-provider: github-workflow
#  https://accounts.google.com:
#    issuer-url: https://accounts.google.com
#    client-id: sigstore
#    type: email
`
}
