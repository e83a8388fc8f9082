/** What GitHub and GitLab have in common: a token from the environment, an address that may be of an installation of one's own, and three secrets. */
import type { ServiceName, ServiceRequest } from '../../clients/service.ts'
import { ask, endpoint, refusal } from '../../clients/service.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, messageOf, UsageError } from '../../error.ts'
import { withoutSecrets } from '../../http/address.ts'
import type { Environment, HttpResponse } from '../../http/fetch.ts'
import { variableOf } from '../../http/environment.ts'
import type { KeyPairSecrets, SecretStoreOptions } from '../secret-store.ts'

/** The names that cosign gives the secrets, and what it calls them when they are written. */
export const secretNames = {
  password: 'COSIGN_PASSWORD',
  privateKey: 'COSIGN_PRIVATE_KEY',
  publicKey: 'COSIGN_PUBLIC_KEY',
} as const

/** A server, and how it is asked. */
export interface Forge {
  readonly service: ServiceName
  /**
   * Asks it.
   * @param path below the base of its API
   * @returns the answer of these statuses
   * @throws CountersignError SERVICE_REFUSED for any other; TransportError
   */
  ask(method: string, path: string, wanted: readonly number[], body?: Readonly<Record<string, unknown>>): Promise<HttpResponse>
}

interface ForgeOptions extends SecretStoreOptions {
  readonly service: ServiceName
  readonly headers: Readonly<Record<string, string>>
  /** What to check when it refuses, in brackets. */
  readonly advice: (status: number) => string
}

const timeoutMs = 30_000
const maxAnswerBytes = 1024 * 1024

/** A server of this address, with these credentials. */
export function createForge({ service, headers, advice, env, signal }: ForgeOptions): Forge {
  const options = { env, ...(signal === undefined ? {} : { signal }) }
  return {
    service,
    async ask(method, path, wanted, body) {
      const asked: ServiceRequest = {
        method,
        headers: { accept: 'application/json', ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        timeoutMs,
        maxBytes: maxAnswerBytes,
        // What creates something does so once: the second attempt would be told that it is there.
        idempotent: method !== 'POST',
        ...(body === undefined ? {} : { body: encodeUtf8(JSON.stringify(body)) }),
      }
      const response = await ask(service, endpoint(service.url, path), asked, options)
      if (wanted.includes(response.status)) return response
      throw refusal(service, response, advice(response.status))
    },
  }
}

/** The token of a variable. @throws UsageError USAGE, beginning with cosign's words */
export function readToken(env: Environment, name: string, rights: string): string {
  const token = variableOf(env, name)?.trim()
  if (token !== undefined && token !== '') return token
  throw new UsageError('USAGE', `could not find "${name}" environment variable: set it to a token ${rights}`)
}

/** The address of a variable that holds one, or only a host. @throws UsageError USAGE */
export function readServer(text: string, name: string): URL {
  const address = text.includes('://') ? text : `https://${text}`
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '') return url
  throw new UsageError(
    'USAGE',
    `${name} should be an address such as https://git.example.com, found ${JSON.stringify(withoutSecrets(text).slice(0, 60))}`,
  )
}

/**
 * Writes the three secrets one after another, the private key last but for the public one: a key without its password is no use to anybody.
 * @throws what `write` throws, with what was written already
 */
export async function writeSecrets(
  { password, privateKey, publicKey }: KeyPairSecrets,
  write: (name: string, value: Uint8Array) => Promise<void>,
  tell: (what: string, name: string) => void,
): Promise<void> {
  const parts = [
    ['Password', secretNames.password, password],
    ['Private key', secretNames.privateKey, encodeUtf8(privateKey)],
    ['Public key', secretNames.publicKey, encodeUtf8(publicKey)],
  ] as const
  const written: string[] = []
  for (const [what, name, value] of parts) {
    try {
      await write(name, value)
    } catch (cause) {
      if (!(cause instanceof CountersignError)) throw cause
      const rest =
        written.length === 0
          ? ''
          : ` (${written.join(' and ')} ${written.length === 1 ? 'is' : 'are'} of the new key already: run it again)`
      throw new CountersignError(cause.code, `could not create "${name}": ${messageOf(cause)}${rest}`, { cause })
    }
    written.push(name)
    tell(what, name)
  }
}
