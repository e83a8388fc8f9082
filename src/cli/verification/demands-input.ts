/** What the flags of the verify verbs demand beside the signature itself, and the trust material that it takes. */
import type { PublicKey } from '../../crypto/public-key.ts'
import { CountersignError } from '../../error.ts'
import type { TrustMaterial } from '../../trust/trust-material.ts'
import { emptyTrustMaterial } from '../../trust/trust-material.ts'
import type { Demands } from '../../verify/demands.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from './input-file.ts'
import type { TrustFlags } from './trust-input.ts'
import { loadTrust } from './trust-input.ts'

export interface DemandFlags extends TrustFlags {
  readonly 'insecure-ignore-tlog': boolean
  readonly 'private-infrastructure': boolean
  readonly 'insecure-ignore-sct': boolean
  readonly 'use-signed-timestamps': boolean
  readonly sct: string
}

const maxSctBytes = 64 * 1024

/** @throws TransportError FILE_UNREADABLE for the SCT */
export function readDemands(context: CommandContext, flags: DemandFlags): Demands {
  return {
    log: !flags['insecure-ignore-tlog'] && !flags['private-infrastructure'],
    scts: !flags['insecure-ignore-sct'],
    signedTimestamps: flags['use-signed-timestamps'] || flags['timestamp-certificate-chain'] !== '',
    now: new Date(context.now()),
    ...(flags.sct === '' ? {} : { detachedSct: readInputFile(context.cwd, flags.sct, 'the SCT', maxSctBytes) }),
  }
}

/** With a key, and no log or timestamp to check, nothing else needs to be trusted, and nothing is fetched. */
export async function loadTrustFor(
  context: CommandContext,
  flags: DemandFlags,
  key: PublicKey | undefined,
  demands: Demands,
  hasTimestamps: boolean,
): Promise<TrustMaterial> {
  const needs = {
    certificates: key === undefined,
    scts: key === undefined && demands.scts,
    logs: demands.log,
    timestamps: demands.signedTimestamps,
    givenTimestamps: hasTimestamps,
  }
  if (flags['trusted-root'] === '' && !needs.certificates && !needs.logs && !needs.timestamps) return emptyTrustMaterial
  try {
    return await loadTrust(context, flags, needs)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new CountersignError(cause.code, `setting trusted material: ${cause.message}`, { cause })
  }
}
