/** `sign-blob`: from flags to files. */
import type { PrivateKey } from '../../crypto/private-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { loadPrivateKey } from '../../keys/private-key-reference.ts'
import { createKeylessIdentity } from '../../sign/keyless-identity.ts'
import type { SigningIdentity } from '../../sign/sign-content.ts'
import { signContent } from '../../sign/sign-content.ts'
import { signMessage } from '../../sign/signed-content.ts'
import { ephemeralKeyKinds, messageAlgorithm } from '../../sign/signing-algorithm.ts'
import type { SigningAlgorithmName } from '../../sign/signing-algorithm.ts'
import { noServices } from '../../sign/signing-services.ts'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { formatJson } from '../inspection/json-text.ts'
import { checkBlobs, openBlob } from './blob-input.ts'
import type { BlobOutputs } from './blob-outputs.ts'
import { checkOutputs, keepsTimestamp, needsSearchableLog, outputFiles, planOutputs, printedSignature } from './blob-outputs.ts'
import type { Confirmation } from './confirmation.ts'
import { createConfirmation } from './confirmation.ts'
import type { signBlobFlags } from './flags.ts'
import { getIdentityToken } from './identity-token.ts'
import { writeOutputs } from './output-files.ts'
import { readPassword } from './password.ts'
import type { SigningMaterial } from './services.ts'
import { loadSigningMaterial } from './services.ts'
import { describeSigned, reportSigned } from './signature-report.ts'
import { readTimestampTls } from './timestamp-connection.ts'

export type SignBlobFlags = FlagValues<typeof signBlobFlags>

/** A command line of `sign-blob` that was checked. */
interface Task {
  readonly context: CommandContext
  readonly flags: SignBlobFlags
  readonly confirmation: Confirmation
  /** Standard input is one of the blobs. */
  readonly inputIsTaken: boolean
  /** Standard output gets a signature or JSON. */
  readonly outputIsTaken: boolean
}

/**
 * Signs blobs, one after another, with one identity.
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

  const key = flags.key === '' ? undefined : await loadPrivateKey(flags.key, keyOptions(task))
  const material = await loadMaterial(task, outputs, key, isGiven)
  await confirmRecord(task, material, outputs)
  const identify = identitySource(task, material, key)
  for (const [at, blob] of blobs.entries()) {
    if (at > 0) announce(context, blob)
    const output = outputs[at]
    if (output !== undefined) await named(blob, adviceFor(flags, material), () => signBlob(task, material, identify, blob, output))
  }
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

function keyOptions({ context, inputIsTaken }: Task): Parameters<typeof loadPrivateKey>[1] {
  return { env: context.env, cwd: context.cwd, password: () => readPassword(context, inputIsTaken) }
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

function identitySource(task: Task, material: SigningMaterial, key: PrivateKey | undefined): () => Promise<SigningIdentity> {
  const { context, flags } = task
  const { services, trust, scts, issuer } = material
  const ownSigner = key?.createSigner(messageAlgorithm(key.publicKey, services.logs.length > 0))
  if (services.certificateAuthority === undefined && ownSigner !== undefined) {
    return () => Promise.resolve({ signer: ownSigner, certificate: undefined })
  }
  return createKeylessIdentity({
    url: services.certificateAuthority ?? '',
    trust,
    scts,
    env: context.env,
    signal: context.signal,
    now: () => context.now(),
    signer: ownSigner,
    keyKind: ephemeralKeyKinds[algorithmOf(flags)],
    async token() {
      if (key === undefined) context.stderr.write('Generating ephemeral keys...\n')
      const token = await getIdentityToken(context, { ...task, issuer })
      context.stderr.write('Retrieving signed certificate...\n')
      return token
    },
  })
}

async function signBlob(
  { context, flags }: Task,
  { services, trust, scts }: SigningMaterial,
  identify: () => Promise<SigningIdentity>,
  blob: string,
  output: BlobOutputs,
): Promise<void> {
  const identity = await identify()
  warnOldFormat(context, identity, output, services.logs.length > 0)
  const timestampTls = readTimestampTls(context, flags)
  const result = await signContent(identity, (signer) => signMessage(openBlob(context, blob), signer), {
    services,
    trust,
    scts,
    now: context.now(),
    env: context.env,
    signal: context.signal,
    ...(timestampTls === undefined ? {} : { timestampTls }),
  })
  context.signal.throwIfAborted()
  const files = outputFiles(output, result.entity)
  writeOutputs(context.cwd, files)
  reportSigned(context, files, result)
  if (output.printSignature) context.stdout.write(printedSignature(output, result.entity))
  if (flags.format === 'json') context.stdout.write(`${formatJson(describeSigned(blob, files, result))}\n`)
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
async function named(blob: string, advice: string, sign: () => Promise<void>): Promise<void> {
  try {
    await sign()
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'ABORTED') throw cause
    throw new CountersignError(cause.code, `signing ${blob}: ${cause.message}${distrust.has(cause.code) ? advice : ''}`, { cause })
  }
}

function algorithmOf(flags: SignBlobFlags): SigningAlgorithmName {
  const name = flags['signing-algorithm']
  return Object.hasOwn(ephemeralKeyKinds, name) ? (name as SigningAlgorithmName) : 'ecdsa-sha2-256-nistp256'
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
