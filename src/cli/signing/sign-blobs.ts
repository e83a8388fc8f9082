/** `sign-blob`: from flags to files. */
import { CountersignError, UsageError } from '../../error.ts'
import type { TlsSettings } from '../../http/fetch.ts'
import type { SigningIdentity } from '../../sign/sign-content.ts'
import { signContent } from '../../sign/sign-content.ts'
import { signMessage } from '../../sign/signed-content.ts'
import { messageAlgorithm } from '../../sign/signing-algorithm.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { BatchReport, SignedBlob } from './batch-report.ts'
import { announcement, createBatchReport } from './batch-report.ts'
import { checkBlobs, openBlob } from './blob-input.ts'
import type { BlobOutputs } from './blob-outputs.ts'
import { checkOutputs, outputFiles, planChecksums, planOutputs, recordNeeds } from './blob-outputs.ts'
import { listTree } from './blob-tree.ts'
import { checksumsOf } from './checksums.ts'
import { createConfirmation } from './confirmation.ts'
import { writeOutputs } from './output-files.ts'
import { readOwnCertificate } from './own-certificate.ts'
import type { SigningMaterial } from './services.ts'
import { sideBySide } from './side-by-side.ts'
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
import type { SignBlobFlags, Task } from './task.ts'
import { readTimestampTls } from './timestamp-connection.ts'

/** How many blobs are under way at a time: the services take longer to answer than to ask. */
const concurrency = 16

/**
 * Signs blobs with one identity.
 * @param given blobs, and folders with `--recursive`
 * @param isGiven whether a flag was given, on the command line or by the environment
 * @throws CountersignError, in cosign's words where it has any
 */
export async function signBlobs(
  context: CommandContext,
  flags: SignBlobFlags,
  given: readonly string[],
  isGiven: (flag: string) => boolean,
): Promise<void> {
  checkSigningFlags(flags)
  const outputs = await planBlobs(context, flags, given)
  const inputIsTaken = outputs.some(({ blob }) => blob === '-')
  const task: Task<SignBlobFlags> = {
    context,
    flags,
    inputIsTaken,
    outputIsTaken: flags.format === 'json' || outputs.some(({ printSignature }) => printSignature),
    confirmation: createConfirmation(context, flags, inputIsTaken),
  }
  const first = outputs[0]?.blob ?? ''
  context.stderr.write(announcement(first))

  const key = flags.key === '' ? undefined : await loadKey(task)
  const own = key === undefined ? undefined : readOwnCertificate(context, flags, key.publicKey)
  const needs = recordNeeds(outputs)
  const material = await loadMaterial(task, needs, key, own, isGiven)
  warnOfMissing(context, material, own, { certificate: flags['output-certificate'], timestamp: flags['rfc3161-timestamp'] })
  await confirmRecord(task, material, needs)
  const identify = identitySource(task, material, key, own, messageAlgorithm)
  await signAll(task, material, identify, outputs, createBatchReport(task, outputs, first))
}

/** Looks at everything that is to be read and written, before anybody is asked for anything. */
async function planBlobs(context: CommandContext, flags: SignBlobFlags, given: readonly string[]): Promise<BlobOutputs[]> {
  const { cwd } = context
  if (flags.output !== '' && flags['output-signature'] !== '' && flags.output !== flags['output-signature'])
    warn(context, `${flags['output-signature']} is not written: of --output and --output-signature, the first one counts`)
  const written = [flags.checksums, flags.bundle, flags.output, flags['output-signature'], flags['output-certificate']]
  const blobs = flags.recursive ? listTree(context, given, written) : given
  if (new Set(blobs).size !== blobs.length) throw new UsageError('USAGE', 'one of the blobs is named twice')
  checkBlobs(context, blobs, '--recursive signs the files in it')
  const outputs =
    flags.checksums === '' ? planOutputs(cwd, flags, blobs) : planChecksums(cwd, flags, await checksumsOf(context, blobs, flags.checksums))
  checkOutputs(cwd, outputs, blobs, flags.key)
  // Scripts of cosign 1 and 2 read a line for each blob. They have no terminal, and no --recursive.
  const isUnread = flags.recursive || (outputs.length > 1 && context.stdout.isTTY)
  return isUnread ? outputs.map((output) => (output.bundle === '' ? output : { ...output, printSignature: false })) : outputs
}

/**
 * What is wrong with one file does not keep the others from being signed; what is wrong with a service, or with who signs, ends it. What was
 * finished stays.
 */
async function signAll(
  task: Task<SignBlobFlags>,
  material: SigningMaterial,
  identify: () => Promise<SigningIdentity>,
  outputs: readonly BlobOutputs[],
  report: BatchReport,
): Promise<void> {
  const { context, flags } = task
  const timestampTls = readTimestampTls(context, flags)
  const options = { ...material, ...(timestampTls === undefined ? {} : { timestampTls }) }
  // A long file has a line of its own to show how far it is.
  const reading = report.isBar ? { ...context, stderr: { ...context.stderr, isTTY: false } } : context
  const interrupted = (): void => report.interrupted()
  try {
    const running = sideBySide(outputs, {
      limit: concurrency,
      signal: context.signal,
      run: (output, stop) =>
        explained(`signing ${output.blob}`, adviceFor(flags, material), () => signBlob(reading, options, identify, output, stop)),
      done: (output, signed) => report.done(output, signed),
      tolerates: (error) => outputs.length > 1 && isAboutFile(error),
      failed: (output, error) => report.failed(output, error),
    })
    // The process ends as soon as it hears of an interrupt: what there is to say is said now.
    context.signal.addEventListener('abort', interrupted, { once: true })
    await running
  } catch (error) {
    if (!context.signal.aborted) report.interrupted()
    throw error
  } finally {
    context.signal.removeEventListener('abort', interrupted)
  }
  report.finish()
}

function isAboutFile(error: unknown): boolean {
  return error instanceof CountersignError && (error.code === 'FILE_UNREADABLE' || error.code === 'FILE_UNWRITABLE')
}

async function signBlob(
  context: CommandContext,
  { services, trust, scts, strangers, timestampTls }: SigningMaterial & { readonly timestampTls?: TlsSettings },
  identify: () => Promise<SigningIdentity>,
  output: BlobOutputs,
  stop: AbortSignal,
): Promise<SignedBlob> {
  const signal = AbortSignal.any([context.signal, stop])
  const identity = await identify()
  warnOldFormat(context, identity, recordNeeds([output]), services.logs.length > 0)
  const payload = output.contents ?? openBlob({ ...context, signal }, output.blob)
  const result = await signContent(identity, (signer) => signMessage(payload, signer), {
    services,
    trust,
    scts,
    strangers,
    now: context.now(),
    env: context.env,
    signal,
    ...(timestampTls === undefined ? {} : { timestampTls }),
  })
  warnOfStrangers(context, strangers, result)
  signal.throwIfAborted()
  const files = outputFiles(output, result.entity)
  writeOutputs(context.cwd, files)
  return { result, files }
}
