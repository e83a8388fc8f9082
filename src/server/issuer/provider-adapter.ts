/**
 * The OIDC library's state (sessions, interactions, codes) in our store: sealed, under names that do not tell the code or cookie, and
 * by the server's clock.
 */
import { isJsonObject } from '../../encoding/json.ts'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Clock } from '../clock.ts'
import type { DocumentStore, StoredDocument } from '../storage/document-store.ts'
import { InvalidGrant } from './provider-library.ts'
import type { Sealing } from './sealing.ts'

export interface ProviderStateOptions {
  readonly documents: DocumentStore
  readonly sealing: Sealing
  readonly clock: Clock
}

/** The instants in what the library keeps, in seconds. */
const instants = ['iat', 'exp', 'loginTs', 'authTime', 'consumed'] as const

/** Its models that carry what a key of the store finds them by. */
const keyNames = ['uid', 'userCode', 'grantId', 'accountId'] as const

/** What the library asks for the state of each of its models. */
export function createProviderAdapter(options: ProviderStateOptions): (model: string) => Adapter {
  return (model) => adapterOf(model, options)
}

/** Ends the sessions of an account, what was begun in them, and what would become one: a sign-in whose password was right. */
export async function endSessions({ documents, sealing }: ProviderStateOptions, accountId: string): Promise<void> {
  for (const model of ['Interaction', 'Session', 'Grant', 'AuthorizationCode', 'DeviceCode', 'AccessToken']) {
    await documents.deleteAll(collectionOf(model), 'accountId', sealing.pseudonym(accountId, 'accountId'))
  }
}

/**
 * How far the server's clock is ahead of the process's, in whole seconds: 0 but in tests. The library reads the process's clock, so it
 * is shown all instants shifted by this.
 */
export function clockShift(clock: Clock): number {
  return Math.round((clock() - Date.now()) / 1000)
}

function adapterOf(model: string, { documents, sealing, clock }: ProviderStateOptions): Adapter {
  const collection = collectionOf(model)
  const idOf = (id: string): string => sealing.pseudonym(id, model)
  const read = (document: StoredDocument | undefined): AdapterPayload | undefined => {
    if (document === undefined) return undefined
    const payload = sealing.openJson(document.json, `${model} ${document.id}`)
    return isJsonObject(payload) ? shifted(payload, -clockShift(clock)) : undefined
  }
  const write = async (id: string, payload: AdapterPayload, expiresAtMs: number | undefined, version?: number): Promise<boolean> => {
    const keys = keyNames.flatMap((name) => {
      const value = name === 'accountId' ? accountOf(payload) : payload[name]
      return typeof value === 'string' ? [[name, sealing.pseudonym(value, name)]] : []
    })
    const sealed = sealing.sealJson(shifted(payload, clockShift(clock)), `${model} ${id}`)
    return documents.put(collection, id, sealed, {
      keys: Object.fromEntries(keys) as Record<string, string>,
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      ...(version === undefined ? {} : { ifVersion: version }),
    })
  }
  const findBy = async (key: (typeof keyNames)[number], value: string): Promise<AdapterPayload | undefined> => {
    const [document] = await documents.find(collection, key, sealing.pseudonym(value, key))
    return read(document)
  }
  return {
    find: async (id) => read(await documents.get(collection, idOf(id))),
    findByUid: (uid) => findBy('uid', uid),
    findByUserCode: (userCode) => findBy('userCode', userCode),
    upsert: async (id, payload, expiresIn) => {
      await write(idOf(id), payload, expiresIn === undefined ? undefined : clock() + expiresIn * 1000)
    },
    consume: async (id) => {
      const document = await documents.get(collection, idOf(id))
      const payload = read(document)
      // Of several requests with one code, one may win: the library's own check comes before this, and apart from it.
      const fresh = document !== undefined && payload !== undefined && payload.consumed === undefined
      const consumed = { ...payload, consumed: Math.floor(Date.now() / 1000) }
      if (fresh && (await write(idOf(id), consumed, document.expiresAtMs, document.version))) return
      throw new InvalidGrant('the code was used already')
    },
    destroy: async (id) => {
      await documents.delete(collection, idOf(id))
    },
    revokeByGrantId: async (grantId) => {
      await documents.deleteAll(collection, 'grantId', sealing.pseudonym(grantId, 'grantId'))
    },
  }
}

/** Whom it is about; of an interaction, who signed in there, or was before. */
function accountOf({ accountId, result, session }: AdapterPayload): string | undefined {
  return accountId ?? result?.login?.accountId ?? session?.accountId
}

function shifted(payload: AdapterPayload, seconds: number): AdapterPayload {
  if (seconds === 0) return payload
  const moved = instants.flatMap((name) => {
    const value: unknown = payload[name]
    return typeof value === 'number' ? [[name, value + seconds]] : []
  })
  return { ...payload, ...(Object.fromEntries(moved) as AdapterPayload) }
}

function collectionOf(model: string): string {
  return `issuer-${model}`
}
