/** `attest-blob`: from flags to files. */
import { encodeEnvelope, inTotoPayloadType } from '../../bundle/dsse.ts'
import type { DsseEnvelope } from '../../bundle/signed-entity.ts'
import { timestampEnvelope } from '../../sign/envelope-timestamp.ts'
import type { SignedResult, SigningIdentity } from '../../sign/sign-content.ts'
import { signContent } from '../../sign/sign-content.ts'
import { signEnvelope } from '../../sign/signed-content.ts'
import { envelopeAlgorithm } from '../../sign/signing-algorithm.ts'
import type { CommandContext } from '../context.ts'
import { formatJson } from '../inspection/json-text.ts'
import { checkAttestationInput, checkEntryType, inputsFrom, readAttestation, warnOfText } from './attestation-input.ts'
import type { AttestationOutputs } from './attestation-outputs.ts'
import { attestationFiles, checkAttestationOutputs, planAttestationOutputs } from './attestation-outputs.ts'
import { recordNeeds } from './blob-outputs.ts'
import { createConfirmation } from './confirmation.ts'
import type { OutputFile } from './output-files.ts'
import { writeOutputs } from './output-files.ts'
import { readOwnCertificate } from './own-certificate.ts'
import type { SigningMaterial } from './services.ts'
import { describeAttested, reportSigned } from './signature-report.ts'
import { identitySource, loadKey } from './signing-identity.ts'
import {
  adviceFor,
  checkSigningFlags,
  confirmRecord,
  explained,
  loadMaterial,
  warnOfMissing,
  warnOfStrangers,
  warnOldFormat,
} from './signing-steps.ts'
import type { AttestBlobFlags, Task } from './task.ts'
import { readTimestampTls } from './timestamp-connection.ts'

/**
 * Signs one statement about any number of blobs.
 * @param isGiven whether a flag was given, on the command line or by the environment
 * @throws CountersignError, in cosign's words where it has any
 */
export async function attestBlobs(
  context: CommandContext,
  flags: AttestBlobFlags,
  blobs: readonly string[],
  isGiven: (flag: string) => boolean,
): Promise<void> {
  checkSigningFlags(flags)
  checkAttestationInput(flags, blobs)
  checkEntryType(context, flags['rekor-entry-type'])
  const outputs = planAttestationOutputs(flags)
  const inputIsTaken = inputsFrom(flags, blobs) > 0
  const task: Task<AttestBlobFlags> = {
    context,
    flags,
    inputIsTaken,
    outputIsTaken: flags.format === 'json' || outputs.printEnvelope,
    confirmation: createConfirmation(context, flags, inputIsTaken),
  }
  checkAttestationOutputs(context.cwd, flags, blobs, outputs)
  warnOfText(context, flags)
  const statement = await readAttestation(context, flags, blobs, isGiven('type'))

  const key = flags.key === '' ? undefined : await loadKey(task)
  const own = key === undefined ? undefined : readOwnCertificate(context, flags, key.publicKey)
  const needs = recordNeeds([outputs])
  const material = await loadMaterial(task, needs, key, own, isGiven)
  warnOfMissing(context, material, own, outputs)
  await confirmRecord(task, material, needs)
  const identify = identitySource(task, material, key, own, envelopeAlgorithm)
  const { result, files } = await explained('signing the attestation', adviceFor(flags, material), () =>
    signStatement(task, material, identify, statement, outputs),
  )
  reportSigned(context, files, result)
  const envelope = envelopeOf(result)
  if (outputs.printEnvelope) context.stdout.write(`${encodeEnvelope(envelope)}\n`)
  if (flags.format === 'json') context.stdout.write(`${formatJson(describeAttested(files, result, envelope))}\n`)
}

async function signStatement(
  { context, flags }: Task<AttestBlobFlags>,
  { services, trust, scts, strangers }: SigningMaterial,
  identify: () => Promise<SigningIdentity>,
  statement: Uint8Array,
  outputs: AttestationOutputs,
): Promise<{ readonly result: SignedResult; readonly files: readonly OutputFile[] }> {
  const { signal, env } = context
  const timestampTls = readTimestampTls(context, flags)
  const identity = await identify()
  warnOldFormat(context, identity, recordNeeds([outputs]), services.logs.length > 0)
  const result = await signContent(identity, (signer) => signEnvelope(statement, inTotoPayloadType, signer), {
    services,
    trust,
    scts,
    strangers,
    now: context.now(),
    env,
    signal,
    ...(timestampTls === undefined ? {} : { timestampTls }),
  })
  warnOfStrangers(context, strangers, result)
  const envelope = envelopeOf(result)
  const [authority] = services.timestampAuthorities
  const fileTimestamp =
    outputs.timestamp === '' || authority === undefined
      ? undefined
      : await timestampEnvelope(envelope, authority, identity.certificate, trust, {
          env,
          signal,
          strangers,
          ...(timestampTls === undefined ? {} : { tls: timestampTls }),
        })
  signal.throwIfAborted()
  const files = attestationFiles(outputs, { entity: result.entity, envelope, fileTimestamp })
  writeOutputs(context.cwd, files)
  return { result, files }
}

function envelopeOf({ entity: { content } }: SignedResult): DsseEnvelope {
  if (content.kind !== 'dsse-envelope') throw new TypeError('an attestation is an envelope')
  return content
}
