/** Keeps credentials where `docker login` keeps them, so that every tool that reads Docker's configuration has them. */
import { mkdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { encodeBase64 } from '../encoding/base64.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import type { JsonObject } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { TransportError, messageOf, isMissing } from '../error.ts'
import { replaceFile } from '../tuf/bounded-file.ts'
import { helperFailure, runHelper } from './credential-helper.ts'
import type { DockerCredentialsOptions } from './docker-credentials.ts'
import { dockerConfigFile, dockerHubKey } from './docker-credentials.ts'

export interface KeptCredentials {
  /** The configuration file. */
  readonly file: string
  /** The helper that keeps the password; undefined where it is in the file. */
  readonly helper: string | undefined
}

const maxFileBytes = 4 * 1024 * 1024

/**
 * Keeps a user name and a password for a registry. Everything else in the file stays as it is; the file is only the user's to read.
 * @param registry host, with a port where it has one
 * @throws TransportError FILE_UNREADABLE for a file that cannot be understood, FILE_UNWRITABLE; CountersignError SERVICE_REFUSED when a helper fails
 */
export async function keepCredentials(
  registry: string,
  { username, password }: { readonly username: string; readonly password: string },
  options: DockerCredentialsOptions,
): Promise<KeptCredentials> {
  const named = dockerConfigFile(options)
  const key = registry === 'index.docker.io' ? dockerHubKey : registry
  const file = await realpath(named).catch(() => named)
  const config = await readConfig(file)
  const helper = helperFor(config, file, registry)
  if (helper !== undefined) {
    const input = JSON.stringify({ ServerURL: key, Username: username, Secret: password })
    const { code } = await runHelper(helper, 'store', input, options)
    if (code !== 0) throw helperFailure(helper, `it ended with status ${code}`)
  }
  const auths = config['auths']
  const entry = helper === undefined ? { auth: encodeBase64(encodeUtf8(`${username}:${password}`)) } : {}
  const changed = { ...config, auths: { ...(isJsonObject(auths) ? auths : {}), [key]: entry } }
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
    await replaceFile(file, JSON.stringify(changed, undefined, '\t'), true)
  } catch (cause) {
    throw new TransportError('FILE_UNWRITABLE', `the registry credentials cannot be written to ${named}: ${messageOf(cause)}`, { cause })
  }
  return { file: named, helper }
}

async function readConfig(file: string): Promise<JsonObject> {
  try {
    const value = parseJson(await readFile(file), file, { maxBytes: maxFileBytes })
    if (isJsonObject(value)) return value
  } catch (cause) {
    if (isMissing(cause)) return {}
    throw new TransportError('FILE_UNREADABLE', `${file} cannot be used: ${messageOf(cause)}`, { cause })
  }
  throw new TransportError('FILE_UNREADABLE', `${file} should hold a JSON object`)
}

function helperFor(config: JsonObject, file: string, registry: string): string | undefined {
  const fields = new JsonFields(config, file, 'FILE_UNREADABLE')
  const helper = fields.optionalObject('credHelpers')?.optionalString(registry) ?? fields.optionalString('credsStore') ?? ''
  return helper === '' ? undefined : helper
}
