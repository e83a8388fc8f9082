/**
 * What is given beside a Sigstore bundle. cosign 3 takes nothing there; scripts of cosign 1 and 2 give signature, certificate and timestamp
 * with the bundle that was written with them. They must be those that the bundle holds, and add nothing to it.
 */
import { parseEnvelope } from '../../bundle/dsse.ts'
import { parseTimestampFile } from '../../bundle/legacy-bundle.ts'
import type { DsseEnvelope, SignedEntity } from '../../bundle/signed-entity.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { VerificationError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import type { EntityFlags } from './entity-input.ts'
import { maxFileBytes, readCertificate, readSignature, resemblesEnvelope } from './entity-input.ts'
import { readInputFile } from './input-file.ts'

/** One of them, and what to say when no bundle holds it. */
interface GivenPart {
  /** The bundle, if it holds the part, with nothing else of that kind to stand in for it. */
  readonly heldBy: (entity: SignedEntity) => SignedEntity | undefined
  readonly code: 'KEY_MISMATCH' | 'SIGNATURE_INVALID' | 'TIMESTAMP_INVALID'
  readonly mismatch: string
}

/**
 * The bundles that hold everything that is given; of timestamps they keep the given one alone, which is thus the one that is verified.
 * @throws VerificationError KEY_MISMATCH, SIGNATURE_INVALID or TIMESTAMP_INVALID when none does; TransportError, DecodingError
 */
export async function holdingGivenParts(
  context: CommandContext,
  flags: EntityFlags,
  entities: readonly SignedEntity[],
): Promise<readonly SignedEntity[]> {
  let holding = entities
  for (const { heldBy, code, mismatch } of await readParts(context, flags)) {
    holding = holding.flatMap((entity) => heldBy(entity) ?? [])
    if (holding.length === 0) throw new VerificationError(code, mismatch)
  }
  return holding
}

async function readParts(context: CommandContext, flags: EntityFlags): Promise<GivenPart[]> {
  const parts: GivenPart[] = []
  if (flags.certificate !== '') {
    const [given] = await readCertificate(context, flags.certificate)
    parts.push({
      heldBy: (entity) => {
        const { keyMaterial } = entity
        return keyMaterial.kind === 'certificate' && given !== undefined && equalBytes(keyMaterial.leaf, given) ? entity : undefined
      },
      code: 'KEY_MISMATCH',
      mismatch: 'the cert passed in does not match the cert in the provided bundle',
    })
  }
  if (flags.signature !== '') {
    const given = await readSignature(context, flags.signature, 'either')
    const envelope = resemblesEnvelope(given) ? parseEnvelope(given) : undefined
    parts.push({
      heldBy: (entity) => {
        const { content } = entity
        const isHeld = content.kind === 'dsse-envelope' ? isAmong(content, envelope) : equalBytes(content.signature, given)
        return isHeld ? entity : undefined
      },
      code: 'SIGNATURE_INVALID',
      mismatch: 'the signature passed in does not match the signature in the provided bundle',
    })
  }
  const file = flags['rfc3161-timestamp']
  if (file !== '') {
    const given = parseTimestampFile(readInputFile(context.cwd, file, 'the RFC 3161 timestamp', maxFileBytes))
    parts.push({
      heldBy: (entity) => (entity.timestamps.some((held) => equalBytes(held, given)) ? { ...entity, timestamps: [given] } : undefined),
      code: 'TIMESTAMP_INVALID',
      mismatch: 'the timestamp passed in is not in the provided bundle',
    })
  }
  return parts
}

/** An attestation is given as its envelope, which may have further signatures. */
function isAmong(held: DsseEnvelope, given: DsseEnvelope | undefined): boolean {
  if (given === undefined || !equalBytes(held.payload, given.payload) || held.payloadType !== given.payloadType) return false
  return [given, ...(given.otherSignatures ?? [])].some(({ signature }) => equalBytes(held.signature, signature))
}
