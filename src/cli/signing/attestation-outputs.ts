/** Where an attestation goes, and in which of cosign's formats. */
import { encodeEnvelope } from '../../bundle/dsse.ts'
import { encodeTimestampFile } from '../../bundle/legacy-bundle-writer.ts'
import type { DsseEnvelope, SignedEntity } from '../../bundle/signed-entity.ts'
import type { RecordOutputs } from './blob-outputs.ts'
import type { NamedFile, OutputFile } from './output-files.ts'
import { checkOutputFiles } from './output-files.ts'
import { bundleFile, certificateFile } from './signature-files.ts'
import type { AttestBlobFlags } from './task.ts'

/** The files to write; empty names are not written. */
export interface AttestationOutputs extends RecordOutputs {
  /** The envelope, as JSON. */
  readonly signature: string
  /** The statement. */
  readonly attestation: string
  readonly certificate: string
  /** Whether the envelope goes to standard output, as in cosign before 3. */
  readonly printEnvelope: boolean
}

/** An attestation that is finished. */
export interface Attestation {
  readonly entity: SignedEntity
  readonly envelope: DsseEnvelope
  /** TimeStampResp over the envelope's file, where one is to be written. */
  readonly fileTimestamp: Uint8Array | undefined
}

/** Decides what is written. An attestation without a bundle and without a file for its envelope is printed. */
export function planAttestationOutputs(flags: AttestBlobFlags): AttestationOutputs {
  const { bundle, 'output-signature': signature } = flags
  const isLegacyBundle = bundle !== '' && !flags['new-bundle-format']
  return {
    bundle,
    isLegacyBundle,
    signature,
    attestation: flags['output-attestation'],
    certificate: flags['output-certificate'],
    timestamp: flags['rfc3161-timestamp-bundle'],
    printEnvelope: signature === '' && (bundle === '' || isLegacyBundle) && flags.format !== 'json',
  }
}

/**
 * Checks that everything can be written, and that nothing is written over what is read.
 * @throws UsageError USAGE; TransportError FILE_UNWRITABLE
 */
export function checkAttestationOutputs(cwd: string, flags: AttestBlobFlags, blobs: readonly string[], outputs: AttestationOutputs): void {
  checkOutputFiles(
    cwd,
    [
      [outputs.bundle, 'bundle'],
      [outputs.signature, 'signature'],
      [outputs.attestation, 'attestation'],
      [outputs.certificate, 'certificate'],
      [outputs.timestamp, 'RFC3161 timestamp'],
    ],
    [...blobs.map((blob): NamedFile => [blob, 'blob']), [flags.predicate, 'predicate'], [flags.statement, 'statement'], [flags.key, 'key']],
  )
}

/** The files of a finished attestation. */
export function attestationFiles(outputs: AttestationOutputs, { entity, envelope, fileTimestamp }: Attestation): OutputFile[] {
  const { bundle, isLegacyBundle, signature, attestation, certificate, timestamp } = outputs
  const files = bundleFile(bundle, entity, isLegacyBundle)
  if (signature !== '') files.push({ path: signature, what: 'signature', contents: encodeEnvelope(envelope) })
  if (attestation !== '') files.push({ path: attestation, what: 'attestation', contents: envelope.payload })
  files.push(...certificateFile(certificate, entity))
  if (timestamp !== '' && fileTimestamp !== undefined)
    files.push({ path: timestamp, what: 'RFC3161 timestamp', contents: encodeTimestampFile(fileTimestamp) })
  return files
}
