/** `sign-blob`: from flags to files. */
import { UsageError } from '../../error.ts'
import type { TlsSettings } from '../../http/fetch.ts'
import type { SignedResult, SigningIdentity } from '../../sign/sign-content.ts'
import { signContent } from '../../sign/sign-content.ts'
import { signMessage } from '../../sign/signed-content.ts'
import { messageAlgorithm } from '../../sign/signing-algorithm.ts'
import type { CommandContext } from '../context.ts'
import { formatJson } from '../inspection/json-text.ts'
import { checkBlobs, openBlob } from './blob-input.ts'
import type { BlobOutputs } from './blob-outputs.ts'
import { checkOutputs, outputFiles, planOutputs, printedSignature } from './blob-outputs.ts'
import { createConfirmation } from './confirmation.ts'
import type { OutputFile } from './output-files.ts'
import { writeOutputs } from './output-files.ts'
import { readOwnCertificate } from './own-certificate.ts'
import type { SigningMaterial } from './services.ts'
import { describeSigned, reportSigned } from './signature-report.ts'
import { sideBySide } from './side-by-side.ts'
import { identitySource, loadKey } from './signing-identity.ts'
import { adviceFor, checkSigningFlags, confirmRecord, explained, loadMaterial, warnOldFormat } from './signing-steps.ts'
import type { SignBlobFlags, Task } from './task.ts'
import { readTimestampTls } from './timestamp-connection.ts'

/** How many blobs are under way at a time: the services take longer to answer than to ask. */
const concurrency = 16

/**
 * Signs blobs with one identity.
 * @param isGiven whether a flag was given, on the command line or by the environment
 * @throws CountersignError, in cosign's words where it has any
 */
export async function signBlobs(
  context: CommandContext,
  flags: SignBlobFlags,
  blobs: readonly string[],
  isGiven: (flag: string) => boolean,
): Promise<void> {
  checkFlags(flags, blobs)
  const outputs = planOutputs(context.cwd, flags, blobs)
  const inputIsTaken = blobs.includes('-')
  const task: Task = {
    context,
    flags,
    inputIsTaken,
    outputIsTaken: flags.format === 'json' || outputs.some(({ printSignature }) => printSignature),
    confirmation: createConfirmation(context, flags.yes, inputIsTaken),
  }
  checkBlobs(context, blobs)
  checkOutputs(context.cwd, outputs)
  announce(context, blobs[0])

  const key = flags.key === '' ? undefined : await loadKey(task)
  const own = key === undefined ? undefined : readOwnCertificate(context, flags, key.publicKey)
  const material = await loadMaterial(task, outputs, key, own, isGiven)
  await confirmRecord(task, material, outputs)
  const identify = identitySource(task, material, key, own, messageAlgorithm)
  const timestampTls = readTimestampTls(context, flags)
  await sideBySide(outputs, {
    limit: concurrency,
    run: (output, stop) => {
      const options = { ...material, ...(timestampTls === undefined ? {} : { timestampTls }) }
      return explained(`signing ${output.blob}`, adviceFor(flags, material), () => signBlob(context, options, identify, output, stop))
    },
    done: (output, signed) => {
      if (output.blob !== blobs[0]) announce(context, output.blob)
      report(task, output, signed)
    },
  })
}

function checkFlags(flags: SignBlobFlags, blobs: readonly string[]): void {
  checkSigningFlags(flags)
  if (new Set(blobs).size !== blobs.length) throw usage('one of the blobs is named twice')
}

/** cosign prints it for files, not for standard input. */
function announce({ stderr }: CommandContext, blob: string | undefined): void {
  if (blob !== undefined && blob !== '-') stderr.write(`Using payload from: ${blob}\n`)
}

/** A blob whose signature is written. */
interface SignedBlob {
  readonly result: SignedResult
  readonly files: readonly OutputFile[]
}

async function signBlob(
  context: CommandContext,
  { services, trust, scts, timestampTls }: SigningMaterial & { readonly timestampTls?: TlsSettings },
  identify: () => Promise<SigningIdentity>,
  output: BlobOutputs,
  stop: AbortSignal,
): Promise<SignedBlob> {
  const signal = AbortSignal.any([context.signal, stop])
  const identity = await identify()
  warnOldFormat(context, identity, output, services.logs.length > 0)
  const result = await signContent(identity, (signer) => signMessage(openBlob({ ...context, signal }, output.blob), signer), {
    services,
    trust,
    scts,
    now: context.now(),
    env: context.env,
    signal,
    ...(timestampTls === undefined ? {} : { timestampTls }),
  })
  signal.throwIfAborted()
  const files = outputFiles(output, result.entity)
  writeOutputs(context.cwd, files)
  return { result, files }
}

function report({ context, flags }: Task, output: BlobOutputs, { result, files }: SignedBlob): void {
  reportSigned(context, files, result)
  if (output.printSignature) context.stdout.write(printedSignature(output, result.entity))
  if (flags.format === 'json') context.stdout.write(`${formatJson(describeSigned(output.blob, files, result))}\n`)
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
