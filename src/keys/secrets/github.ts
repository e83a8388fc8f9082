/** GitHub Actions secrets of a repository or an organisation: `github://owner[/repository]`. They can be written, not read. */
import { readAnswer } from '../../clients/service.ts'
import { sealBox } from '../../crypto/sealed-box.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { UsageError } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import type { Environment, HttpResponse } from '../../http/fetch.ts'
import type { KeyStore } from '../key-store.ts'
import type { SecretStore } from '../secret-store.ts'
import { createForge, readServer, readToken, secretNames, writeSecrets } from './forge.ts'

export const secretStore: SecretStore = {
  async open(reference, options) {
    const { owner, repository } = parseReference(reference)
    const token = readToken(
      options.env,
      'GITHUB_TOKEN',
      repository === undefined ? 'with the scope admin:org' : 'that may write its secrets',
    )
    const github = createForge({
      ...options,
      service: { kind: 'GitHub server', url: apiOf(options.env) },
      headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' },
      advice: adviceFor(reference),
    })
    const secrets = repository === undefined ? `/orgs/${owner}/actions/secrets` : `/repos/${owner}/${repository}/actions/secrets`
    const recipient = readRecipient(await github.ask('GET', `${secrets}/public-key`, [200]))
    const existing = await github.ask('GET', `${secrets}/${secretNames.privateKey}`, [200, 404])
    const isThere = existing.status === 200
    // What an organisation's secrets are without it is not said anywhere; the choice of GitHub's own command line.
    const visibility = repository === undefined ? { visibility: (isThere ? visibilityOf(existing) : undefined) ?? 'private' } : {}
    return {
      existing: isThere ? `Secret ${secretNames.privateKey} of ${reference}` : undefined,
      isForPrograms: true,
      write: (pair, tell) =>
        writeSecrets(
          pair,
          async (name, value) => {
            const sealed = await sealBox(value, recipient.key)
            await github.ask('PUT', `${secrets}/${name}`, [201, 204, 200], {
              encrypted_value: encodeBase64(sealed),
              key_id: recipient.id,
              ...visibility,
            })
          },
          (what, name) => tell(`${what} written to ${name} github actions secret`),
        ),
    }
  },
}

/** Only so that `--key github://…` says why it cannot be. */
export const keyStore: KeyStore = {
  openKey: (reference) => Promise.reject(unreadable(reference)),
  fetchPublicKey: (reference) => Promise.reject(unreadable(reference)),
}

function unreadable(reference: string): UsageError {
  return new UsageError(
    'USAGE',
    `GitHub gives out secrets to workflows only, not for ${reference.slice(0, 100)}: let the workflow set ${secretNames.privateKey} (or ${secretNames.publicKey}) from its secrets, and use --key env://${secretNames.privateKey}`,
  )
}

function parseReference(reference: string): { readonly owner: string; readonly repository: string | undefined } {
  const [owner = '', repository, ...others] = reference.slice('github://'.length).split('/')
  const isName = (text: string): boolean => /^[\w.-]{1,100}$/.test(text) && !/^\.+$/.test(text)
  if (!isName(owner) || (repository !== undefined && !isName(repository)) || others.length > 0) {
    throw new UsageError('USAGE', 'could not parse scheme, use github://<owner> or github://<owner>/<repo> format')
  }
  return { owner, repository }
}

/** Where the API is: beside github.com, below a server of one's own, and again beside a company's domain of ghe.com. */
function apiOf(env: Environment): string {
  const given = variableOf(env, 'GITHUB_HOST')
  if (given === undefined) return 'https://api.github.com'
  const url = readServer(given, 'GITHUB_HOST')
  if (url.host === 'github.com') return 'https://api.github.com'
  if (url.hostname.endsWith('.ghe.com') && !url.hostname.startsWith('api.')) return `https://api.${url.host}`
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  return url.hostname.startsWith('api.') || base.endsWith('/api/v3') ? base : `${base}/api/v3`
}

interface Recipient {
  readonly id: string
  readonly key: Uint8Array
}

function readRecipient(response: HttpResponse): Recipient {
  return readAnswer({ kind: 'GitHub server', url: response.url }, () => {
    const fields = new JsonFields(parseJson(response.body, 'the answer'), 'the answer', 'KEY_INVALID')
    return { id: fields.string('key_id'), key: fields.bytes('key') }
  })
}

function visibilityOf(response: HttpResponse): string | undefined {
  return readAnswer({ kind: 'GitHub server', url: response.url }, () =>
    new JsonFields(parseJson(response.body, 'the answer'), 'the answer', 'KEY_INVALID').optionalString('visibility'),
  )
}

function adviceFor(reference: string): (status: number) => string {
  return (status) => {
    if (status === 401) return ' (GITHUB_TOKEN is not valid, or not of this server: GITHUB_HOST names another one)'
    if (status === 403) return ' (GITHUB_TOKEN lacks the right to write Actions secrets; the token of a workflow never has it)'
    return status === 404 ? ` (there is no ${reference.slice(0, 100)}, or GITHUB_TOKEN may not see its secrets)` : ''
  }
}
