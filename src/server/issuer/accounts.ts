/** Whom a session belongs to: a local user, or someone whom an upstream issuer vouched for. */
import { z } from 'zod'
import { parseJson } from '../../encoding/json.ts'
import { CountersignError } from '../../error.ts'
import type { Clock } from '../clock.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { Connector, UpstreamUser } from './connector.ts'
import type { Identity } from './id-token.ts'
import type { Sealing } from './sealing.ts'
import type { ConnectorSettings, IssuerSettings } from './settings.ts'
import type { Users } from './users.ts'
import { identityOfUser, isUsableEmail, localConnector } from './users.ts'

export interface Accounts {
  find(accountId: string): Promise<Identity | undefined>
  /**
   * Keeps who signed in upstream, as long as sessions last.
   * @throws CountersignError SIGN_IN_FAILED when the settings do not let this person in, or the address cannot be put into certificates
   */
  keep(connector: Connector, user: UpstreamUser): Promise<Identity>
}

export interface AccountsOptions {
  readonly documents: DocumentStore
  readonly sealing: Sealing
  readonly clock: Clock
  readonly users: Users
  readonly settings: IssuerSettings
}

const collection = 'issuer-accounts'
/** What a person may take over a page or a device between sign-in and token. */
const graceSeconds = 3_600

const stored = z.object({
  subject: z.string(),
  email: z.string(),
  name: z.string().optional(),
  connectorId: z.string(),
  userId: z.string(),
})

/** The accounts in a store. */
export function openAccounts({ documents, sealing, clock, users, settings }: AccountsOptions): Accounts {
  const idOf = (subject: string): string => sealing.pseudonym(subject, 'account')
  return {
    find: async (accountId) => {
      if (accountId.startsWith(`${localConnector}:`)) {
        const user = settings['local-users'] ? await users.find(accountId) : undefined
        return user === undefined ? undefined : identityOfUser(user)
      }
      const document = await documents.get(collection, idOf(accountId))
      if (document === undefined) return undefined
      const { subject, email, name, connectorId, userId } = stored.parse(parseJson(document.json, 'an account of the issuer'))
      const connector = settings.connectors.find(({ id }) => id === connectorId)
      // A connector that was taken away, or narrowed, lets nobody in any more.
      if (connector === undefined || !isWelcome(connector, email)) return undefined
      return { subject, email, ...(name === undefined ? {} : { name }), federatedClaims: { connectorId, userId } }
    },
    keep: async ({ id: connectorId, name: connectorName }, { userId, email, name }) => {
      const connector = settings.connectors.find(({ id }) => id === connectorId)
      if (!/^[\x21-\x7e]{1,200}$/.test(userId)) throw refusal(connectorName, 'a user ID that cannot be put into tokens')
      if (!isUsableEmail(email)) throw refusal(connectorName, 'an e-mail address that cannot be put into certificates')
      if (connector === undefined || !isWelcome(connector, email))
        throw refusal(connectorName, 'an e-mail address that may not sign in here')
      const account = { subject: `${connectorId}:${userId}`, email, connectorId, userId, ...(name === undefined ? {} : { name }) }
      const expiresAtMs = clock() + (settings['session-lifetime'] + graceSeconds) * 1000
      await documents.put(collection, idOf(account.subject), JSON.stringify(account), { expiresAtMs })
      return { subject: account.subject, email, ...(name === undefined ? {} : { name }), federatedClaims: { connectorId, userId } }
    },
  }
}

function isWelcome(connector: ConnectorSettings, email: string): boolean {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  return connector['email-domains'] === 'any' || connector['email-domains'].includes(domain)
}

function refusal(connector: string, what: string): CountersignError {
  return new CountersignError('SIGN_IN_FAILED', `${connector} gave ${what}`)
}
