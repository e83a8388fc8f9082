/** The metadata server of Google Cloud, which tells a machine or a pod about the service account that it runs as. */
import { messageOf } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import type { HttpResponse } from '../../http/fetch.ts'
import { HttpStatusError } from '../../http/fetch.ts'
import type { TokenRequest } from '../token-source.ts'
import { addressIn, askForToken, noToken } from '../token-source.ts'

const title = 'Google Cloud'

/**
 * Asks the metadata server about the service account of the machine.
 * @param path what is asked, below the account
 * @throws CountersignError SIGN_IN_FAILED
 */
export async function askMetadata(
  { env, timeoutMs, signal }: Pick<TokenRequest, 'env' | 'timeoutMs' | 'signal'>,
  path: string,
): Promise<HttpResponse> {
  const host = variableOf(env, 'GCE_METADATA_HOST') ?? 'metadata.google.internal'
  const address = addressIn('GCE_METADATA_HOST', `http://${host}/computeMetadata/v1/instance/service-accounts/default/${path}`)
  let answer: HttpResponse
  try {
    // It is next to the machine and answers without encryption: no proxy may see it.
    answer = await askForToken({ title }, address, { headers: { 'metadata-flavor': 'Google' } }, { env: {}, timeoutMs, signal })
  } catch (error) {
    const isUnknown = error instanceof Error && error.cause instanceof HttpStatusError && error.cause.status === 404
    if (!isUnknown) throw error
    const advice = 'give it one, or pass it over with --oidc-disable-ambient-providers'
    throw noToken(`${messageOf(error)}, since this machine runs as no service account; ${advice}`, error)
  }
  if (answer.headers['metadata-flavor'] === 'Google') return answer
  throw noToken(`${title} gave no identity token: ${address.host} answered, but it is not Google's metadata server`)
}
