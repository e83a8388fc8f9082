/**
 * What the library leaves out of the device flow (RFC 8628): the pace of polling, and PKCE, by which nobody else can fetch the token who
 * saw the device code.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { parseJson } from '../../encoding/json.ts'
import type { Clock } from '../clock.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import { pollIntervalSeconds } from './provider.ts'
import type { Sealing } from './sealing.ts'

export interface DeviceGrants {
  /** Remembers what a device code was given for. */
  begin(deviceCode: string, challenge: string | undefined, lifetimeSeconds: number): Promise<void>
  /** Whether a poll may go on to the library, or the OAuth error that answers it. */
  check(deviceCode: string, verifier: string | undefined): Promise<'fine' | 'slow_down' | 'invalid_grant'>
}

export interface DeviceGrantsOptions {
  readonly documents: DocumentStore
  readonly sealing: Sealing
  readonly clock: Clock
}

const collection = 'issuer-device-grants'
/** Timers and networks are not exact. */
const toleranceMs = 1_000

const stored = z.object({ challenge: z.string().optional(), nextMs: z.number(), intervalMs: z.number() })

/** The device grants in a store. */
export function openDeviceGrants({ documents, sealing, clock }: DeviceGrantsOptions): DeviceGrants {
  const idOf = (deviceCode: string): string => sealing.pseudonym(deviceCode, 'device grant')
  return {
    begin: async (deviceCode, challenge, lifetimeSeconds) => {
      const grant = { nextMs: 0, intervalMs: pollIntervalSeconds * 1000, ...(challenge === undefined ? {} : { challenge }) }
      await documents.put(collection, idOf(deviceCode), JSON.stringify(grant), { expiresAtMs: clock() + lifetimeSeconds * 1000 })
    },
    check: async (deviceCode, verifier) => {
      const document = await documents.get(collection, idOf(deviceCode))
      // The library knows best what to say of a code that is none, or has expired.
      if (document === undefined) return 'fine'
      const grant = stored.parse(parseJson(document.json, 'a device grant'))
      if (grant.challenge !== undefined && (verifier === undefined || challengeOf(verifier) !== grant.challenge)) return 'invalid_grant'
      const early = clock() + toleranceMs < grant.nextMs
      const intervalMs = early ? grant.intervalMs + pollIntervalSeconds * 1000 : grant.intervalMs
      const next = { ...grant, intervalMs, nextMs: clock() + intervalMs }
      const options = { ifVersion: document.version, ...(document.expiresAtMs === undefined ? {} : { expiresAtMs: document.expiresAtMs }) }
      // Of two polls at once one was too early.
      const alone = await documents.put(collection, idOf(deviceCode), JSON.stringify(next), options)
      return early || !alone ? 'slow_down' : 'fine'
    },
  }
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'utf8').digest('base64url')
}
