/** A sign-in on its way through an upstream issuer: what was begun, and by which interaction. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { encodeBase64Url } from '../../encoding/base64.ts'
import type { Clock } from '../clock.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { UpstreamAttempt } from './connector.ts'
import type { Sealing } from './sealing.ts'

/** An attempt, and the interaction that it belongs to. */
export interface UpstreamSignIn extends UpstreamAttempt {
  readonly interaction: string
  readonly connector: string
}

export interface UpstreamSignIns {
  begin(interaction: string, connector: string): Promise<UpstreamSignIn>
  find(state: string): Promise<UpstreamSignIn | undefined>
  /** The attempt, the first time that it is asked for. */
  take(state: string): Promise<UpstreamSignIn | undefined>
}

export interface UpstreamSignInsOptions {
  readonly documents: DocumentStore
  readonly sealing: Sealing
  readonly clock: Clock
}

const collection = 'issuer-upstream'
const lifetimeMs = 10 * 60_000

const stored = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), interaction: z.string(), connector: z.string() })

/** The attempts in a store. */
export function openUpstreamSignIns({ documents, sealing, clock }: UpstreamSignInsOptions): UpstreamSignIns {
  const idOf = (state: string): string => sealing.pseudonym(state, 'upstream')
  const find = async (state: string): Promise<UpstreamSignIn | undefined> => {
    const document = await documents.get(collection, idOf(state))
    if (document === undefined) return undefined
    return stored.parse(sealing.openJson(document.json, `upstream ${document.id}`))
  }
  return {
    begin: async (interaction, connector) => {
      const attempt = { state: random(), nonce: random(), verifier: random(), interaction, connector }
      const id = idOf(attempt.state)
      await documents.put(collection, id, sealing.sealJson(attempt, `upstream ${id}`), { expiresAtMs: clock() + lifetimeMs })
      return attempt
    },
    find,
    take: async (state) => {
      const attempt = await find(state)
      // Whoever deletes it has it.
      return attempt !== undefined && (await documents.delete(collection, idOf(state))) ? attempt : undefined
    },
  }
}

function random(): string {
  return encodeBase64Url(randomBytes(32))
}
