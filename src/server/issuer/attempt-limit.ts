/**
 * A limit on failed attempts, of sign-ins by address, by account and by both, of device codes by address. An attempt counts before it is
 * decided, so that many at once are no more than one after another; what succeeds is taken back.
 */
import { z } from 'zod'
import { parseJson } from '../../encoding/json.ts'
import type { Clock } from '../clock.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { Sealing } from './sealing.ts'

export interface AttemptLimit {
  /**
   * Counts an attempt.
   * @param who the account, the address (as `clientNetwork` has it), or both
   * @returns 0, or in how many milliseconds the next one will be heard
   */
  begin(kind: AttemptKind, who: string): Promise<number>
  /** It succeeded: a password that is known ends the count of an account, an address gets its one attempt back. */
  succeed(kind: AttemptKind, who: string): Promise<void>
}

/**
 * Sign-ins by address, by account and address, by account; device codes by address. Few attempts are left to one address, so that nobody
 * locks somebody else out, and many to all together, so that a password is not guessed from many addresses.
 */
export type AttemptKind = 'address' | 'account-at-address' | 'account' | 'code'

export interface AttemptLimitOptions {
  readonly documents: DocumentStore
  readonly sealing: Sealing
  readonly clock: Clock
}

const collection = 'issuer-attempts'
const windowMs = 15 * 60_000
const allowed: Readonly<Record<AttemptKind, number>> = { address: 50, 'account-at-address': 10, account: 100, code: 20 }

const stored = z.object({ count: z.number(), untilMs: z.number() })
type Count = z.output<typeof stored>

/** A limit whose counts are kept in the store, for all servers on it. */
export function createAttemptLimit({ documents, sealing, clock }: AttemptLimitOptions): AttemptLimit {
  // Names that were mistyped may be passwords: they are not kept.
  const idOf = (kind: AttemptKind, who: string): string => `${kind}-${sealing.pseudonym(who, 'attempt')}`
  const change = async (id: string, next: (count: Count | undefined) => Count | undefined): Promise<Count | undefined> => {
    for (;;) {
      const document = await documents.get(collection, id)
      const before = document === undefined ? undefined : stored.parse(parseJson(document.json, 'a count of attempts'))
      const after = next(before)
      if (after === undefined) return before
      const options = { ifVersion: document?.version ?? 0, expiresAtMs: after.untilMs }
      if (await documents.put(collection, id, JSON.stringify(after), options)) return after
    }
  }
  return {
    begin: async (kind, who) => {
      const begun = await change(idOf(kind, who), (count) => {
        if (count === undefined || count.untilMs <= clock()) return { count: 1, untilMs: clock() + windowMs }
        // What is refused is not counted: the account opens again when the window ends, however often it is tried.
        return count.count >= allowed[kind] + 1 ? undefined : { ...count, count: count.count + 1 }
      })
      return begun === undefined || begun.count <= allowed[kind] ? 0 : begun.untilMs - clock()
    },
    succeed: async (kind, who) => {
      if (isOfAccount(kind)) await documents.delete(collection, idOf(kind, who))
      else await change(idOf(kind, who), (count) => (count === undefined ? undefined : { ...count, count: Math.max(0, count.count - 1) }))
    },
  }
}

function isOfAccount(kind: AttemptKind): boolean {
  return kind === 'account' || kind === 'account-at-address'
}
