/** CI/CD variables of a GitLab project or group: `gitlab://group/project`, `gitlab://ID`, `gitlab://group[/subgroup]`. */
import { readAnswer } from '../../clients/service.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import { parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import type { Environment } from '../../http/fetch.ts'
import type { KeyStore } from '../key-store.ts'
import { readPrivateKey, readPublicKey } from '../key-text.ts'
import type { SecretStore, SecretStoreOptions } from '../secret-store.ts'
import type { Forge } from './forge.ts'
import { createForge, readServer, readToken, secretNames, writeSecrets } from './forge.ts'

export const secretStore: SecretStore = {
  async open(reference, options) {
    const { gitlab, kind, path } = await findHolder(reference, options)
    const there = new Set<string>()
    for (const name of Object.values(secretNames)) {
      const { status } = await gitlab.ask('GET', `${path}/variables/${name}`, [200, 404])
      if (status === 200) there.add(name)
    }
    return {
      existing: there.has(secretNames.privateKey) ? `Variable ${secretNames.privateKey} of ${reference}` : undefined,
      isForPrograms: true,
      write: (pair, tell) =>
        writeSecrets(
          pair,
          async (name, bytes) => {
            const value = decodeUtf8(bytes, 'the password')
            if (there.has(name)) await gitlab.ask('PUT', `${path}/variables/${name}`, [200], { value })
            else await gitlab.ask('POST', `${path}/variables`, [201], newVariable(name, value))
          },
          (what, name) => tell(`${what} written to "${name}" ${kind} variable`),
        ),
    }
  },
}

export const keyStore: KeyStore = {
  async openKey(reference, options) {
    const holder = await findHolder(reference, options)
    const privateKey = await readVariable(holder, secretNames.privateKey)
    const password = async (): Promise<Uint8Array> => encodeUtf8(await readVariable(holder, secretNames.password))
    return readPrivateKey(privateKey, reference, { ...options, password })
  },
  async fetchPublicKey(reference, options) {
    return readPublicKey(await readVariable(await findHolder(reference, options), secretNames.publicKey), reference)
  },
}

/** The project or group that holds the variables. */
interface Holder {
  readonly gitlab: Forge
  readonly kind: 'project' | 'group'
  /** Its path in the API. */
  readonly path: string
}

/** A project first, then a group, as cosign looks. */
async function findHolder(reference: string, options: SecretStoreOptions): Promise<Holder> {
  const name = parseReference(reference)
  const token = readToken(options.env, 'GITLAB_TOKEN', 'with the scope api')
  const gitlab = createForge({
    ...options,
    service: { kind: 'GitLab server', url: apiOf(options.env) },
    headers: { 'private-token': token },
    advice: adviceFor,
  })
  for (const kind of ['project', 'group'] as const) {
    const path = `/${kind}s/${encodeURIComponent(name)}`
    const { status } = await gitlab.ask('GET', path, [200, 404])
    if (status === 200) return { gitlab, kind, path }
  }
  throw new CountersignError(
    'NOT_FOUND',
    `could not determine if reference is a group or project: reference ${JSON.stringify(name)} is neither a valid project nor group of ${new URL(gitlab.service.url).host} that GITLAB_TOKEN can see (GITLAB_HOST names another server)`,
  )
}

async function readVariable({ gitlab, kind, path }: Holder, name: string): Promise<string> {
  const response = await gitlab.ask('GET', `${path}/variables/${name}`, [200, 404])
  if (response.status === 404) {
    throw new CountersignError(
      'NOT_FOUND',
      `could not retrieve "${name}" ${kind} variable: there is none (generate-key-pair gitlab://… makes it)`,
    )
  }
  // An empty value is there, too: a password may be empty.
  return readAnswer(
    gitlab.service,
    () => new JsonFields(parseJson(response.body, 'the answer'), 'the answer', 'KEY_INVALID').optionalString('value') ?? '',
  )
}

function newVariable(key: string, value: string): Readonly<Record<string, unknown>> {
  return {
    key,
    value,
    variable_type: 'env_var',
    protected: false,
    masked: false,
    ...(key === secretNames.password ? { environment_scope: '*' } : {}),
  }
}

function parseReference(reference: string): string {
  const name = reference.slice('gitlab://'.length)
  const isPath = name.split('/').every((part) => /^[\w.+-]{1,255}$/.test(part) && !/^\.+$/.test(part))
  if (isPath) return name
  throw new UsageError(
    'USAGE',
    `expected gitlab://<group>/<project>, gitlab://<id> or gitlab://<group>, found ${JSON.stringify(reference.slice(0, 60))}`,
  )
}

function apiOf(env: Environment): string {
  const url = readServer(variableOf(env, 'GITLAB_HOST') ?? 'https://gitlab.com', 'GITLAB_HOST')
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  return base.endsWith('/api/v4') ? base : `${base}/api/v4`
}

function adviceFor(status: number): string {
  if (status === 401) return ' (GITLAB_TOKEN is not valid, or not of this server: GITLAB_HOST names another one)'
  return status === 403 ? ' (GITLAB_TOKEN needs the scope api, and the role of a maintainer)' : ''
}
