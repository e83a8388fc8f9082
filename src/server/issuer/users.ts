/** The people whom the issuer knows itself, with a password each. There is none by default. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { parseJson } from '../../encoding/json.ts'
import { CountersignError, UsageError } from '../../error.ts'
import type { Clock } from '../clock.ts'
import type { DocumentStore, StoredDocument } from '../storage/document-store.ts'
import type { Identity } from './id-token.ts'
import type { ScryptParameters } from './password.ts'
import { defaultScryptParameters, hashPassword, isPassword } from './password.ts'

/** A local user. */
export interface User {
  /** Whom the tokens are about; stays when the address or the name is changed, and is never given to another. */
  readonly subject: string
  /** As it was entered. Signing in does not care about its case. */
  readonly email: string
  readonly name: string | undefined
  readonly createdMs: number
  /** Another one after every change, of the password too. */
  readonly revision: number
}

export interface Users {
  /** @throws UsageError USAGE for an address or a password that cannot be used; CountersignError CONFLICT when there is such a user */
  add(user: { readonly email: string; readonly password: string; readonly name?: string }): Promise<User>
  /** In the order of their addresses. */
  list(): Promise<User[]>
  /** Removes a user and ends the sessions. @throws CountersignError NOT_FOUND */
  remove(email: string): Promise<void>
  /** Sets a new password and ends the sessions. @throws CountersignError NOT_FOUND; UsageError USAGE for an unusable password */
  setPassword(email: string, password: string): Promise<void>
  find(subject: string): Promise<User | undefined>
  /** The user with this address and password. Takes as long when there is no such user as when the password is wrong. */
  authenticate(email: string, password: string): Promise<User | undefined>
  /**
   * Whether a user who was authenticated was not changed since. To be asked when a sign-in is kept: checking a password takes time, in which
   * it may have become another one. What was kept is ended then.
   */
  isStill(user: User): Promise<boolean>
}

/** What the connector of local users is called in `federated_claims`. */
export const localConnector = 'local'

const collection = 'issuer-users'
const pageSize = 500

const stored = z.object({
  subject: z.string(),
  email: z.string(),
  name: z.string().optional(),
  createdMs: z.number(),
  passwordHash: z.string(),
})
type StoredUser = z.output<typeof stored>

export interface UsersOptions {
  readonly documents: DocumentStore
  readonly clock: Clock
  /** Called when someone's sessions must end. */
  readonly endSessions?: (subject: string) => Promise<void>
  /** Of new hashes, and of the time that an unknown user takes. */
  readonly scrypt?: ScryptParameters
}

/** The users in a store. */
export function openUsers({ documents, clock, endSessions = async () => {}, scrypt = defaultScryptParameters }: UsersOptions): Users {
  let nobody: Promise<string> | undefined
  const get = async (email: string): Promise<StoredDocument> => {
    const document = await documents.get(collection, idOf(email))
    if (document === undefined) throw new CountersignError('NOT_FOUND', `there is no user ${email}`)
    return document
  }
  return {
    add: async ({ email, password, name }) => {
      refuseUnusableEmail(email)
      const subject = `${localConnector}:${randomUUID()}`
      const user = { subject, email, createdMs: clock(), passwordHash: await hashPassword(password, scrypt) }
      const json = JSON.stringify(name === undefined ? user : { ...user, name })
      if (await documents.put(collection, idOf(email), json, { ifVersion: 0, keys: { subject } })) return userOf({ json, version: 1 })
      throw new CountersignError('CONFLICT', `there is a user ${email} already`)
    },
    list: async () => {
      const users: User[] = []
      for (let after: string | undefined; ;) {
        const page = await documents.list(collection, pageSize, after)
        users.push(...page.map(userOf))
        after = page.at(-1)?.id
        if (page.length < pageSize) return users
      }
    },
    remove: async (email) => {
      const { id, json } = await get(email)
      await documents.delete(collection, id)
      await endSessions(parse(json).subject)
    },
    setPassword: async (email, password) => {
      const passwordHash = await hashPassword(password, scrypt)
      const { id, json, version } = await get(email)
      const user = parse(json)
      const options = { ifVersion: version, keys: { subject: user.subject } }
      if (!(await documents.put(collection, id, JSON.stringify({ ...user, passwordHash }), options))) {
        throw new CountersignError('CONFLICT', `the user ${email} was changed at the same time, try again`)
      }
      await endSessions(user.subject)
    },
    find: async (subject) => {
      const [document] = await documents.find(collection, 'subject', subject)
      return document === undefined ? undefined : userOf(document)
    },
    authenticate: async (email, password) => {
      const document = isUsableEmail(email) ? await documents.get(collection, idOf(email)) : undefined
      if (document === undefined) {
        nobody ??= hashPassword(randomUUID(), scrypt)
        await isPassword(password, await nobody)
        return undefined
      }
      const { passwordHash } = parse(document.json)
      return (await isPassword(password, passwordHash)) ? userOf(document) : undefined
    },
    isStill: async ({ subject, revision }) => {
      const [document] = await documents.find(collection, 'subject', subject)
      if (document?.version === revision) return true
      await endSessions(subject)
      return false
    },
  }
}

/** Whom a token for the user is about. */
export function identityOfUser({ subject, email, name }: User): Identity {
  const userId = subject.slice(localConnector.length + 1)
  return { subject, email, ...(name === undefined ? {} : { name }), federatedClaims: { connectorId: localConnector, userId } }
}

/** Whether the text is one plain address as certificates can hold it: no display name, no quotes, ASCII only. */
export function isUsableEmail(email: string): boolean {
  return (
    email.length <= 254 &&
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(
      email,
    )
  )
}

function refuseUnusableEmail(email: string): void {
  if (!isUsableEmail(email)) throw new UsageError('USAGE', 'a user needs an e-mail address, such as alice@example.com')
}

function idOf(email: string): string {
  return email.toLowerCase()
}

function parse(json: string): StoredUser {
  return stored.parse(parseJson(json, 'a user of the issuer'))
}

function userOf({ json, version }: Pick<StoredDocument, 'json' | 'version'>): User {
  const { subject, email, name, createdMs } = parse(json)
  return { subject, email, name, createdMs, revision: version }
}
