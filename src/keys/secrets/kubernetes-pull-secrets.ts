/** The pull secrets that a namespace has for its pods: configurations of Docker, in secrets that the service account `default` names. */
import { decodeUtf8, excerpt } from '../../encoding/bytes.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { UsageError } from '../../error.ts'
import type { SecretStoreOptions } from '../secret-store.ts'
import { connectToCluster } from './kubernetes-cluster.ts'

/** The name of an object of Kubernetes, which paths are made of. */
const objectName = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const maxSecrets = 100
const configurationType = 'kubernetes.io/dockerconfigjson'
const configurationName = '.dockerconfigjson'

/** A configuration of Docker, of which only `auths` is meant. */
export interface PullSecret {
  /** JSON. */
  readonly text: string
  /** As messages name it. */
  readonly what: string
}

/**
 * Fetches them, in the order that the account names them in; a secret that is gone or of another kind is none.
 * @throws CountersignError SERVICE_REFUSED where the program may not read them; UsageError USAGE; TransportError
 */
export async function fetchPullSecrets(namespace: string, options: SecretStoreOptions): Promise<readonly PullSecret[]> {
  if (!objectName.test(namespace))
    throw new UsageError('USAGE', `the namespace of the pod should be a name of Kubernetes, found ${excerpt(namespace, 80)}`)
  const cluster = await connectToCluster(options, '--k8s-keychain')
  const below = `/api/v1/namespaces/${namespace}`
  const account = await cluster.ask('GET', `${below}/serviceaccounts/default`, [200, 404])
  if (account.status === 404) return []
  const fields = new JsonFields(parseJson(account.body, 'the service account'), 'serviceAccount', 'SERVICE_REFUSED')
  const secrets: PullSecret[] = []
  for (const entry of fields.array('imagePullSecrets', maxSecrets)) {
    const name = isJsonObject(entry) ? entry['name'] : undefined
    if (typeof name !== 'string' || !objectName.test(name)) continue
    const answer = await cluster.ask('GET', `${below}/secrets/${name}`, [200, 404])
    if (answer.status === 404) continue
    const what = `the secret ${name} in namespace ${namespace}`
    const secret = new JsonFields(parseJson(answer.body, what), 'secret', 'SERVICE_REFUSED')
    const data = secret.optionalObject('data')
    const bytes = secret.optionalString('type') === configurationType ? data?.optionalBytes(configurationName) : undefined
    if (bytes !== undefined) secrets.push({ text: decodeUtf8(bytes, what), what })
  }
  return secrets
}
