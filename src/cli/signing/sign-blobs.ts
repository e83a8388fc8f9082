/** `sign-blob`: from flags to files. */
import type { PrivateKey } from '../../crypto/private-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import { CountersignError, UsageError } from '../../error.ts'
import type { TlsSettings } from '../../http/fetch.ts'
import type { SignedResult, SigningIdentity } from '../../sign/sign-content.ts'
import { signContent } from '../../sign/sign-content.ts'
import { signMessage } from '../../sign/signed-content.ts'
import { ephemeralKeyKinds } from '../../sign/signing-algorithm.ts'
import { noServices } from '../../sign/signing-services.ts'
import type { CommandContext } from '../context.ts'
import { formatJson } from '../inspection/json-text.ts'
import { checkBlobs, openBlob } from './blob-input.ts'
import type { BlobOutputs } from './blob-outputs.ts'
import { checkOutputs, keepsTimestamp, needsSearchableLog, outputFiles, planOutputs, printedSignature } from './blob-outputs.ts'
import { createConfirmation } from './confirmation.ts'
import type { OutputFile } from './output-files.ts'
import { writeOutputs } from './output-files.ts'
import type { SigningMaterial } from './services.ts'
import { loadSigningMaterial } from './services.ts'
import { describeSigned, reportSigned } from './signature-report.ts'
import { sideBySide } from './side-by-side.ts'
import { identitySource, loadKey } from './signing-identity.ts'
import type { SignBlobFlags, Task } from './task.ts'
import { readTimestampTls } from './timestamp-connection.ts'

/** How many blobs are under way at a time: the services take longer to answer than to ask. */
const concurrency = 8

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
  const material = await loadMaterial(task, outputs, key, isGiven)
  await confirmRecord(task, material, outputs)
  const identify = identitySource(task, material, key)
  const timestampTls = readTimestampTls(context, flags)
  await sideBySide(outputs, {
    limit: concurrency,
    run: (output, stop) => {
      const options = { ...material, ...(timestampTls === undefined ? {} : { timestampTls }) }
      return named(output.blob, adviceFor(flags, material), () => signBlob(context, options, identify, output, stop))
    },
    done: (output, signed) => {
      if (output.blob !== blobs[0]) announce(context, output.blob)
      report(task, output, signed)
    },
  })
}

function checkFlags(flags: SignBlobFlags, blobs: readonly string[]): void {
  if (flags.sk && flags.key !== '') throw usage('at most one of: key reference (--key) or hardware token (--sk) can be provided')
  if (flags.sk) throw usage('hardware tokens (--sk) are not supported by this version')
  if (flags.certificate !== '' || flags['certificate-chain'] !== '') {
    throw usage('signing with a certificate of your own (--certificate) is not supported by this version')
  }
  if (flags['issue-certificate'] && flags.key === '') throw usage('--issue-certificate is for a key that is given with --key')
  if (!Object.hasOwn(ephemeralKeyKinds, flags['signing-algorithm'])) {
    throw usage(
      `invalid signing algorithm: ${flags['signing-algorithm'].slice(0, 60)}. Supported algorithms are: ${Object.keys(ephemeralKeyKinds).join(', ')}`,
    )
  }
  if (new Set(blobs).size !== blobs.length) throw usage('one of the blobs is named twice')
}

/** cosign prints it for files, not for standard input. */
function announce({ stderr }: CommandContext, blob: string | undefined): void {
  if (blob !== undefined && blob !== '-') stderr.write(`Using payload from: ${blob}\n`)
}

async function loadMaterial(
  { context, flags }: Task,
  outputs: readonly BlobOutputs[],
  key: PrivateKey | undefined,
  isGiven: (flag: string) => boolean,
): Promise<SigningMaterial> {
  const keeps = keepsTimestamp(outputs)
  if (!keeps && isGiven('timestamp-server-url')) throw usage('must use protobuf bundle or set timestamp output path')
  return loadSigningMaterial(context, {
    flags,
    isGiven,
    demands: {
      certificate: key === undefined || flags['issue-certificate'],
      timestamp: keeps,
      ...(needsSearchableLog(outputs) ? { logVersions: [1] } : {}),
    },
  })
}

/** Where the services are those of a signing config, whoever chose it has agreed; cosign 3 asks only in the browser flow then. */
async function confirmRecord(
  { confirmation }: Task,
  { services, fromConfig }: SigningMaterial,
  outputs: readonly BlobOutputs[],
): Promise<void> {
  if (services.logs.length === 0 || (fromConfig && !needsSearchableLog(outputs))) return
  await confirmation.ask(services.logs.map(({ url }) => url))
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

/** cosign's words: the verifiers of that time knew SHA-256 only. */
function warnOldFormat({ stderr }: CommandContext, { signer }: SigningIdentity, output: BlobOutputs, isLogged: boolean): void {
  const isOld = output.bundle === '' || output.isLegacyBundle
  const algorithm = digestOf(signer.algorithm)
  if (!isOld || !isLogged || algorithm === 'sha256') return
  stderr.write(
    'Non SHA256 hash function is not supported for old bundle format. Use --bundle to use the new bundle format or use different signing key/algorithm.\n',
  )
}

/** Codes of answers that the trust material does not account for. */
const distrust: ReadonlySet<string> = new Set(['CERTIFICATE_UNTRUSTED', 'SCT_UNVERIFIED', 'LOG_ENTRY_UNVERIFIED', 'TIME_UNVERIFIED'])

/** Whoever signs with an instance of their own and trusts another one has forgotten a flag. */
function adviceFor(flags: SignBlobFlags, { services }: SigningMaterial): string {
  if (flags['trusted-root'] !== '' || services === noServices) return ''
  return ' (the trusted root is the one that TUF distributes: for services of another instance run initialize, or give --trusted-root)'
}

/** cosign's `signing <blob>: ` in front of what went wrong with a blob, and advice behind it where there is any. */
async function named<T>(blob: string, advice: string, sign: () => Promise<T>): Promise<T> {
  try {
    return await sign()
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'ABORTED') throw cause
    throw new CountersignError(cause.code, `signing ${blob}: ${cause.message}${distrust.has(cause.code) ? advice : ''}`, { cause })
  }
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
