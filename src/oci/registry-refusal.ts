/** What a registry's refusals mean, and what they say (distribution specification, "Error Codes"). */
import { excerpt } from '../encoding/bytes.ts'
import type { JsonValue } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { CountersignError } from '../error.ts'
import type { HttpResponse } from '../http/fetch.ts'
import { RegistryBusyError } from './registry-busy.ts'

/** How much of a refusal is read. */
export const maxErrorBytes = 64 * 1024
const maxMessageLength = 300

/**
 * The error for an answer that is a refusal.
 * @param host of the registry
 * @param doing what was to be done: `pushing the manifest`
 */
export function registryRefusal(host: string, response: HttpResponse | undefined, doing: string): CountersignError {
  const status = response?.status ?? 0
  const said = response === undefined ? undefined : messageIn(response.body)
  const hint = status === 401 || status === 403 ? '; check the credentials (docker login, or --registry-username and the like)' : ''
  const code = status === 404 ? 'NOT_FOUND' : 'SERVICE_REFUSED'
  const reason = said === undefined ? '' : `: ${said}`
  const message = `${doing}: the registry ${host} answered with status ${status}${reason}${hint}`
  return status === 429 || status >= 500 ? new RegistryBusyError(code, message) : new CountersignError(code, message)
}

/** The codes of the errors in an answer: `BLOB_UNKNOWN`. */
export function errorCodes({ body }: HttpResponse): readonly string[] {
  return errorsIn(body).map(({ code }) => code)
}

function messageIn(body: Uint8Array): string | undefined {
  const texts = errorsIn(body).map(({ code, message }) => (code === '' || message === '' ? `${code}${message}` : `${code}: ${message}`))
  const text = texts.filter((part) => part !== '').join('; ')
  return text === '' ? undefined : excerpt(text, maxMessageLength).slice(1, -1)
}

function errorsIn(body: Uint8Array): { readonly code: string; readonly message: string }[] {
  try {
    const value = parseJson(body, 'the error', { maxBytes: maxErrorBytes, maxDepth: 16 })
    const errors = isJsonObject(value) && Array.isArray(value['errors']) ? value['errors'].slice(0, 3) : []
    return errors.map((error) =>
      isJsonObject(error) ? { code: textOf(error['code']), message: textOf(error['message']) } : { code: '', message: '' },
    )
  } catch {
    // What is no JSON of the specification explains nothing; the status does.
    return []
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
